"""Losses for training, made by name: ``create("arcface", dim=512, classes=800)``.

Before the name of any of them, ``focal-`` gives each face a focal factor:
``focal-arcface`` is the F-ArcFace of iCartoonFace.

A new loss is one file with a subclass of `MarginSoftmax` (`base.py`) and a line in
`LOSSES`, or a class in another package with an entry point of the group
``icf.losses``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from icf.models.by_name import Registry

if TYPE_CHECKING:
    from icf.models.training.losses.base import MarginSoftmax

_HERE = "icf.models.training.losses"

#: Every loss that comes with the program.
LOSSES = Registry(
    kind="loss",
    group="icf.losses",
    own={
        "adaface": f"{_HERE}.adaface:AdaFace",
        "arcface": f"{_HERE}.arcface:ArcFace",
        "combined": f"{_HERE}.combined:Combined",
        "cosface": f"{_HERE}.cosface:CosFace",
        "curricularface": f"{_HERE}.curricularface:CurricularFace",
        "magface": f"{_HERE}.magface:MagFace",
        "softmax": f"{_HERE}.softmax:Softmax",
        "sphereface": f"{_HERE}.sphereface:SphereFace",
        "sphereface-line": f"{_HERE}.sphereface_line:SphereFaceLine",
        "subcenter-arcface": f"{_HERE}.subcenter_arcface:SubcenterArcFace",
    },
)

#: Before the name of a loss: with a focal factor.
FOCAL = "focal-"
#: Its gamma, if not said otherwise (Lin et al. 2017, section 5.1).
GAMMA = 2.0


def create(name: str, dim: int, classes: int, **options: Any) -> MarginSoftmax:
    """Make a loss.

    Args:
        name: of `LOSSES`, or one of these after ``focal-``.
        dim: numbers in an embedding.
        classes: number of identities.
        options: passed on to the class.

    Raises:
        BadModel: there is no such loss, or it cannot be imported.
    """
    if name.startswith(FOCAL):
        options.setdefault("focal", GAMMA)
    loss: MarginSoftmax = LOSSES.load(name.removeprefix(FOCAL))(dim, classes, **options)
    return loss


def names() -> list[str]:
    """Return every name that `create` takes, sorted."""
    plain = LOSSES.names()
    return sorted([*plain, *(FOCAL + name for name in plain)])
