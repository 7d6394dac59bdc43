"""Apply a source's limits and filters, in the transaction that stores a page.

Counting in that transaction, under a lock, makes limits hold across restarts and for
any number of runners.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import sqlalchemy as sa

from icf.catalogue.bulk_insert import among
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import album, character, discovery, mention, url
from icf.codes import FetchStatus
from icf.harvest.fates import NEVER_FETCHED
from icf.harvest.listing.resolve import ResolvedPage, ResolvedPicture
from icf.harvest.sources.base import Level, ListingPage, Picture, Task
from icf.harvest.sources.rules import Rules

#: An album's and a character's name.
Pair = tuple[str, str]
#: What a picture is filed under: an album and a character, an album, or nothing.
FiledUnder = tuple[str | None, str | None]
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Limited:
    """The part of a page that is allowed.

    Attributes:
        page: without the rest, which ``passed_over`` counts.
        over_limit: how many things only a limit excluded.
    """

    page: ResolvedPage
    over_limit: int = 0


class _Quota:
    """Counts towards a limit, by key; without a limit everything is allowed."""

    def __init__(self, limit: int | None, used: Mapping[Any, int]) -> None:
        self._limit = limit
        self._used = dict(used)
        self.refused = 0

    def take(self, key: Hashable) -> bool:
        """Count one more for a key, if the limit allows it; return whether it does."""
        used = self._used.get(key, 0)
        if self._limit is not None and used >= self._limit:
            self.refused += 1
            return False
        self._used[key] = used + 1
        return True


def apply_limits(
    connection: sa.Connection, source: str, rules: Rules, page: ResolvedPage
) -> Limited:
    """Return the part of a page that may be stored.

    Args:
        connection: of the transaction that stores it.
        source: the name of the source that listed it.
        rules: the source's.
        page: as the source listed it.
    """
    if rules.allows_everything:
        return Limited(page)
    _lock(connection, source)
    albums, over = _albums(connection, source, rules, page)
    over_limit = over
    characters, over = _characters(connection, source, rules, page, albums)
    over_limit += over
    wanted = _Wanted(rules, albums, characters)
    pictures, over = _pictures(
        connection,
        source,
        rules,
        [wanted.reachable(p) for p in page.pictures if wanted.picture(p)],
    )
    over_limit += over
    kept = replace(
        page,
        albums=tuple(one for one in page.albums if one.name in albums),
        characters=tuple(
            one for one in page.characters if (one.album, one.name) in characters
        ),
        pictures=tuple(pictures),
        tasks=tuple(task for task in page.tasks if wanted.task(task)),
    )
    passed_over = page.passed_over + _count_things(page) - _count_things(kept)
    return Limited(replace(kept, passed_over=passed_over), over_limit)


def is_full(connection: sa.Connection, source: str, rules: Rules, task: Task) -> bool:
    """Return whether a limit excludes everything more that a task can list."""
    limit = rules.limit
    if task.level is Level.ALBUMS:
        return limit.albums is not None and (
            _count_albums(connection, source) >= limit.albums
        )
    if task.album is None:
        return False
    if task.level is Level.CHARACTERS:
        found = _count_characters(connection, source, [task.album])
        return limit.characters is not None and (
            found.get(task.album, 0) >= limit.characters
        )
    key = (task.album, task.character)
    images = _count_pictures(connection, source, [key])
    return limit.images is not None and images.get(key, 0) >= limit.images


@dataclass(frozen=True)
class _Wanted:
    """Selects what belongs to the given albums and characters."""

    rules: Rules
    albums: Collection[str]
    characters: Collection[Pair]

    def task(self, task: Task) -> bool:
        return self._names(task.album, task.character)

    def picture(self, picture: Picture) -> bool:
        named = self._names(picture.album, picture.character)
        return named and self.rules.wants_url(picture.url)

    def reachable(self, picture: ResolvedPicture) -> ResolvedPicture:
        others = tuple(one for one in picture.fallbacks if self.rules.wants_url(one))
        return replace(picture, fallbacks=others)

    def _names(self, album: str | None, character: str | None) -> bool:
        if album is None:
            return True
        if character is None:
            return album in self.albums
        return (album, character) in self.characters


def _count_things(page: ListingPage) -> int:
    return (
        len({one.name for one in page.albums})
        + len({(one.album, one.name) for one in page.characters})
        + len(page.pictures)
    )


def _lock(connection: sa.Connection, source: str) -> None:
    """Let one runner count at a time; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        key = sa.func.hashtext(f"icf limits of {source}")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


