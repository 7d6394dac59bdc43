"""What is written: measured pictures, where they enter, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from icf.app.importing.given import GivenFace, GivenPicture
from icf.catalogue.bulk_insert import insert_all, insert_into, insert_new
from icf.catalogue.schema import image, image_source
from icf.engine.step import NewFace

#: What a row of ``image_source`` is known by.
_OF_SOURCE = ("image_id", "url")


@dataclass(frozen=True)
class MeasuredFace:
    """A face that was measured.

    Attributes:
        new: the measures; its box is in the upright picture.
        given: what the source says of it.
    """

    new: NewFace
    given: GivenFace


@dataclass(frozen=True)
class MeasuredPicture:
    """A given picture that was decoded.

    Attributes:
        given: what its source says.
        columns: of the table ``image``.
        faces: those that lie in the picture, and those that were found.
    """

    given: GivenPicture
    columns: Mapping[str, Any]
    faces: tuple[MeasuredFace, ...]

    @property
    def sha256(self) -> str:
        """Of its bytes."""
        return str(self.columns["sha256"])


@dataclass
class Written:
    """What was written.

    Attributes:
        pictures: new ones of the source, by part.
        copies: those of them with the bytes of another picture.
        faces: new ones.
        labels: faces that are confirmed now.
        verified: pictures of which people verified the boxes, as the source says.
        withdrawn: pictures that `icf takedown` removed, and that stay away.
        licences: pictures that were imported before, with another licence.
        two_names: ids of faces that are named now, and were as another character.
    """

    pictures: Counter[str] = field(default_factory=Counter)
    copies: int = 0
    faces: int = 0
    labels: int = 0
    verified: int = 0
    withdrawn: int = 0
    licences: int = 0
    two_names: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Entries:
    """Where new rows enter the filter's chain.

    Attributes:
        detect: the step that images wait for whose faces are not known.
        image: the step after it.
        face: the first step of faces.
    """

    detect: str
    image: str | None
    face: str | None


def insert_ids(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
) -> list[int]:
    """Insert rows; return their ids in the same order."""
    if not rows:
        return []
    statement = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, list(rows)).scalars())


def insert_images(
    connection: sa.Connection, rows: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """Insert images that nobody else has entered; return their ids, by SHA-256.

    On PostgreSQL a harvest may store the same bytes at the same time. Both write in the
    order of the hashes, so one waits for the other. The ids are in the order of the
    rows all the same, as on SQLite, where a writer is alone.
    """
    if connection.dialect.name != "postgresql":
        ids = insert_ids(connection, image, rows)
        return {row["sha256"]: key for row, key in zip(rows, ids, strict=True)}
    if not rows:
        return {}
    statement = (
        insert_into(connection, image)
        .on_conflict_do_nothing(index_elements=["sha256"])
        .returning(image.c.sha256, image.c.id)
    )
    numbered = _numbered(connection, image, rows)
    made = connection.execute(statement, sorted(numbered, key=itemgetter("sha256")))
    return {row.sha256: row.id for row in made}


def insert_sources(
    connection: sa.Connection, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert sources of pictures that are not there yet.

    The ids are in the order of the rows, and on PostgreSQL they are written in the
    order in which a harvest writes them, as `insert_images` does it.
    """
    if connection.dialect.name == "postgresql" and rows:
        numbered = _numbered(connection, image_source, rows)
        insert_new(connection, image_source, _OF_SOURCE, numbered)
        return
    known = insert_into(connection, image_source).on_conflict_do_nothing(
        index_elements=_OF_SOURCE
    )
    insert_all(connection, known, rows)


def _numbered(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Give rows their ids before they are written, in this order, on PostgreSQL."""
    sequence = sa.func.pg_get_serial_sequence(table.name, table.c.id.name)
    count = sa.func.generate_series(1, len(rows))
    query = sa.select(sa.func.nextval(sequence)).select_from(count)
    keys = connection.execute(query).scalars()
    return [{**row, "id": key} for row, key in zip(rows, keys, strict=True)]
