"""A backbone of timm as a plain feature extractor: no head, nothing trained here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from icf.errors import BadModel, WrongUse
from icf.models.formats.outside import UNCALIBRATED, Published
from icf.models.networks import TIMM, create
from icf.models.networks.published_weights import load_backbone, read_state
from icf.models.outside.converted import Converted
from icf.models.training.embedder.export import export_onnx

#: Side of a crop, if the user gives none: what most backbones were trained on; and for
#: DINOv2 16 patches, not the 37 of its last epochs, which cost five times as much.
_SIDE = 224
#: DINOv2's architectures by the length of their features (Oquab et al. 2023,
#: arXiv:2304.07193, table 16).
_DINOV2 = {384: "small", 768: "base", 1024: "large", 1536: "giant"}
#: Names of weights that only DINOv2 has, and only its versions with registers.
_TOKEN, _MASK, _REGISTERS = "cls_token", "mask_token", "register_tokens"


def convert(
    path: Path, architecture: str, given: Mapping[str, float], folder: Path
) -> Converted:
    """Write a backbone's features as ONNX.

    Args:
        path: a state dict, ``.safetensors`` or ``.pth``.
        architecture: timm's name of it; "": DINOv2, by its weights.
        given: numbers for the card; of these ``side`` is what a crop is resized to.
        folder: for the ONNX file.

    Raises:
        WrongUse: timm is not installed, or the side does not fit.
        BadModel: the file has no such weights.
    """
    architecture = architecture or architecture_of(path)
    side = int(given.get("side", _SIDE))
    network = create(f"{TIMM}{architecture}", side=side)
    load_backbone(network, path)
    # Only what was published remains: the head is untrained.
    network.head = nn.Identity()
    features = Features(network).eval()
    weights = folder / f"{path.stem}.onnx"
    dim = export_onnx(features, weights, side)
    return Converted(
        weights,
        "icf-embedder-onnx",
        "",
        f"timm's {architecture}, its {dim} features",
        Published(
            "embed",
            {"crop_rate": 1.0, **UNCALIBRATED, "side": float(side)},
            f"n x 3 x {side} x {side}, RGB, 0 to 255",
            ("It was not trained to tell faces apart.",),
        ),
    )


class Features(nn.Module):
    """A backbone whose features are n x dim, whatever maps it ends with.

    Args:
        network: takes n x 3 x side x side, RGB in 0..255.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features of a batch."""
        found: Tensor = self.network(pictures)
        return found if found.ndim == len(("n", "dim")) else found.mean((2, 3))


def architecture_of(path: Path) -> str:
    """Return which of DINOv2's architectures has these weights.

    Raises:
        BadModel: they are not DINOv2's.
        WrongUse: they are of a size that was not published.
    """
    state: Mapping[str, torch.Tensor] = read_state(path)
    token = state.get(_TOKEN)
    if token is None or _MASK not in state:
        raise BadModel(
            f"{path.name} has no {_TOKEN} and {_MASK}, so it is not DINOv2's; for "
            "another backbone give its name: --as timm:NAME"
        )
    size = _DINOV2.get(token.shape[-1])
    if size is None:
        raise WrongUse(
            f"{path.name} has features of {token.shape[-1]} numbers; DINOv2's have "
            f"{', '.join(map(str, _DINOV2))}. Give its name: --as timm:NAME"
        )
    registers = "_reg4" if _REGISTERS in state else ""
    return f"vit_{size}_patch14{registers}_dinov2"
