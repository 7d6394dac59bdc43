"""A training run on disk: everything that an exact resume needs, in one file.

The batch of a step depends on the seed and the step's number alone, so weights, their
average, the optimiser's moments and the number of steps are all that is stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from icf.errors import WrongUse
from icf.stores.files import replace_file


@dataclass(frozen=True)
class Checkpoint:
    """A run after some steps.

    Attributes:
        step: steps taken.
        recipe: the settings of the run.
        network: the weights.
        average: the moving average of the weights of the result.
        moments: the optimiser's state of each parameter, by the parameter's number.
    """

    step: int
    recipe: Mapping[str, Any]
    network: Mapping[str, Tensor]
    average: Mapping[str, Tensor]
    moments: Mapping[int, Mapping[str, Tensor]]

    def save(self, path: Path) -> None:
        """Replace the file in one step."""
        tensors = {f"network.{key}": value for key, value in self.network.items()}
        tensors |= {f"average.{key}": value for key, value in self.average.items()}
        for number, values in self.moments.items():
            named = {f"moments.{number}.{k}": v for k, v in values.items()}
            tensors |= {key: torch.as_tensor(value) for key, value in named.items()}
        # safetensors takes no views of one storage and no other memory formats.
        tensors = {key: value.clone().contiguous() for key, value in tensors.items()}
        about = {"step": str(self.step), "recipe": json.dumps(dict(self.recipe))}
        replace_file(path, [safetensors.torch.save(tensors, about)])

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read the file."""
        with safetensors.safe_open(path, "pt") as file:
            about = file.metadata()
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "average": {}}
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            part, _, rest = key.partition(".")
            if part == "moments":
                number, _, name = rest.partition(".")
                moments.setdefault(int(number), {})[name] = value
            else:
                parts[part][rest] = value
        return cls(
            int(about["step"]),
            json.loads(about["recipe"]),
            parts["network"],
            parts["average"],
            moments,
        )


def resumable(path: Path, recipe: Mapping[str, Any]) -> Checkpoint | None:
    """Return the run to resume, if there is one.

    Raises:
        WrongUse: the run there has another recipe.
    """
    if not path.exists():
        return None
    found = Checkpoint.load(path)
    wanted = json.loads(json.dumps(dict(recipe)))
    other = sorted(
        k for k in {*wanted, *found.recipe} if wanted.get(k) != found.recipe.get(k)
    )
    if other:
        raise WrongUse(
            f"{path} holds a run with another {', '.join(other)}; give the same "
            "settings to resume it, or another --work folder"
        )
    return found
