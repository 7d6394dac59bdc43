"""Store the pictures of a listing page: rows of ``url`` and of ``mention``."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue.bulk_insert import among, insert_new
from icf.catalogue.candidates import file_under
from icf.catalogue.rows import lock
from icf.catalogue.schema import mention, url
from icf.codes import FetchStatus
from icf.harvest.filing import unmentioned_cast, write_candidates
from icf.harvest.listing.corrections import correct
from icf.harvest.listing.resolve import ResolvedPage, ResolvedPicture
from icf.harvest.sources.base import Frame, Source
from icf.redact import without_login

CharacterIds = Mapping[tuple[str, str], int]


def store_pictures(
    connection: sa.Connection,
    source: Source,
    page: ResolvedPage,
    characters: CharacterIds,
    albums: Mapping[str, int],
) -> Counter[FetchStatus]:
    """Insert the pictures of a page into the frontier and file them under characters.

    A URL that is known keeps its row, corrected where the source now says something
    else of it; it may be mentioned for another character. Of several pictures of the
    page with one URL the first counts. A picture that names an album alone is mentioned
    for all characters of that album, whichever of them is listed last.

    Args:
        connection: of the transaction that stores the page.
        source: that listed it.
        page: the part that is stored; its albums and characters are stored already.
        characters: ids by album and name.
        albums: ids by name.

    Returns:
        How many new URLs are not to be fetched, by their fates.
    """
    rows = [_row(source, one, albums) for one in page.pictures]
    # Reversed, because of several values for a key the last one stays.
    firsts = {one.address.url: one for one in reversed(page.pictures)}
    first_rows = {row["url"]: row for row in reversed(rows)}
    pending = FetchStatus.PENDING
    lost = {key: one.fate for key, one in firsts.items() if one.fate is not pending}
    known = _ids(connection, lost) if lost else {}
    new = insert_new(connection, url, ["url"], list(first_rows.values()))
    if new < len(first_rows):
        # All that may change below, and so in one order.
        lock(connection, url, among(connection, url.c.url, list(first_rows)))
        correct(
            connection,
            source.name,
            [(one.corrects, first_rows[key]) for key, one in firsts.items()],
        )
        _refetch_changed(connection, list(first_rows.values()))
    _add_fallbacks(connection, rows)
    ids = _ids(connection, {row["url"] for row in rows})
    mentions: dict[tuple[int, int], dict[str, Any]] = {}
    for picture in page.pictures:
        character_id = characters.get((picture.album or "", picture.character or ""))
        if character_id is None:
            continue
        key = (ids[picture.address.url], character_id)
        lead = picture.is_lead or (key in mentions and mentions[key]["is_lead"])
        mentions[key] = _mention(key, is_lead=lead)
    of_albums = {ids[row["url"]] for row in rows if row["album_id"] is not None}
    listed = {characters[one.album, one.name] for one in page.characters}
    for key in unmentioned_cast(connection, of_albums, listed):
        mentions.setdefault(key, _mention(key, is_lead=False))
    file_under(connection, mention, mentions.values())
    # Some of these URLs may be stored already, for another character.
    write_candidates(connection, {url_id for url_id, _ in mentions})
    return Counter(fate for address, fate in lost.items() if address not in known)


def _mention(key: tuple[int, int], *, is_lead: bool) -> dict[str, Any]:
    url_id, character_id = key
    return {
        "url_id": url_id,
        "character_id": character_id,
        "is_lead": is_lead,
        "found_at": time.time(),
    }


def _refetch_changed(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Make URLs pending whose bytes have changed since they were listed."""
    for column in (url.c.expected_sha1, url.c.version):
        listed = [
            {
                "known_url": row["url"],
                "new_value": row[column.name],
                "new_shot": row["shot"],
                "new_tracks": row["tracks"],
            }
            for row in rows
            if row[column.name] is not None and row["fate"] == FetchStatus.PENDING.value
        ]
        if listed:
            connection.execute(
                sa.update(url)
                .where(
                    url.c.url == sa.bindparam("known_url"),
                    column != sa.bindparam("new_value"),
                    url.c.fate != FetchStatus.TAKEN_DOWN.value,
                )
                .values(
                    {
                        column.name: sa.bindparam("new_value"),
                        "fate": FetchStatus.PENDING.value,
                        "attempts": 0,
                        "not_before": 0.0,
                        "shot": sa.bindparam("new_shot"),
                        "tracks": sa.bindparam("new_tracks"),
                    }
                ),
                listed,
            )


def _add_fallbacks(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Give known URLs the fallbacks that nobody named before."""
    listed = [
        {"known_url": row["url"], "new_value": row["fallbacks"]}
        for row in rows
        if row["fallbacks"] is not None
    ]
    if listed:
        connection.execute(
            sa.update(url)
            .where(url.c.url == sa.bindparam("known_url"), url.c.fallbacks.is_(None))
            .values(fallbacks=sa.bindparam("new_value")),
            listed,
        )


def _ids(connection: sa.Connection, urls: Collection[str]) -> dict[str, int]:
    known = sa.select(url.c.url, url.c.id).where(among(connection, url.c.url, urls))
    return {address: row_id for address, row_id in connection.execute(known)}


def _row(
    source: Source, picture: ResolvedPicture, albums: Mapping[str, int]
) -> dict[str, Any]:
    now = time.time()
    return {
        "url": picture.address.url,
        "original": picture.address.original,
        "host": picture.address.host,
        "source": source.name,
        "page_url": without_login(picture.page_url),
        "licence": picture.licence.name,
        "licence_url": without_login(picture.licence.url),
        "licence_from": picture.licence.read_from,
        "author": picture.licence.author,
        "expected_sha1": picture.sha1,
        "expected_bytes": picture.size,
        "version": picture.version,
        "fallbacks": json.dumps(picture.fallbacks) if picture.fallbacks else None,
        "address_no": 0,
        "album_id": _album_alone(picture, albums),
        **_columns_of(picture.frame),
        "fate": picture.fate.value,
        "message": picture.message,
        "attempts": 0,
        "not_before": 0.0,
        "leased_until": 0.0,
        "found_at": now,
        "finished_at": None if picture.fate is FetchStatus.PENDING else now,
    }


def _album_alone(picture: ResolvedPicture, albums: Mapping[str, int]) -> int | None:
    """Return the id of the album of a picture that names no character."""
    if picture.album is None or picture.character is not None:
        return None
    return albums[picture.album]


def _columns_of(frame: Frame | None) -> dict[str, Any]:
    if frame is None:
        return {"seconds": None, "shot": None, "tracks": None}
    tracks = [[track.name, *track.box] for track in frame.tracks]
    return {
        "seconds": frame.seconds,
        "shot": frame.shot,
        "tracks": json.dumps(tracks) if tracks else None,
    }
