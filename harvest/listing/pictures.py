"""Store the pictures that a source listed: rows of ``url`` and of ``mention``."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.bulk_insert import among, insert_all, insert_into, insert_new
from icf.catalogue.schema import candidate, character, mention, url
from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.urls import MAX_LENGTH, WebUrl, normalise
from icf.harvest.sources.base import Frame, Picture, Source

CharacterIds = Mapping[tuple[str, str], int]


def store_pictures(
    connection: sa.Connection,
    source: Source,
    pictures: Sequence[Picture],
    characters: CharacterIds,
    albums: Mapping[str, int],
) -> None:
    """Enter pictures into the frontier, and whom each should show.

    A URL that is known stays as it is; that another character is found under it is new.

    Args:
        connection: of the transaction that stores the answer.
        source: that listed them.
        pictures: what it listed.
        characters: ids by album and name.
        albums: ids by name.
    """
    rows = [
        {**_row(source, one), "album_id": _cast_of(one, albums)} for one in pictures
    ]
    insert_new(connection, url, ["url"], list({r["url"]: r for r in rows}.values()))
    _ask_again_where_changed(connection, rows)
    ids = _ids(connection, {row["url"] for row in rows})
    now = time.time()
    mentions: dict[tuple[int, int], dict[str, Any]] = {}
    for row, picture in zip(rows, pictures, strict=True):
        character_id = characters.get((picture.album or "", picture.character or ""))
        if character_id is None:
            continue
        key = (ids[row["url"]], character_id)
        lead = picture.is_lead or (key in mentions and mentions[key]["is_lead"])
        mentions[key] = {
            "url_id": key[0],
            "character_id": character_id,
            "is_lead": lead,
            "found_at": now,
        }
    _mention(connection, [mentions[key] for key in sorted(mentions)])
    file_cast(connection, {r["album_id"] for r in rows if r["album_id"] is not None})


def _cast_of(picture: Picture, albums: Mapping[str, int]) -> int | None:
    if picture.album is None or picture.character is not None:
        return None
    return albums[picture.album]


def file_cast(connection: sa.Connection, album_ids: Collection[int]) -> None:
    """File pictures of an album that name nobody under everybody of that album."""
    if not album_ids:
        return
    missing = (
        sa.select(url.c.id.label("url_id"), character.c.id.label("character_id"))
        .join(character, character.c.album_id == url.c.album_id)
        .outerjoin(
            mention,
            sa.and_(
                mention.c.url_id == url.c.id,
                mention.c.character_id == character.c.id,
            ),
        )
        .where(among(connection, url.c.album_id, album_ids), mention.c.url_id.is_(None))
        .where(~tombstones.is_buried_character())
        .order_by(url.c.id, character.c.id)
    )
    now = time.time()
    rows = [
        {**row, "is_lead": False, "found_at": now}
        for row in connection.execute(missing).mappings()
    ]
    _mention(connection, rows)


def file_candidates(connection: sa.Connection, url_ids: Collection[int]) -> None:
    """File each stored picture under the characters that its URLs are mentioned for."""
    found = (
        sa.select(
            url.c.image_id,
            mention.c.character_id,
            sa.func.max(sa.cast(mention.c.is_lead, sa.Integer)).label("is_lead"),
        )
        .join(mention, mention.c.url_id == url.c.id)
        .where(among(connection, url.c.id, url_ids), url.c.image_id.is_not(None))
        .group_by(url.c.image_id, mention.c.character_id)
        .order_by(url.c.image_id, mention.c.character_id)
    )
    rows = [
        {"image_id": r.image_id, "character_id": r.character_id, "is_lead": bool(r[2])}
        for r in connection.execute(found)
    ]
    statement = insert_into(connection, candidate)
    lead = sa.or_(candidate.c.is_lead, statement.excluded.is_lead)
    insert_all(
        connection,
        statement.on_conflict_do_update(
            index_elements=["image_id", "character_id"], set_={"is_lead": lead}
        ),
        rows,
    )


def _ask_again_where_changed(
    connection: sa.Connection, rows: Sequence[dict[str, Any]]
) -> None:
    """Make URLs pending whose bytes are others now than when they were listed."""
    for column in (url.c.expected_sha1, url.c.version):
        promised = [
            {
                "known_url": row["url"],
                "word": row[column.name],
                "new_shot": row["shot"],
                "new_tracks": row["tracks"],
            }
            for row in rows
            if row[column.name] is not None and row["fate"] == FetchStatus.PENDING.value
        ]
        if promised:
            connection.execute(
                sa.update(url)
                .where(
                    url.c.url == sa.bindparam("known_url"),
                    column != sa.bindparam("word"),
                    url.c.fate != FetchStatus.TAKEN_DOWN.value,
                )
                .values(
                    {
                        column.name: sa.bindparam("word"),
                        "fate": FetchStatus.PENDING.value,
                        "attempts": 0,
                        "not_before": 0.0,
                        "shot": sa.bindparam("new_shot"),
                        "tracks": sa.bindparam("new_tracks"),
                    }
                ),
                promised,
            )


def _mention(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert_into(connection, mention)
    lead = sa.or_(mention.c.is_lead, statement.excluded.is_lead)
    insert_all(
        connection,
        statement.on_conflict_do_update(
            index_elements=["url_id", "character_id"], set_={"is_lead": lead}
        ),
        rows,
    )
    # Some of these URLs may have been fetched long ago, for another character.
    file_candidates(connection, {row["url_id"] for row in rows})


def _ids(connection: sa.Connection, urls: Collection[str]) -> dict[str, int]:
    known = sa.select(url.c.url, url.c.id).where(among(connection, url.c.url, urls))
    return {address: row_id for address, row_id in connection.execute(known)}


def _row(source: Source, picture: Picture) -> dict[str, Any]:
    fate, message = picture.fate, picture.message
    try:
        asked = _address(source, picture)
    except Fault as fault:
        fate, message = fault.fate, str(fault)
        asked = WebUrl(_storable(picture.url), None, "")
    now = time.time()
    return {
        "url": asked.url,
        "original": None if asked.original is None else _storable(asked.original),
        "host": asked.host,
        "source": source.name,
        "page_url": picture.page_url,
        "licence": picture.licence.name,
        "licence_url": picture.licence.url,
        "licence_from": picture.licence.read_from,
        "author": picture.licence.author,
        "expected_sha1": picture.sha1,
        "expected_bytes": picture.size,
        "version": picture.version,
        **_columns_of(picture.frame),
        "fate": fate.value,
        "message": message,
        "attempts": 0,
        "not_before": 0.0,
        "leased_until": 0.0,
        "found_at": now,
        "finished_at": None if fate is FetchStatus.PENDING else now,
    }


def _columns_of(frame: Frame | None) -> dict[str, Any]:
    if frame is None:
        return {"seconds": None, "shot": None, "tracks": None}
    tracks = [[track.name, *track.box] for track in frame.tracks]
    return {
        "seconds": frame.seconds,
        "shot": frame.shot,
        "tracks": json.dumps(tracks) if tracks else None,
    }


def address_of(source: Source, picture: Picture) -> str:
    """Return the URL under which a picture is stored, whatever is wrong with it."""
    try:
        return _address(source, picture).url
    except Fault:
        return _storable(picture.url)


def _address(source: Source, picture: Picture) -> WebUrl:
    """Return the address; one without a host is read by its source, not on the web."""
    if picture.own and source.reader is not None:
        return WebUrl(picture.url, None, "")
    return normalise(picture.url)


def _storable(text: str) -> str:
    """Return a text that fits a row; where it is cut, a digest keeps it apart."""
    clean = text.encode("utf-8", errors="replace").decode("utf-8").replace("\0", "")
    if len(clean.encode("utf-8")) <= MAX_LENGTH:
        return clean
    digest = hashlib.sha256(clean.encode("utf-8")).hexdigest()[:16]
    return f"{clean[: MAX_LENGTH // 5]}...{digest}"
