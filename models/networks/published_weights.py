"""Published weights for the body of an embedder: torchvision's, insightface's, timm's.

A file is a state dict: ``.safetensors``, or ``.pth`` that holds tensors and nothing
else. The classifier that it was trained with is left out.
"""

from __future__ import annotations

import pickle
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from icf.errors import BadModel, WrongUse
from icf.models.networks.body_embedder import BodyEmbedder

#: Weights of classifiers, as torchvision, insightface and timm name them.
_CLASSIFIER = re.compile(r"(fc|classifier|head|head_dist|features)\.")
#: Weights that a plain network does not have, and its excited variant does.
_EXCITED = re.compile(r"\.excite\.")
#: torchvision's published DenseNets have names of before PyTorch 0.4.
_OLD_DENSENET = re.compile(r"(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)")
#: insightface's names of what is our head.
_HEAD = {"fc": "project", "features": "centre"}


@dataclass(frozen=True)
class Loaded:
    """What was taken from a file of weights.

    Attributes:
        taken: number of tensors.
        left_out: names of the file that belong to its classifier.
        untrained: names of the network that the file does not have: those of
            squeeze-and-excitation.
        head: whether the head came from the file as well, as with insightface's.
    """

    taken: int
    left_out: tuple[str, ...]
    untrained: tuple[str, ...]
    head: bool


def load_backbone(network: nn.Module, path: Path) -> Loaded:
    """Load published weights into the body of an embedder.

    Args:
        network: of `icf.models.create`.
        path: ``.pth``, ``.pt`` or ``.safetensors``.

    Raises:
        WrongUse: the network has no body that takes published weights.
        BadModel: the file cannot be read, or has the weights of another network.
    """
    if not isinstance(network, BodyEmbedder):
        raise WrongUse(
            f"{type(network).__name__} takes no published weights; a backbone such as "
            "resnet50 does"
        )
    published = _renamed(read_state(path), network.body)
    wanted = {k: v for k, v in network.body.state_dict().items() if _counts(k)}
    state = {k: v for k, v in published.items() if k in wanted}
    missing = tuple(sorted(wanted.keys() - state.keys()))
    over = sorted(k for k in published.keys() - state.keys() if _counts(k))
    foreign = [k for k in over if not _CLASSIFIER.match(k)]
    lacking = [k for k in missing if not _EXCITED.search(k)]
    shapes = [
        f"{k} {tuple(v.shape)}, not {tuple(wanted[k].shape)}"
        for k, v in state.items()
        if v.shape != wanted[k].shape
    ]
    if problem := _problem(lacking, foreign, shapes):
        raise BadModel(f"{path} has the weights of another network: {problem}")
    network.body.load_state_dict(state, strict=False)
    head = _load_head(network.head, published)
    left_out = () if head else tuple(over)
    return Loaded(len(state), left_out, missing, head)


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a state dict.

    Raises:
        BadModel: it is no file of tensors by name; a pickle with anything else in it is
            refused.
    """
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BadModel(f"there is no file {path}") from error
    except Exception as error:  # torch raises all kinds on a damaged file
        raise BadModel(
            f"{path} cannot be read as weights ({_reason(error)}); give a state "
            "dict, as .pth or .safetensors"
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found:
        raise BadModel(f"{path} holds no weights by name; give a state dict")
    tensors = {str(k): v for k, v in found.items() if isinstance(v, Tensor)}
    if len(tensors) < len(found):
        other = next(k for k, v in found.items() if not isinstance(v, Tensor))
        raise BadModel(f"{path} is no state dict: {other!r} in it is no tensor")
    return tensors


def _renamed(state: dict[str, Tensor], body: nn.Module) -> dict[str, Tensor]:
    """Give weights the names that the body has."""
    # timm keeps with each family of networks what renames published weights.
    rename: Any = getattr(sys.modules[type(body).__module__], "checkpoint_filter_fn", 0)
    if rename:
        return dict(rename(state, body))
    return {_OLD_DENSENET.sub(r"\1\2", name): value for name, value in state.items()}


def _load_head(head: nn.Module, published: Mapping[str, Tensor]) -> bool:
    """Load insightface's last layers, where the network has their shapes."""
    named = {}
    for name, value in published.items():
        layer, _, rest = name.partition(".")
        if layer in _HEAD:
            named[f"{_HEAD[layer]}.{rest}"] = value
    wanted = head.state_dict()
    fits = all(k in named and named[k].shape == v.shape for k, v in wanted.items())
    if fits:
        head.load_state_dict(named)
    return fits


def _counts(name: str) -> bool:
    """Whether weights of this name matter; counters of batches do not."""
    return not name.endswith("num_batches_tracked")


def _problem(lacking: list[str], foreign: list[str], shapes: list[str]) -> str:
    parts = [
        ("it lacks", lacking),
        ("it has", foreign),
        ("it has with other shapes", shapes),
    ]
    return "; ".join(
        f"{what} {', '.join(names[:3])}"
        + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        for what, names in parts
        if names
    )


def _reason(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError):
        # PyTorch's own words are how to open it without that check.
        return "it is damaged, or has code in it, which would run if it were opened"
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
