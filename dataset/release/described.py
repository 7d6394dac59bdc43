"""``attributes.csv``: what is known of a release's faces beside who they are.

Gender, pose and occlusion are what people said of the face
(`icf.catalogue.labels.attributes`); where nobody said a gender, it is what the source
says of the character. Region and style are those of the album. A face of which nothing
is known has no row, and a release without any has no such file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from icf.catalogue.labels.attributes import Agreed, Attributes, read_attributes
from icf.catalogue.schema import album, character
from icf.dataset.contents import DISTRACTOR, PROBE, TRAIN
from icf.dataset.plan import Placed, Plan
from icf.spreadsheet import harmless, write_csv

COLUMNS = (
    *("part", "name", "region", "gender", "gender_by", "yaw", "pitch", "roll"),
    *("occlusion", "people", "style"),
)


@dataclass(frozen=True, slots=True)
class Described:
    """A row of the file; "" where something is not known.

    Attributes:
        part, name: as in ``contents.csv``.
        region: where the album was made (`icf.codes.Region`).
        gender: of the character as drawn (`icf.codes.Gender`).
        gender_by: ``people``, or ``source``.
        yaw, pitch, roll: degrees.
        occlusion: `icf.codes.Occlusion`.
        people: how many described the face.
        style: how the album is drawn; releases of earlier versions have no such column.
    """

    part: str
    name: str
    region: str = ""
    gender: str = ""
    gender_by: str = ""
    yaw: str = ""
    pitch: str = ""
    roll: str = ""
    occlusion: str = ""
    people: int = 0
    style: str = ""

    def cells(self) -> tuple[object, ...]:
        """Return its values in the order of `COLUMNS`."""
        return tuple(getattr(self, name) for name in COLUMNS)


def read_described(connection: sa.Connection, plan: Plan) -> tuple[Described, ...]:
    """Read what is known of the faces of a plan, in the order of its parts."""
    faces = plan.selection.faces
    said = dict(read_attributes(connection))
    regions = _known(connection, album.c.id, album.c.region)
    styles = _known(connection, album.c.id, album.c.style)
    genders = _known(connection, character.c.id, character.c.gender)
    rows = (
        _row(
            part,
            each,
            regions.get(int(faces.album[each.face]), ""),
            genders.get(int(faces.identity[each.face]), ""),
            said.get(int(faces.face[each.face])),
            harmless(styles.get(int(faces.album[each.face]), "")),
        )
        for part, each in _placed(plan)
    )
    return tuple(row for row in rows if row != Described(row.part, row.name))


def with_described(inputs: str, described: Sequence[Described]) -> str:
    """The hash of a release's inputs, what is known of its faces among them.

    Where nothing is known it is the same as before there was such a file.
    """
    if not described:
        return inputs
    digest = hashlib.sha256(inputs.encode())
    for each in described:
        *cells, style = each.cells()
        # Where no style is known it is the same as before there were styles.
        digest.update(repr((*cells, style) if style else tuple(cells)).encode())
    return digest.hexdigest()


def write_described(path: Path, described: Sequence[Described]) -> None:
    """Write the file."""
    write_csv(path, COLUMNS, (each.cells() for each in described))


def _placed(plan: Plan) -> Iterator[tuple[str, Placed]]:
    for each in plan.train:
        yield TRAIN, each
    for each in plan.test:
        yield PROBE if each.label >= 0 else DISTRACTOR, each


def _known(
    connection: sa.Connection, key: sa.Column[int], column: sa.Column[str]
) -> Mapping[int, str]:
    query = sa.select(key, column).where(column.is_not(None))
    return {number: value for number, value in connection.execute(query)}


def _row(
    part: str,
    placed: Placed,
    region: str,
    gender: str,
    said: Attributes | None,
    style: str,
) -> Described:
    name, by = harmless(placed.path), "source" if gender else ""
    if said is None:
        return Described(part, name, region, gender, by, style=style)
    if said.gender.value is not None:
        gender, by = said.gender.value.value, "people"
    yaw, pitch, roll = _angle(said.yaw), _angle(said.pitch), _angle(said.roll)
    hidden = said.occlusion.value.value if said.occlusion.value is not None else ""
    return Described(
        part, name, region, gender, by, yaw, pitch, roll, hidden, said.people, style
    )


def _angle(agreed: Agreed[float]) -> str:
    return "" if agreed.value is None else repr(agreed.value)
