"""What people said of faces for the report: gender, direction of view, occlusion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.labels.attributes import Attributes, read_attributes
from icf.codes import Gender, Occlusion
from icf.dataset.report.counts import Bar, bars

#: Names of directions of view, up to how many degrees of yaw either way each is.
_VIEWS = (
    ("front", 22.5, "turned by less than 22.5° to either side"),
    ("three-quarter", 67.5, "turned by 22.5° to 67.5°"),
    ("profile", 112.5, "turned by 67.5° to 112.5°"),
    ("from behind", 180.0, "turned by more than 112.5°"),
)


@dataclass(frozen=True)
class ShownAttributes:
    """The faces that at least two people described.

    Attributes:
        faces: how many there are.
        gender, view, occlusion: faces by what people agree on.
        yaw: mean difference of people's yaw from their mean, in degrees; None where
            nobody could tell a pose.
    """

    faces: int
    gender: Sequence[Bar]
    view: Sequence[Bar]
    occlusion: Sequence[Bar]
    yaw: float | None


def read_shown_attributes(connection: sa.Connection) -> ShownAttributes | None:
    """Read them; None where no two people described the same face."""
    found = [each for _, each in read_attributes(connection, people=2)]
    if not found:
        return None
    yaws = [each.yaw.disagreement for each in found if each.yaw.people > 1]
    views = Counter(_views(found))
    return ShownAttributes(
        faces=len(found),
        gender=bars(_counted(each.gender.value for each in found), Gender),
        view=[Bar(name, meaning, views[name]) for name, _, meaning in _VIEWS],
        occlusion=bars(_counted(each.occlusion.value for each in found), Occlusion),
        yaw=sum(yaws) / len(yaws) if yaws else None,
    )


def _counted(codes: Iterable[Gender | Occlusion | None]) -> Counter[str]:
    return Counter(each.value for each in codes if each is not None)


def _views(found: Iterable[Attributes]) -> Iterable[str]:
    for each in found:
        if each.yaw.value is not None:
            yaw = abs(each.yaw.value)
            yield next(name for name, most, _ in _VIEWS if yaw <= most)
