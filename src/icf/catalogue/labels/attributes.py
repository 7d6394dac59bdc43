"""What people said of confirmed faces beside who they are: gender, pose, occlusion.

The attributes are those of iCartoonFace (Zheng et al. 2020, section 3): gender, the
three angles of the head, and how much of the face is hidden. Several people describe a
face; here their descriptions become one, with how far they differ.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import sqlalchemy as sa

from icf.catalogue.annotation.pauses import counts
from icf.catalogue.annotation.schema import attribute_answer
from icf.catalogue.labels.confirmed import PAGE, is_there
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face
from icf.codes import Gender, Occlusion

T = TypeVar("T")

#: Below this length the mean of unit vectors has no direction: the angles cancel.
_SHORTEST = 1e-6
#: Mean difference of two opposite angles from whatever third one.
_OPPOSITE = 90.0


@dataclass(frozen=True)
class Description:
    """What one person said of a face; all None: the person cannot tell.

    Attributes:
        gender: of the character as drawn; None: cannot be seen.
        yaw: degrees, -180 to 180: how far the head is turned to its own left.
        pitch: degrees, -90 to 90: how far it looks up.
        roll: degrees, -180 to 180: how far it is tilted to its own left shoulder.
        occlusion: how much of the face is hidden.
    """

    gender: Gender | None = None
    yaw: float | None = None
    pitch: float | None = None
    roll: float | None = None
    occlusion: Occlusion | None = None

    @property
    def cannot_tell(self) -> bool:
        """Whether it says nothing."""
        return self == Description()


@dataclass(frozen=True)
class Agreed(Generic[T]):
    """One attribute, as several people have it.

    Attributes:
        value: what they agree on; None: nobody said it, or they contradict each other.
        people: how many said something of it.
        disagreement: of codes the share of people who said something else; of angles
            the mean difference from the value, in degrees. 0 where nobody said it.
    """

    value: T | None
    people: int
    disagreement: float


@dataclass(frozen=True)
class Attributes:
    """The attributes of a face, as people agree on them.

    Attributes:
        people: how many described it, those who cannot tell included.
        cannot_tell: how many of them cannot tell.
    """

    people: int
    cannot_tell: int
    gender: Agreed[Gender]
    yaw: Agreed[float]
    pitch: Agreed[float]
    roll: Agreed[float]
    occlusion: Agreed[Occlusion]


def merge(descriptions: Sequence[Description]) -> Attributes:
    """Merge what several people said of one face.

    The order does not matter. Codes go by majority, and a tie has no value. Angles are
    averaged on the circle (Mardia and Jupp, Directional Statistics, 2000, section 2.2),
    so that 179 and -179 degrees are 180 degrees; angles that cancel have no value.

    >>> found = merge([Description(Gender.MALE, 10, 0, 0), Description(yaw=20.0)])
    >>> str(found.gender.value), round(found.yaw.value or 0), found.yaw.disagreement
    ('male', 15, 5.0)
    """

    def said(values: Sequence[T | None]) -> list[T]:
        return [each for each in values if each is not None]

    return Attributes(
        people=len(descriptions),
        cannot_tell=sum(each.cannot_tell for each in descriptions),
        gender=_most(said([each.gender for each in descriptions])),
        yaw=_mean(said([each.yaw for each in descriptions])),
        pitch=_mean(said([each.pitch for each in descriptions])),
        roll=_mean(said([each.roll for each in descriptions])),
        occlusion=_most(said([each.occlusion for each in descriptions])),
    )


def read_attributes(
    connection: sa.Connection, people: int = 1
) -> Iterator[tuple[int, Attributes]]:
    """Yield the faces that people described, by ascending id, a page at a time.

    Faces that were taken down, or that are none, are left out.

    Args:
        connection: to the catalogue.
        people: only faces that at least so many people described.
    """
    column = attribute_answer.c.face_id
    last = -1
    while True:
        described = (
            sa.select(column)
            .join(face, face.c.id == column)
            .where(column > last, counts(attribute_answer), is_there())
            .group_by(column)
            .order_by(column)
            .limit(PAGE)
        )
        ids = list(connection.execute(described).scalars())
        yield from _merged(connection, ids, people)
        if len(ids) < PAGE:
            return
        last = ids[-1]


@dataclass(frozen=True)
class DescribedCounts:
    """How far people are with describing faces.

    Attributes:
        answers: descriptions that count.
        faces: that somebody described.
        by_two: those of them that at least two people described.
    """

    answers: int
    faces: int
    by_two: int


def count_described(connection: sa.Connection) -> DescribedCounts:
    """Count what people described."""
    each = (
        sa.select(sa.func.count().label("people"))
        .where(counts(attribute_answer))
        .group_by(attribute_answer.c.face_id)
        .subquery()
    )
    query = sa.select(
        sa.func.coalesce(sa.func.sum(each.c.people), 0),
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(sa.case((each.c.people > 1, 1), else_=0)), 0),
    )
    return DescribedCounts(*map(int, connection.execute(query).one()))


def _merged(
    connection: sa.Connection, ids: Sequence[int], people: int
) -> Iterator[tuple[int, Attributes]]:
    said: dict[int, list[Description]] = {key: [] for key in ids}
    query = (
        sa.select(attribute_answer)
        .where(counts(attribute_answer))
        .order_by(attribute_answer.c.id)
    )
    for row in by_ids(connection, query, attribute_answer.c.face_id, ids):
        said[row.face_id].append(
            Description(
                Gender[row.gender.upper()] if row.gender else None,
                row.yaw,
                row.pitch,
                row.roll,
                Occlusion[row.occlusion.upper()] if row.occlusion else None,
            )
        )
    for key, each in said.items():
        if len(each) >= people:
            yield key, merge(each)


def _most(values: Sequence[T]) -> Agreed[T]:
    """What most said; of a tie nothing."""
    if not values:
        return Agreed(None, 0, 0.0)
    counts = Counter(values)
    highest = max(counts.values())
    first = [value for value, count in counts.items() if count == highest]
    value = first[0] if len(first) == 1 else None
    return Agreed(value, len(values), 1 - highest / len(values))


def _mean(angles: Sequence[float]) -> Agreed[float]:
    """The mean on the circle, in degrees from -180 (not reached) to 180."""
    if not angles:
        return Agreed(None, 0, 0.0)
    x = math.fsum(math.cos(math.radians(each)) for each in angles) / len(angles)
    y = math.fsum(math.sin(math.radians(each)) for each in angles) / len(angles)
    if math.hypot(x, y) < _SHORTEST:
        return Agreed(None, len(angles), _OPPOSITE)
    mean = round(math.degrees(math.atan2(y, x)), 6)
    # What is turned to the back has one name.
    mean = 180.0 if mean == -180 else mean + 0.0
    differences = math.fsum(abs(turn(mean, each)) for each in angles)
    return Agreed(mean, len(angles), round(differences / len(angles), 6))


def turn(start: float, end: float) -> float:
    """Degrees of the shorter way from one angle to another, from -180 to 180.

    >>> turn(170, -170), turn(10, 5)
    (20, -5)
    """
    return (end - start + 180) % 360 - 180
