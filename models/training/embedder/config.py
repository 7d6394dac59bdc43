"""The configuration of an embedder's training."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from icf.models.training.config import Section, TrainingConfig


class NetworkSettings(Section):
    """Which network, and what of it is trained."""

    name: str = Field(
        default="embedder-mobilenetv2", description="of `icf.models.networks`"
    )
    dim: int | None = Field(
        default=None, ge=2, description="numbers in an embedding; not given: its own"
    )
    side: int | None = Field(
        default=None, ge=16, description="of a crop in pixels; not given: its own"
    )
    weights: str = Field(
        default="", description="file of published weights for its body; empty: none"
    )
    frozen: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of the body's layers, from the first, that is not trained",
    )
    frozen_norms: bool = Field(
        default=False, description="batch norms keep their statistics"
    )
    body: tuple[str, ...] = Field(
        default=("body", "early", "late"),
        description="modules that frozen and body_rate are about",
    )
    body_rate: float = Field(
        default=1.0, ge=0, description="times loop.rate, for the body"
    )


class CropSettings(Section):
    """How faces are cut, and which are drawn into a batch."""

    rate: float | None = Field(
        default=None,
        ge=0,
        le=4,
        description="share of a face's box that is added to its sides; 1 doubles them; "
        "not given: the start model's, else 0.5",
    )
    per_identity: int = Field(
        default=1,
        ge=1,
        description="crops of an identity in a batch; 1: every face once an epoch",
    )
    balance: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="where per_identity is above 1: 1 draws identities equally often, "
        "0 in proportion to their faces",
    )


class AugmentSettings(Section):
    """How crops are changed; each number 0 switches its change off."""

    flip: float = Field(default=0.5, ge=0, le=1, description="chance to be mirrored")
    shift: float = Field(default=0.04, ge=0, description="sd, in sides of the crop")
    scale: float = Field(default=0.08, ge=0, description="sd of the logarithm")
    turn: float = Field(default=6.0, ge=0, description="sd, in degrees")
    colour: float = Field(
        default=0.2, ge=0, description="sd of brightness, contrast and saturation"
    )
    grey: float = Field(default=0.05, ge=0, le=1, description="chance to lose colour")
    palette: float = Field(
        default=0.0, ge=0, le=1, description="chance that all hues are turned"
    )
    blur: float = Field(default=0.15, ge=0, le=1, description="chance of a blur")
    jpeg: float = Field(default=0.3, ge=0, le=1, description="chance of a low quality")
    hide: float = Field(
        default=0.15, ge=0, le=1, description="chance of a covered part"
    )


class LossSettings(Section):
    """The loss that tells identities apart."""

    name: str = Field(default="arcface", description="of `icf.models.training.losses`")
    options: dict[str, Any] = Field(
        default_factory=dict, description="of the loss: its scale, margins, ..."
    )
    sample: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="PartialFC: the share of the other classes that a batch is "
        "compared with, their centres divided over the ranks; not given: all, on every "
        "rank",
    )
    most_similar: float | None = Field(
        default=None,
        gt=-1,
        le=1,
        description="of PartialFC: negatives of a higher cosine do not count, since "
        "labels may be wrong; not given: all count",
    )
    keep: float = Field(
        default=0.0,
        ge=0,
        description="weight of a second loss that keeps embeddings as the start model "
        "gives them",
    )


class AdaptationSettings(Section):
    """Drawn and photographed faces at once: section 4 of the paper."""

    on: bool = Field(
        default=False, description="half of a batch is drawn, half photographed"
    )
    unknown: Literal["mean", "sum", "authors", "off"] = Field(
        default="mean", description="form of the unknown identity rejection"
    )
    unknown_over: Literal["unlabelled", "all"] = Field(
        default="unlabelled", description="faces that it is taken of"
    )
    domain: Literal["grl", "reciprocal", "confusion", "off"] = Field(
        default="grl", description="form of the domain term"
    )
    alpha: float = Field(default=1.0, ge=0, description="weight of the classifiers")
    beta: float = Field(default=0.1, ge=0, description="weight of the rejection")
    gamma: float = Field(default=10.0, ge=0, description="weight of the domain term")
    unlabelled: float = Field(
        default=0.25, ge=0, lt=1, description="share of a half from the other domain"
    )


class HeldOutSettings(Section):
    """The identities that are not trained on, for the card's figures."""

    share: float = Field(
        default=0.1, ge=0, lt=0.9, description="of all identities; 0: none"
    )
    seed: int = Field(
        default=0, ge=0, description="which ones; the same identities in every round"
    )
    most: int = Field(
        default=4000, ge=100, description="crops that are measured on at most"
    )


class EmbedderConfig(TrainingConfig):
    """The configuration of one embedder's training."""

    network: NetworkSettings = NetworkSettings()
    crops: CropSettings = CropSettings()
    augment: AugmentSettings = AugmentSettings()
    loss: LossSettings = LossSettings()
    adaptation: AdaptationSettings = AdaptationSettings()
    held_out: HeldOutSettings = HeldOutSettings()
