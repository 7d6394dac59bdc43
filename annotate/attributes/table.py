"""What people agree on about faces, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from icf.annotate.formats.csv_rows import csv_bytes
from icf.catalogue.face_character import current_character
from icf.catalogue.find_character import CharacterName, character_names
from icf.catalogue.labels.attributes import Agreed, Attributes, read_attributes
from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face

#: Attributes, as columns name them.
NAMES = ("gender", "yaw", "pitch", "roll", "occlusion")

COLUMNS = (
    "face",
    "character",
    "album",
    "people",
    "cannot_tell",
    *(f"{name}{more}" for name in NAMES for more in ("", "_disagreement")),
)

#: Faces whose names are read at once.
_PART = 1000

Described = tuple[int, Attributes]


@dataclass(frozen=True)
class Summary:
    """How far people agree.

    Attributes:
        faces: that at least so many people described as were asked for.
        disagreement: of each attribute the mean over the faces that several people
            described: a share of people, or degrees; None where there are none.
    """

    faces: int
    disagreement: Mapping[str, float | None]


def summarise(described: Sequence[Described]) -> Summary:
    """Average the disagreement over faces."""

    def mean(name: str) -> float | None:
        each = (_of(found, name) for _, found in described)
        values = [one.disagreement for one in each if one.people > 1]
        return round(sum(values) / len(values), 4) if values else None

    return Summary(len(described), {name: mean(name) for name in NAMES})


def as_csv(connection: sa.Connection, described: Sequence[Described]) -> bytes:
    """Make a CSV file, a face a line."""
    return csv_bytes(COLUMNS, _rows(connection, described))


def read_described(connection: sa.Connection, people: int) -> list[Described]:
    """Read the faces that at least so many people described."""
    return list(read_attributes(connection, people))


def _rows(
    connection: sa.Connection, described: Sequence[Described]
) -> Iterator[list[str]]:
    rest = iter(described)
    while part := list(islice(rest, _PART)):
        names = _names(connection, [face_id for face_id, _ in part])
        for face_id, found in part:
            attributes = [_of(found, name) for name in NAMES]
            cells = [(each.value, each.disagreement) for each in attributes]
            yield [
                str(face_id),
                *names.get(face_id, ("", "")),
                str(found.people),
                str(found.cannot_tell),
                *(_cell(value) for pair in cells for value in pair),
            ]


def _of(found: Attributes, name: str) -> Agreed[object]:
    agreed: Agreed[object] = getattr(found, name)
    return agreed


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _names(connection: sa.Connection, faces: Sequence[int]) -> dict[int, CharacterName]:
    """What each face's character is called."""
    query = sa.select(face.c.id, survivor().label("owner")).join(
        character, character.c.id == current_character()
    )
    rows = by_ids(connection, query, face.c.id, faces)
    owners = {row.id: row.owner for row in rows}
    names = character_names(connection, owners.values())
    return {key: names[owner] for key, owner in owners.items()}
