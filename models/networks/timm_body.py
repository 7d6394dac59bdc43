"""Embedders with a body of timm: ``create("timm:vit_small_patch14_dinov2")``.

timm is the extra ``timm``. Nothing is fetched: the body starts untrained, or from a
file that the user has (`icf.models.networks.published_weights`).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from icf.errors import BadModel, WrongUse
from icf.models.networks.body_embedder import DIM, SIDE, BodyEmbedder, pooled_head


def timm_embedder(
    architecture: str, dim: int = DIM, side: int = SIDE, **options: Any
) -> BodyEmbedder:
    """Make an embedder of an architecture of timm.

    Args:
        architecture: timm's name of it.
        dim: numbers in an embedding.
        side: of a crop, in pixels: transformers take crops of this side only, and it
            must be a multiple of their patch.
        options: passed on to timm's ``create_model``.

    Raises:
        WrongUse: timm is not installed, or the side does not fit.
        BadModel: timm has no such architecture.
    """
    timm = _timm()
    if unknown := unknown_architecture(architecture):
        raise BadModel(unknown)
    body = timm.create_model(architecture, pretrained=False, num_classes=0, **options)
    _fit_side(body, architecture, side)
    mean, std = (
        tuple(255 * value for value in body.pretrained_cfg[key])
        for key in ("mean", "std")
    )
    width = getattr(body, "head_hidden_size", body.num_features)
    return BodyEmbedder(body, pooled_head(width, dim), dim, mean, std)


def unknown_architecture(name: str) -> str | None:
    """Say that timm has no architecture of this name; None if it has it.

    Raises:
        WrongUse: timm is not installed.
    """
    timm = _timm()
    if timm.is_model(name):
        return None
    near = timm.list_models(f"*{name.split('.')[0][:8]}*")[:4]
    text = f"timm {timm.__version__} has no architecture {name!r}"
    return text + (f"; it has {', '.join(near)}" if near else "")


def _timm() -> Any:
    try:
        return import_module("timm")
    except ImportError as error:
        raise WrongUse(
            "backbones of timm need the package timm: pip install 'icf-toolkit[timm]'"
        ) from error


def _fit_side(body: Any, architecture: str, side: int) -> None:
    """Tell a transformer the side of its crops; convolutions take any."""
    if not hasattr(body, "set_input_size"):
        return
    patch = getattr(getattr(body, "patch_embed", None), "patch_size", (1, 1))
    if side % patch[0]:
        raise WrongUse(
            f"timm:{architecture} takes crops of a multiple of {patch[0]} pixels, not "
            f"{side}"
        )
    body.set_input_size(img_size=(side, side))
