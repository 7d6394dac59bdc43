"""Albums and characters, with the numbers of their faces."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.face_character import current_character
from icf.catalogue.schema import album, character, face
from icf.codes import Verdict


@dataclass(frozen=True)
class Entry:
    """An album or a character.

    Attributes:
        id: its number.
        name: of it.
        characters: number of characters; 1 of a character.
        kept: faces that passed the filter.
        faces: all faces.
        reference: the face that shows it; None: it has none.
        merged_into: the number of the character that it is; None: none.
    """

    id: int
    name: str
    characters: int
    kept: int
    faces: int
    reference: int | None = None
    merged_into: int | None = None


@dataclass(frozen=True)
class Index:
    """All albums with their characters, each by name.

    Attributes:
        albums: all of them.
        characters: those of each album, by the album's id.
    """

    albums: tuple[Entry, ...]
    characters: dict[int, tuple[Entry, ...]]

    def album(self, key: int) -> Entry | None:
        """The album with a number."""
        return next((each for each in self.albums if each.id == key), None)

    def character(self, key: int) -> tuple[Entry, Entry] | None:
        """The character with a number, and its album."""
        for above in self.albums:
            for each in self.characters[above.id]:
                if each.id == key:
                    return each, above
        return None


def read_index(connection: sa.Connection) -> Index:
    """Read all albums and characters; a second for a million faces."""
    counts = _counts(connection)
    cast: dict[int, list[Entry]] = defaultdict(list)
    query = sa.select(
        character.c.id,
        character.c.album_id,
        character.c.name,
        character.c.reference_face_id,
        character.c.merged_into,
    ).order_by(character.c.name, character.c.id)
    for row in connection.execute(query):
        kept, every = counts.get(row.id, (0, 0))
        about = row.reference_face_id, row.merged_into
        cast[row.album_id].append(Entry(row.id, row.name, 1, kept, every, *about))
    named: sa.Select[Any] = sa.select(album.c.id, album.c.name)
    albums = connection.execute(named.order_by(album.c.name, album.c.id)).all()
    return Index(
        tuple(_album(row, cast[row.id]) for row in albums),
        {row.id: tuple(cast[row.id]) for row in albums},
    )


def _counts(connection: sa.Connection) -> dict[int, tuple[int, int]]:
    """The kept and all faces of each character."""
    owner = current_character()
    is_kept = sa.case((face.c.verdict == Verdict.KEPT.value, 1), else_=0)
    query = sa.select(owner, sa.func.sum(is_kept), sa.func.count()).group_by(owner)
    return {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(query)}


def _album(row: sa.Row[Any], cast: list[Entry]) -> Entry:
    shown = next((each.reference for each in cast if each.reference is not None), None)
    kept, every = sum(each.kept for each in cast), sum(each.faces for each in cast)
    return Entry(row.id, row.name, len(cast), kept, every, shown)
