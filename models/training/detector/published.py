"""Read weights as they are published: PyTorch's files, without unpickling code."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from icf.errors import BadModel, WrongUse


def read_published(path: Path) -> Mapping[str, Tensor]:
    """Read a file of weights by name.

    Args:
        path: a ``.safetensors`` file, or one of `torch.save`, of tensors alone.

    Raises:
        WrongUse: there is no such file.
        BadModel: it holds something else.
    """
    if not path.is_file():
        raise WrongUse(f"network.weights: there is no file {path}")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (
        OSError,
        RuntimeError,
        ValueError,
        EOFError,
        pickle.UnpicklingError,
        safetensors.SafetensorError,
    ) as error:
        raise BadModel(
            f"cannot read weights from {path}: {str(error).splitlines()[0]}"
        ) from error
    # torchvision's training script stores them below "model".
    state = found.get("model", found) if isinstance(found, Mapping) else found
    if not isinstance(state, Mapping) or not all(
        isinstance(value, Tensor) for value in state.values()
    ):
        raise BadModel(f"{path} is no file of weights by name")
    return state