# --- albums -----------------------------------------------------------------------


def _albums(
    connection: sa.Connection, source: str, rules: Rules, page: ListingPage
) -> tuple[set[str], int]:
    """Return the names of the allowed albums, and how many a limit excluded."""
    named = {
        *(one.album for one in page.characters),
        *(task.album for task in page.tasks if task.album),
        *(one.album for one in page.pictures if one.album),
    }
    found = {one.name: one for one in page.albums}
    columns = (album.c.name, album.c.region, album.c.rank, _is_of(source, album))
    known = {
        row.name: row
        for row in connection.execute(
            sa.select(*columns).where(among(connection, album.c.name, {*found, *named}))
        )
    }
    quota = _Quota(rules.limit.albums, {None: _count_albums(connection, source)})
    allowed: set[str] = set()
    for name, one in found.items():
        row = known.get(name)
        region = (row.region if row else None) or one.region
        rank = row.rank if row and row.rank is not None else one.rank
        if rules.wants_album(name, region, rank) and (
            (row is not None and row.is_of) or quota.take(None)
        ):
            allowed.add(name)
    for name in named - set(found):
        row = known.get(name)
        if row and rules.wants_album(name, row.region, row.rank):
            allowed.add(name)
    return allowed, quota.refused


def _count_albums(connection: sa.Connection, source: str) -> int:
    return count_rows(connection, album, _is_of(source, album))


def _is_of(source: str, table: sa.Table) -> sa.ColumnElement[bool]:
    """Return whether a source found an album or a character, or lists below it."""
    refers = discovery.c[f"{table.name}_id"] == table.c.id
    lists = sa.exists().where(discovery.c.source == source, refers)
    return sa.or_(table.c.source == source, lists).label("is_of")


# --- characters -------------------------------------------------------------------


def _characters(
    connection: sa.Connection,
    source: str,
    rules: Rules,
    page: ListingPage,
    albums: Collection[str],
) -> tuple[set[Pair], int]:
    """Return the allowed characters, and how many a limit excluded."""
    found = {(one.album, one.name): one for one in page.characters}
    named = {
        *((p.album, p.character) for p in page.pictures if p.album and p.character),
        *((t.album, t.character) for t in page.tasks if t.album and t.character),
    }
    pairs = [pair for pair in {**found, **dict.fromkeys(named)} if pair[0] in albums]
    known = _known_characters(connection, source, pairs)
    taken = (
        {}
        if rules.limit.characters is None
        else _count_characters(connection, source, {pair[0] for pair in pairs})
    )
    quota = _Quota(rules.limit.characters, taken)
    allowed: set[Pair] = set()
    for pair in pairs:
        row, one = known.get(pair), found.get(pair)
        if one is None and row is None:
            continue
        gender = (row.gender if row else None) or (one.gender if one else None)
        is_new = one is not None and not (row and row.is_of)
        if rules.wants_character(pair[1], gender) and (
            not is_new or quota.take(pair[0])
        ):
            allowed.add(pair)
    return allowed, quota.refused


