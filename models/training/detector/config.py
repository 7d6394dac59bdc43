"""The configuration of a detector's training, beside that of the loop."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from icf.models.training.config import LoopSettings, Section, TrainingConfig

#: Which batch norms learn.
Norms = Literal["frozen", "heads", "trained"]


class NetworkSettings(Section):
    """Which network, and what of it is trained."""

    name: str = Field(
        default="",
        description="of icf.models.networks; empty: that of --from, else the small one",
    )
    weights: str = Field(
        default="",
        description="file of published weights to start from, as torchvision has them "
        "(.pth or .safetensors), where no --from is given",
    )
    frozen: int | None = Field(
        default=None,
        ge=0,
        description="stages of the backbone that stay as they are; not given: the "
        "network's own number, or 0 where it starts from random weights",
    )
    norms: Norms | None = Field(
        default=None,
        description="batch norms that learn: none, those outside the backbone, or all; "
        "not given: none with --from, those outside with weights, else all",
    )
    backbone_rate: float = Field(
        default=0.2, ge=0, description="learning rate of the backbone, times the rate"
    )
    keep: float = Field(
        default=0.0,
        ge=0,
        description="penalty for what the weights of the backbone leave their first "
        "values by (L2-SP); 0: none",
    )


class PictureSettings(Section):
    """How training pictures are cut, and what counts in them."""

    sides: tuple[int, ...] = Field(
        default=(192, 256, 320),
        description="sides of training pictures in pixels, multiples of 64; a batch "
        "has one side, and of smaller ones more pictures",
    )
    chances: tuple[float, ...] = Field(
        default=(), description="of each side; empty: equal"
    )
    incomplete: Literal["near", "leave_out", "background"] = Field(
        default="near",
        description="pictures whose faces are perhaps not all labelled: their "
        "background counts only near labelled faces, or they are left out, or they "
        "count as if complete",
    )
    min_face: float = Field(
        default=9.0, ge=0, description="shown smaller, in pixels, a face is ignored"
    )
    min_visible: float = Field(
        default=0.6, ge=0, le=1, description="cut to less of its area, it is ignored"
    )
    longest: int = Field(
        default=1024,
        ge=64,
        description="pictures are reduced once to this longer side, in pixels",
    )

    @model_validator(mode="after")
    def _fits(self) -> PictureSettings:
        if not self.sides or any(side < 64 or side % 64 for side in self.sides):
            raise ValueError("sides are multiples of 64")
        if self.chances and len(self.chances) != len(self.sides):
            raise ValueError("chances has one number for each of sides")
        if self.chances and not sum(self.chances) > 0:
            raise ValueError("chances are not all 0")
        return self


class AugmentSettings(Section):
    """Changes to training pictures; each value is a chance unless it says more."""

    zoom: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description="a face is chosen and shown at a random size; else all is shown",
    )
    face: tuple[float, float] = Field(
        default=(14.0, 0.8),
        description="its least side in pixels, and its most as part of the picture's",
    )
    jitter: float = Field(
        default=0.3, ge=0, lt=1, description="least part by which all is shown smaller"
    )
    stretch: float = Field(
        default=0.1, ge=0, lt=1, description="most change of width against height"
    )
    flip: float = Field(default=0.5, ge=0, le=1, description="left and right")
    colour: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description="other brightness, contrast, hue, saturation",
    )
    grey: float = Field(default=0.1, ge=0, le=1, description="as a page of manga")
    blur: float = Field(default=0.1, ge=0, le=1, description="out of focus")
    jpeg: float = Field(default=0.25, ge=0, le=1, description="compressed again")
    mosaic: float = Field(
        default=0.0, ge=0, le=1, description="four pictures in the place of one"
    )


class LossSettings(Section):
    """The loss."""

    boxes: Literal["", "l1", "smooth_l1", "giou"] = Field(
        default="", description="loss of the boxes; empty: the network's own"
    )
    weight: float = Field(default=1.0, gt=0, description="of the loss of the boxes")
    per_picture: bool = Field(
        default=False,
        description="each picture's loss is divided by its own faces' anchors, as by "
        "torchvision, instead of the batch's",
    )


class HeldOutSettings(Section):
    """Which pictures are held out, and how the detector is measured on them."""

    share: float = Field(
        default=0.1, gt=0, lt=1, description="of the groups of each source"
    )
    most: int = Field(default=400, ge=1, description="pictures of each source, at most")
    side: int = Field(
        default=640,
        ge=64,
        multiple_of=64,
        description="longer side of a picture as the detector sees it, when it is "
        "measured and ever after",
    )
    overview: int = Field(
        default=256, ge=0, description="of a second view, for large faces; 0: none"
    )
    resamples: int = Field(
        default=400, ge=0, description="of pictures, for the interval; 0: none"
    )


class SceneSettings(Section):
    """What the bundled recipe's scenes show besides portraits, crowds and pages."""

    drawings: float = Field(
        default=0.0, ge=0, le=1, description="share of cuts of drawings by people"
    )
    faceless: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of figures whose face is painted over, with hands, clothes, "
        "jewels and weapons",
    )
    objects: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="chance that such things lie around in other scenes",
    )
    teacher: float = Field(
        default=0.0,
        ge=0,
        description="weight of CenterFace's scores of them as a soft target, for the "
        "network that grew out of it; 0: none",
    )
    turns: int = Field(
        default=1,
        ge=1,
        description="trainings one after the other, each shown what the last took for "
        "faces in pictures that have none",
    )
    searched: int = Field(
        default=1200, ge=1, description="such pictures, composed after each turn"
    )
    mined: str = Field(
        default="", description="folder of what was found so; written by the turns"
    )
    shift: float | None = Field(
        default=None,
        description="added to the logits of the exported network's classes: a mean of "
        "weights is less sure than they are",
    )


class MixSettings(Section):
    """How ``--mix auto`` decides on shares, and what it decided."""

    human: tuple[float, ...] = Field(
        default=(0.0, 0.1, 0.25, 0.5),
        description="shares of the data with photographed faces that are tried",
    )
    steps: int = Field(default=300, ge=1, description="of each trial")
    bound: float = Field(
        default=0.02,
        ge=0,
        description="most AP50 that another domain may lose against its best trial",
    )
    decided: str = Field(default="", description="written by --mix auto, for the card")
    tried: dict[str, dict[str, float]] = Field(
        default_factory=dict, description="written by --mix auto, for the card"
    )


class DetectorLoop(LoopSettings):
    """The loop's settings, with a detector's defaults."""

    batch: int = Field(
        default=8, ge=1, description="pictures of the largest side a step, all ranks"
    )
    weight_decay: float = Field(
        default=1e-4, ge=0, description="of weights; biases and norms have none"
    )
    average: float = Field(
        default=0.996,
        ge=0,
        lt=1,
        description="decay of the moving average of the weights, which is the result; "
        "0: the last weights are",
    )


class DetectorConfig(TrainingConfig):
    """The configuration of a detector's training."""

    loop: LoopSettings = DetectorLoop()
    network: NetworkSettings = NetworkSettings()
    pictures: PictureSettings = PictureSettings()
    augment: AugmentSettings = AugmentSettings()
    loss: LossSettings = LossSettings()
    held_out: HeldOutSettings = HeldOutSettings()
    mix: MixSettings = MixSettings()
    scenes: SceneSettings = SceneSettings()
