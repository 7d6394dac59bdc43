"""Store what a page names: rows of ``album``, ``character`` and ``discovery``."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue.bulk_insert import among, insert_into, insert_new
from icf.catalogue.schema import album, character, discovery
from icf.harvest.sources.base import Album, Character, ListingPage, Source, Task
from icf.redact import without_login

AlbumIds = dict[str, int]
CharacterIds = dict[tuple[str, str], int]


def enter_albums(
    connection: sa.Connection,
    source: Source,
    page: ListingPage,
    style: str | None = None,
) -> AlbumIds:
    """Insert the albums of a page; return the ids of all albums that it names.

    A known album keeps its values; missing values are filled in.

    Args:
        connection: a transaction that writes.
        source: that listed the page.
        page: what it lists.
        style: of the albums that it gives none.
    """
    now = time.time()
    found: dict[str, Album] = {one.name: one for one in page.albums}
    rows = [
        {
            "name": one.name,
            "source": source.name,
            "page_url": without_login(one.page_url),
            "rank": one.rank,
            "region": one.region and one.region.value,
            "style": one.style or style,
            "found_at": now,
        }
        for one in found.values()
    ]
    fillable = ["page_url", "rank", "region", "style"]
    _insert_or_fill(connection, album, ["name"], fillable, rows)
    names = {
        *found,
        *(one.album for one in page.characters),
        *(task.album for task in page.tasks if task.album),
        *(one.album for one in page.pictures if one.album),
    }
    known = sa.select(album.c.name, album.c.id).where(
        among(connection, album.c.name, names)
    )
    return {row.name: row.id for row in connection.execute(known)}


def enter_characters(
    connection: sa.Connection, source: Source, page: ListingPage, albums: AlbumIds
) -> CharacterIds:
    """Insert the characters of a page; return the ids of all that it names."""
    now = time.time()
    found: dict[tuple[str, str], Character] = {
        (one.album, one.name): one for one in page.characters
    }
    rows = [
        {
            "album_id": albums[one.album],
            "name": one.name,
            "source": source.name,
            "page_url": without_login(one.page_url),
            "gender": one.gender and one.gender.value,
            "found_at": now,
        }
        for one in found.values()
    ]
    _insert_or_fill(
        connection, character, ["album_id", "name"], ["page_url", "gender"], rows
    )
    wanted = {
        *found,
        *((p.album, p.character) for p in page.pictures if p.album and p.character),
        *((t.album, t.character) for t in page.tasks if t.album and t.character),
    }
    names = {albums[name]: name for name in albums}
    pairs = {(albums[album_name], name) for album_name, name in wanted}
    known = sa.select(character.c.album_id, character.c.name, character.c.id).where(
        among(connection, character.c.album_id, {pair[0] for pair in pairs}),
        among(connection, character.c.name, {pair[1] for pair in pairs}),
    )
    return {
        (names[album_id], name): row_id
        for album_id, name, row_id in connection.execute(known)
        if (album_id, name) in pairs
    }


def enter_tasks(
    connection: sa.Connection,
    source: Source,
    tasks: Iterable[Task],
    albums: AlbumIds,
    characters: CharacterIds,
) -> None:
    """Insert tasks that are not known yet."""
    now = time.time()
    rows = [
        {
            "source": source.name,
            "task": task.kind,
            "subject": task.subject,
            "album_id": albums.get(task.album or ""),
            "character_id": characters.get((task.album or "", task.character or "")),
            "cursor": task.cursor,
            "first_cursor": task.cursor,
            "level": task.level.value,
            "status": "pending",
            "attempts": 0,
            "changed_at": now,
        }
        for task in tasks
    ]
    insert_new(connection, discovery, ["source", "task", "subject"], rows)


def _insert_or_fill(
    connection: sa.Connection,
    table: sa.Table,
    key: Sequence[str],
    fillable: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Insert new rows; fill in the missing values of known ones."""
    if not rows:
        return
    statement = insert_into(connection, table)
    filled = {
        name: sa.func.coalesce(table.c[name], statement.excluded[name])
        for name in fillable
    }
    missing = [
        sa.and_(table.c[name].is_(None), statement.excluded[name].is_not(None))
        for name in fillable
    ]
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(key), set_=filled, where=sa.or_(*missing)
        ),
        sorted(rows, key=lambda row: [row[name] for name in key]),
    )