def _known_characters(
    connection: sa.Connection, source: str, pairs: Iterable[Pair]
) -> dict[Pair, sa.Row[Any]]:
    names = list(pairs)
    query = (
        sa.select(
            album.c.name.label("album"),
            character.c.name,
            character.c.gender,
            _is_of(source, character),
        )
        .join(album, album.c.id == character.c.album_id)
        .where(
            among(connection, album.c.name, {pair[0] for pair in names}),
            among(connection, character.c.name, {pair[1] for pair in names}),
        )
    )
    return {(row.album, row.name): row for row in connection.execute(query)}


def _count_characters(
    connection: sa.Connection, source: str, albums: Collection[str]
) -> dict[str, int]:
    query = (
        sa.select(album.c.name, sa.func.count())
        .join(character, character.c.album_id == album.c.id)
        .where(among(connection, album.c.name, albums), _is_of(source, character))
        .group_by(album.c.name)
    )
    return {name: int(count) for name, count in connection.execute(query)}


# --- pictures ---------------------------------------------------------------------


def _pictures(
    connection: sa.Connection,
    source: str,
    rules: Rules,
    pictures: list[ResolvedPicture],
) -> tuple[list[ResolvedPicture], int]:
    """Return the allowed pictures, and how many a limit excluded."""
    if rules.limit.images is None:
        return pictures, 0
    keys = {(one.album, one.character) for one in pictures}
    filed = _filed(connection, {one.address.url for one in pictures})
    quota = _Quota(rules.limit.images, _count_pictures(connection, source, keys))
    kept = []
    for one in pictures:
        pair = (one.album, one.character)
        key = (one.address.url, pair)
        if one.fate is not FetchStatus.PENDING or key in filed or quota.take(pair):
            filed.add(key)
            kept.append(one)
    return kept, quota.refused


def _filed(
    connection: sa.Connection, urls: Collection[str]
) -> set[tuple[str, FiledUnder]]:
    """Return the known ones among URLs, each with what it is filed under."""
    query = (
        sa.select(
            url.c.url,
            url.c.album_id,
            album.c.name.label("album"),
            character.c.name.label("character"),
        )
        .outerjoin(mention, mention.c.url_id == url.c.id)
        .outerjoin(character, character.c.id == mention.c.character_id)
        .outerjoin(
            album, album.c.id == sa.func.coalesce(url.c.album_id, character.c.album_id)
        )
        .where(among(connection, url.c.url, urls))
    )
    return {
        (row.url, (row.album, None if row.album_id else row.character))
        for row in connection.execute(query)
    }


def _count_pictures(
    connection: sa.Connection, source: str, keys: Collection[FiledUnder]
) -> dict[FiledUnder, int]:
    """Count the pictures of a source that are filed under each key."""
    mine = sa.and_(
        url.c.source == source,
        url.c.fate.not_in([fate.value for fate in NEVER_FETCHED]),
    )
    found: dict[FiledUnder, int] = {}
    names = [(a, c) for a, c in keys if a is not None and c is not None]
    by_character = (
        sa.select(album.c.name, character.c.name, sa.func.count())
        .join(character, character.c.album_id == album.c.id)
        .join(mention, mention.c.character_id == character.c.id)
        .join(url, url.c.id == mention.c.url_id)
        .where(
            mine,
            url.c.album_id.is_(None),
            among(connection, album.c.name, {a for a, _ in names}),
            among(connection, character.c.name, {c for _, c in names}),
        )
        .group_by(album.c.name, character.c.name)
    )
    if names:
        found |= {(a, c): int(n) for a, c, n in connection.execute(by_character)}
    album_only = sorted({a for a, c in keys if a is not None and c is None})
    by_album = (
        sa.select(album.c.name, sa.func.count())
        .join(url, url.c.album_id == album.c.id)
        .where(mine, among(connection, album.c.name, album_only))
        .group_by(album.c.name)
    )
    if album_only:
        found |= {(a, None): int(n) for a, n in connection.execute(by_album)}
    if (None, None) in keys:
        found[None, None] = count_rows(
            connection,
            url,
            mine,
            url.c.album_id.is_(None),
            ~sa.exists().where(mention.c.url_id == url.c.id),
        )
    return found
