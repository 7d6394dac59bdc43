"""The configuration of the bundled embedder's training."""

from __future__ import annotations

from pydantic import Field

from icf.models.training.config import Section
from icf.models.training.embedder.config import EmbedderConfig


class DrawnSettings(Section):
    """Whose crops a batch has, and how they are changed."""

    real: float = Field(
        default=0.0,
        ge=0,
        description="weight of each figure in drawings by people, where that of a "
        "generated character is 1; 0: they are left out",
    )
    modelled: float = Field(
        default=4.0, ge=0, description="likewise, of people modelled in 3D"
    )
    styles: int = Field(
        default=0,
        ge=0,
        description="a batch's identities are of so many styles, so that they look "
        "alike; 0: of any",
    )
    centres: float = Field(
        default=1.0,
        ge=0,
        description="weight of the loss `loss.name`, with a centre of each identity",
    )
    contrast: float = Field(
        default=0.0,
        ge=0,
        description="weight of a loss without centres, that compares the crops of a "
        "batch, of a rank's part of it with several",
    )
    contrast_scale: float = Field(
        default=16.0, gt=0, description="what that loss multiplies cosines by"
    )
    flipped: bool = Field(
        default=False,
        description="the exported network embeds a crop together with its mirror image",
    )
    redrawn: float = Field(
        default=0.6, ge=0, le=1, description="share of crops redrawn by filters"
    )
    repainted: float = Field(
        default=0.0, ge=0, le=1, description="share of crops repainted by a network"
    )


class DrawnEmbedderConfig(EmbedderConfig):
    """The configuration of one training on drawn crops."""

    drawn: DrawnSettings = DrawnSettings()
