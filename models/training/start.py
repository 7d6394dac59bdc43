"""The model that a training starts from: its weights, whole or folded.

A model that was trained here has all its weights next to the ONNX file, in
``NAME.safetensors``: of the network and of every other part, such as class centres. Of
others there is the ONNX file alone, into whose convolutions the exporter folded the
batch norms. Such norms are set to the identity, with the folded biases, so that the
network starts equal and can be trained further.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor, nn

from icf.errors import BadModel, WrongUse
from icf.models.cards import ModelCard, load_card, verified, weights_path
from icf.models.runtime.onnx_weights import read_weights
from icf.models.runtime.torch_network import FOLDED
from icf.models.trained_on import Subjects, trained_on


@dataclass(frozen=True)
class Start:
    """A trained model to start from.

    Attributes:
        path: of its ONNX file.
        card: its card.
        parts: all its weights, keys ``part.weight``; empty where only the ONNX file is
            there.
        about: what the file of weights says beside them: names of identities.
    """

    path: Path
    card: ModelCard
    parts: Mapping[str, Tensor]
    about: Mapping[str, Any]

    def of_part(self, name: str) -> dict[str, Tensor]:
        """Return the weights of one part, by their names within it."""
        own = f"{name}."
        return {
            key.removeprefix(own): value
            for key, value in self.parts.items()
            if key.startswith(own)
        }

    @property
    def known(self) -> Subjects:
        """What it was trained on, and the models before it, as far as it says it."""
        said = trained_on(self.about, self.parts)
        return said.own | said.before

    def load_into(self, network: nn.Module, part: str) -> None:
        """Give a network the weights of the start model's.

        Args:
            network: of the same architecture.
            part: its name among the parts of the task.

        Raises:
            BadModel: the start model is of another architecture.
        """
        state = self.of_part(part) or unfolded(self.path, network)
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            first = str(error).splitlines()[0]
            raise BadModel(
                f"{self.path} has other weights than {self.card.network or 'it'} needs "
                f"({first}); start from another model, or name its network"
            ) from error


def read_start(path: Path, task: str) -> Start:
    """Read a model to start from.

    Args:
        path: its ONNX file or its card.
        task: ``"embed"`` or ``"detect"``.

    Raises:
        BadModel: it is not what its card says, or for another task.
        WrongUse: its card names no network that could be trained.
    """
    path = weights_path(path)
    card = verified(path, task, frozenset())
    if not card.network:
        raise WrongUse(
            f"{load_card(path.with_suffix('.json')).name} cannot be trained further: "
            "its card names no network; a model from outside only runs"
        )
    whole = path.with_suffix(".safetensors")
    if not whole.is_file():
        return Start(path, card, {}, {})
    try:
        with safetensors.safe_open(whole, "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            parts = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (
        OSError,
        ValueError,
        RecursionError,
        safetensors.SafetensorError,
    ) as error:
        raise BadModel(f"cannot read the weights {whole}: {error}") from error
    if about.get("sha256") != card.sha256:
        raise BadModel(
            f"{whole} belongs to another model than {path}: remove it to start from "
            "the ONNX file, or put the right one there"
        )
    return Start(path, card, parts, about)


def unfolded(path: Path, network: nn.Module) -> dict[str, Tensor]:
    """Return weights for a network with all its norms, from an ONNX file.

    A norm that was folded becomes the identity: mean 0, variance 1 - epsilon, weight 1,
    and for a bias what was folded into the convolution before it.

    Args:
        path: the ONNX file of a network of the same architecture.
        network: gives names and shapes; its weights do not matter.

    Raises:
        BadModel: the file has no such weights.
    """
    found = {name: torch.from_numpy(v.copy()) for name, v in read_weights(path).items()}
    state = {key: value.clone() for key, value in network.state_dict().items()}
    folded = folded_norms(network, found)
    missing = []
    for key in state:
        module, _, leaf = key.rpartition(".")
        if leaf == "num_batches_tracked":
            continue
        if key in found:
            state[key] = found[key]
        elif module in folded:
            eps = folded[module].eps
            bias = found[folded[module].bias]
            value = {"running_mean": 0.0, "running_var": 1 - eps, "weight": 1.0}
            state[key] = bias if leaf == "bias" else torch.full_like(bias, value[leaf])
        else:
            missing.append(key)
    if missing:
        raise BadModel(
            f"{path} has no {', '.join(missing[:3])}: it is of another architecture"
        )
    return state


@dataclass(frozen=True)
class FoldedNorm:
    """A batch norm that the exporter folded into the layer before it.

    Attributes:
        layer: the name of that layer.
        eps: the norm's epsilon.
    """

    layer: str
    eps: float

    @property
    def bias(self) -> str:
        """The exporter's name for the bias that the norm became."""
        return self.layer + FOLDED


def folded_norms(network: nn.Module, names: Collection[str]) -> dict[str, FoldedNorm]:
    """Find the norms of a network that the exporter folded, by their names.

    Args:
        network: of the architecture of the ONNX file.
        names: of the file's weights.
    """
    folded = {}
    before = ""
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            if f"{name}.running_mean" not in names and before + FOLDED in names:
                folded[name] = FoldedNorm(before, module.eps)
        elif f"{name}.weight" in names:
            before = name
    return folded
