"""Characters and what people call them: found by number or name, and named."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from icf.catalogue.rows import by_given_ids, with_ids
from icf.catalogue.schema import album, character
from icf.catalogue.tombstones import is_buried_character
from icf.errors import WrongUse
from icf.names import normal_name

PREFIX = "character:"

#: Keys are 64-bit numbers; databases reject larger ones.
_NUMBER = re.compile(r"character:(\d{1,18})", re.ASCII)
_NEAREST = 3
_SHOWN = 5

_NAMES = with_ids(
    sa.select(character.c.id, character.c.name, album.c.name.label("album")).join(
        album, album.c.id == character.c.album_id
    ),
    character.c.id,
)


class CharacterName(NamedTuple):
    """What a character is called: its own name, and that of its album."""

    name: str
    album: str


def character_names(
    connection: sa.Connection, ids: Iterable[int]
) -> dict[int, CharacterName]:
    """Return what characters are called; those that do not exist are left out.

    Args:
        connection: a transaction that reads.
        ids: of characters; also of merged ones, which keep their names.
    """
    rows = by_given_ids(connection, _NAMES, sorted(set(ids)))
    return {row.id: CharacterName(row.name, row.album) for row in rows}


def find_character(
    connection: sa.Connection, text: str, album_name: str | None = None
) -> int:
    """Return the id of a character.

    Args:
        connection: a transaction that reads.
        text: ``character:N``, ``NAME`` or ``ALBUM/NAME``, the names also after
            ``character:``.
        album_name: the album; only its characters are meant then.

    Raises:
        WrongUse: there is none, or several are meant. The message has the nearest
            names.
    """
    if number := _NUMBER.fullmatch(text):
        query = sa.select(character.c.id).where(character.c.id == int(number[1]))
        if connection.execute(query).first() is None:
            raise WrongUse(f"the catalogue has no {text}")
        return int(number[1])
    name = normal_name(text.removeprefix(PREFIX))
    if album_name is not None:
        album_name = normal_name(album_name)
        check_album(connection, album_name)
    rows = connection.execute(_called(name, album_name)).all()
    if len(rows) == 1:
        return int(rows[0].id)
    if not rows:
        raise WrongUse(_unknown(connection, name, album_name))
    shown = [repr(f"{row.album}/{row.name}") for row in rows[:_SHOWN]]
    more = len(rows) - len(shown)
    raise WrongUse(
        f"{len(rows)} albums have a character {name!r}; name the album too: "
        + ", ".join(shown)
        + (f" and {more} more" if more else "")
    )


def _called(name: str, album_name: str | None) -> sa.Select[tuple[int, str, str]]:
    full = album.c.name.concat("/").concat(character.c.name)
    is_called = character.c.name == name
    if album_name is not None:
        is_called = sa.and_(is_called, album.c.name == album_name)
    elif "/" in name:
        is_called = sa.or_(is_called, full == name)
    return (
        sa.select(character.c.id, album.c.name.label("album"), character.c.name)
        .join(album, album.c.id == character.c.album_id)
        .where(is_called, ~is_buried_character())
        .order_by(album.c.name, character.c.id)
    )


def _unknown(connection: sa.Connection, name: str, album_name: str | None) -> str:
    query = (
        sa.select(album.c.name.label("album"), character.c.name)
        .join(album, album.c.id == character.c.album_id)
        .where(~is_buried_character())
    )
    where = "the catalogue has no character"
    if album_name is not None:
        query = query.where(album.c.name == album_name)
        where = f"the album {album_name!r} has no character"
    rows = connection.execute(query).all()
    known = [row.name for row in rows]
    if "/" in name and album_name is None:
        known = [f"{row.album}/{row.name}" for row in rows]
    return f"{where} {name!r}{_near(name, known)}"


def check_album(connection: sa.Connection, name: str) -> None:
    """Raise `WrongUse`, with the nearest names, if no album has this name."""
    known = list(connection.execute(sa.select(album.c.name)).scalars())
    if name not in known:
        raise WrongUse(f"the catalogue has no album {name!r}{_near(name, known)}")


def _near(name: str, known: Sequence[str]) -> str:
    folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), folded, _NEAREST, cutoff=0.3)
    if not near:
        return "; `icf-harvest characters --show` lists them"
    return "; the nearest: " + ", ".join(repr(folded[each]) for each in near)
