"""The known albums and characters, and counts of the pictures of each."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.rows import CHUNK, by_ids, count_rows
from icf.catalogue.schema import album, candidate, character, mention, url
from icf.errors import WrongUse
from icf.harvest.fates import UrlCounts, url_counts


@dataclass(frozen=True)
class Choice:
    """Which rows to show.

    Attributes:
        sources: names of the sources that found them first; empty for all.
        albums: names; empty for all.
        limit: maximum number of rows.
    """

    sources: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()
    limit: int = 100

    def rows_of(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """Return the condition on albums, or on characters joined to their albums."""
        where: list[sa.ColumnElement[bool]] = []
        if self.sources:
            where.append(table.c.source.in_(self.sources))
        if self.albums:
            where.append(album.c.name.in_(self.albums))
        return sa.and_(sa.true(), *where)


@dataclass(frozen=True)
class KnownAlbum:
    """An album with counts of its characters and pictures."""

    name: str
    region: str | None
    style: str | None
    rank: int | None
    source: str
    page_url: str | None
    characters: int
    pictures: UrlCounts


@dataclass(frozen=True)
class KnownCharacter:
    """A character with the fates of its pictures.

    Attributes:
        reference: how its reference was chosen: "lead", "medoid" or "hand"; None if it
            has none.
    """

    album: str
    name: str
    gender: str | None
    source: str
    page_url: str | None
    fates: dict[str, int]
    reference: str | None


@dataclass(frozen=True)
class KnownImages:
    """The pictures of one character.

    Attributes:
        images: number of different stored pictures.
    """

    album: str
    character: str
    pictures: UrlCounts
    images: int


def check_albums(connection: sa.Connection, names: Collection[str]) -> None:
    """Check that albums are known.

    Raises:
        WrongUse: one is not; the message has the nearest name.
    """
    known = list(connection.execute(sa.select(album.c.name)).scalars()) if names else []
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, cutoff=0)
            hint = f"did you mean {near[0]!r}?" if near else "none is known yet"
            raise WrongUse(
                f"no album is named {name!r}: {hint} "
                "(`icf-harvest albums --show` lists them)"
            )


def known_albums(
    connection: sa.Connection, choice: Choice
) -> tuple[list[KnownAlbum], int]:
    """Return the first albums by rank, then by age, and their total number."""
    wanted = choice.rows_of(album)
    query = (
        sa.select(album)
        .where(wanted)
        .order_by(album.c.rank.is_(None), album.c.rank, album.c.id)
        .limit(choice.limit)
    )
    rows = connection.execute(query).all()
    ids = [row.id for row in rows]
    number = sa.func.count().label("number")
    casts = sa.select(character.c.album_id, number).group_by(character.c.album_id)
    counted = by_ids(connection, casts, character.c.album_id, ids)
    cast = {row.album_id: row.number for row in counted}
    fates = _fates_of_albums(connection, ids)
    found = [
        KnownAlbum(
            row.name,
            row.region,
            row.style,
            row.rank,
            row.source,
            row.page_url,
            cast.get(row.id, 0),
            url_counts(fates.get(row.id, Counter())),
        )
        for row in rows
    ]
    return found, count_rows(connection, album, wanted)


def known_characters(
    connection: sa.Connection, choice: Choice
) -> tuple[list[KnownCharacter], int]:
    """Return the first characters by album, and their total number."""
    rows, total = _characters(connection, choice)
    fates = _fates_of_characters(connection, [row.id for row in rows])
    found = [
        KnownCharacter(
            row.album,
            row.name,
            row.gender,
            row.source,
            row.page_url,
            dict(fates.get(row.id, Counter())),
            row.reference_by or ("hand" if row.reference_image_id else None),
        )
        for row in rows
    ]
    return found, total


def known_images(
    connection: sa.Connection, choice: Choice
) -> tuple[list[KnownImages], int]:
    """Return the picture counts of characters, and the total number of characters."""
    rows, total = _characters(connection, choice)
    ids = [row.id for row in rows]
    fates = _fates_of_characters(connection, ids)
    owner = candidate.c.character_id
    stored = sa.select(owner, sa.func.count().label("number")).group_by(owner)
    counted = by_ids(connection, stored, owner, ids)
    images = {row.character_id: row.number for row in counted}
    found = [
        KnownImages(
            row.album,
            row.name,
            url_counts(fates.get(row.id, Counter())),
            images.get(row.id, 0),
        )
        for row in rows
    ]
    return found, total


def count_unfiled(connection: sa.Connection) -> int:
    """Count the URLs that are filed under no character."""
    filed = sa.exists().where(mention.c.url_id == url.c.id)
    return count_rows(connection, url, ~filed)


def _characters(
    connection: sa.Connection, choice: Choice
) -> tuple[Sequence[sa.Row[Any]], int]:
    wanted = choice.rows_of(character)
    joined = character.join(album, album.c.id == character.c.album_id)
    query = (
        sa.select(character, album.c.name.label("album"))
        .select_from(joined)
        .where(wanted)
        .order_by(character.c.album_id, character.c.name)
        .limit(choice.limit)
    )
    return connection.execute(query).all(), count_rows(connection, joined, wanted)


def _fates_of_characters(
    connection: sa.Connection, ids: Sequence[int]
) -> dict[int, Counter[str]]:
    query = (
        sa.select(mention.c.character_id, url.c.fate, sa.func.count())
        .join(url, url.c.id == mention.c.url_id)
        .group_by(mention.c.character_id, url.c.fate)
        .order_by(mention.c.character_id, url.c.fate)
    )
    return _counted(by_ids(connection, query, mention.c.character_id, ids))


def _fates_of_albums(
    connection: sa.Connection, ids: Sequence[int]
) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = {}
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        named = (
            sa.select(character.c.album_id, mention.c.url_id)
            .join(mention, mention.c.character_id == character.c.id)
            .where(character.c.album_id.in_(part))
        )
        of_cast = sa.select(url.c.album_id, url.c.id).where(url.c.album_id.in_(part))
        filed = sa.union(named, of_cast).subquery()
        query = (
            sa.select(filed.c.album_id, url.c.fate, sa.func.count())
            .join(url, url.c.id == filed.c.url_id)
            .group_by(filed.c.album_id, url.c.fate)
        )
        found |= _counted(connection.execute(query))
    return found


def _counted(rows: Iterable[Any]) -> dict[Any, Counter[str]]:
    found: dict[Hashable, Counter[str]] = {}
    for key, fate, count in rows:
        found.setdefault(key, Counter())[fate] += int(count)
    return found
