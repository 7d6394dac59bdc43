"""A training run on disk: everything that an exact resume needs, in one file.

A batch follows from the seed and the step alone, and so do the random numbers of the
networks: their generator is seeded again at every step. So weights, their average, the
optimiser's moments, the scale of float16 and the number of steps are all there is. No
part of it depends on the number of ranks.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from icf.errors import WrongUse
from icf.models.training.run_files import damaged, read_head
from icf.stores.files import replace_file


@dataclass(frozen=True)
class RunState:
    """A run after some steps.

    Attributes:
        step: steps taken.
        steps: of the whole run.
        seconds: that training has taken.
        identity: what makes the run: configuration, data, start model.
        weights: of all parts, keys ``part.weight``.
        average: of the part that is the result, keys as in the network.
        mean: of its first weights and averages, likewise; empty where none is kept.
        moments: the optimiser's state of each parameter, by the parameter's number.
        scaler: of float16's gradients: numbers by name; empty in other precisions.
    """

    step: int
    steps: int
    seconds: float
    identity: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    average: Mapping[str, Tensor]
    mean: Mapping[str, Tensor]
    moments: Mapping[int, Mapping[str, Tensor]]
    scaler: Mapping[str, float]

    def save(self, path: Path) -> None:
        """Replace the file in one step."""
        tensors = {f"weights.{key}": value for key, value in self.weights.items()}
        tensors |= {f"average.{key}": value for key, value in self.average.items()}
        tensors |= {f"mean.{key}": value for key, value in self.mean.items()}
        for number, values in self.moments.items():
            named = {f"moments.{number}.{k}": v for k, v in values.items()}
            tensors |= named
        about = {
            "step": str(self.step),
            "steps": str(self.steps),
            "seconds": repr(self.seconds),
            "identity": json.dumps(dict(self.identity)),
            "scaler": json.dumps(dict(self.scaler)),
        }
        stored = storable(tensors)
        about["crc"] = str(_checksum(stored))
        replace_file(path, [safetensors.torch.save(stored, about)])

    @classmethod
    def load(cls, path: Path) -> RunState:
        """Read the file.

        Raises:
            BadInput: it is damaged, or no checkpoint.
        """
        head = read_head(path)
        about = head.about
        tensors = safetensors.torch.load_file(path)
        # Those of earlier versions have none.
        if "crc" in about and about["crc"] != str(_checksum(tensors)):
            raise damaged(path, "its content has changed on the disk")
        parts: dict[str, dict[str, Tensor]] = {"weights": {}, "average": {}, "mean": {}}
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            part, _, rest = key.partition(".")
            if part == "moments":
                number, _, name = rest.partition(".")
                moments.setdefault(int(number), {})[name] = value
            else:
                parts[part][rest] = value
        return cls(
            head.step,
            head.steps,
            float(about["seconds"]),
            head.identity,
            parts["weights"],
            parts["average"],
            parts["mean"],
            moments,
            json.loads(about["scaler"]),
        )


def save_parts(
    weights: Path, sha256: str, parts: Mapping[str, Tensor], **about: Any
) -> None:
    """Write all weights of a run next to its ONNX file, into which norms are folded.

    Args:
        weights: the ONNX file.
        sha256: of that file.
        parts: the weights of all parts, by ``part.weight``.
        about: what else the file says: names of identities.
    """
    said = {"about": json.dumps({**about, "sha256": sha256})}
    stored = safetensors.torch.save(storable(parts), said)
    replace_file(weights.with_suffix(".safetensors"), [stored])


def storable(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors as safetensors takes them: on the CPU, no views, contiguous."""
    return {
        key: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for key, value in tensors.items()
    }


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    """The CRC-32 of tensors that `storable` made, in the order of their names."""
    crc = 0
    for key in sorted(tensors):
        crc = zlib.crc32(tensors[key].view(-1).view(torch.uint8).numpy().data, crc)
    return crc


def check_same(
    wanted: Mapping[str, Any], found: Mapping[str, Any], where: Path
) -> None:
    """Raise unless two runs are the same one.

    Args:
        wanted: the identity of this run.
        found: of the run on disk.
        where: its folder.

    Raises:
        WrongUse: they differ; the message says in what.
    """
    ours, theirs = dict(_leaves(wanted)), dict(_leaves(found))
    differ = (k for k in {*ours, *theirs} if ours.get(k) != theirs.get(k))
    # Another task has other settings throughout.
    other = sorted(differ, key=lambda k: (k != "task", k))
    if not other:
        return
    key = other[0]
    if key == "data":
        what = (
            "data: --data names others, or pictures or labels were added or changed "
            "since it began"
        )
    else:
        what = (
            f"{', '.join(other[:4])} ({key}: {theirs.get(key)!r} there, "
            f"{ours.get(key)!r} now). The same options resume it, by the version of "
            "icf that began it: others may have another bundled model or recipe"
        )
    raise WrongUse(
        f"{where} holds another run: it has another {what}. To train from the start, "
        "name another folder, or remove this one"
    )


def _leaves(table: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in json.loads(json.dumps(dict(table))).items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            found += _leaves(value, f"{name}.")
        else:
            found.append((name, value))
    return found
