"""Store the pictures that a source listed: rows of ``url`` and of ``mention``."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue.schema import candidate, mention, url
from icf.codes import Fate
from icf.harvest.fault import Fault
from icf.harvest.insert import insert_into, insert_new
from icf.harvest.source import Picture, Source
from icf.harvest.urls import MAX_LENGTH, WebUrl, normalise

CharacterIds = Mapping[tuple[str, str], int]


def store_pictures(
    connection: sa.Connection,
    source: Source,
    pictures: Sequence[Picture],
    characters: CharacterIds,
) -> None:
    """Enter pictures into the frontier, and whom each should show.

    A URL that is known stays as it is; that another character is found under it is new.
    """
    rows = [_row(source, picture) for picture in pictures]
    insert_new(connection, url, ["url"], list({r["url"]: r for r in rows}.values()))
    _ask_again_where_changed(connection, rows)
    ids = _ids(connection, [row["url"] for row in rows])
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


def file_candidates(connection: sa.Connection, url_ids: Sequence[int]) -> None:
    """File each stored picture under the characters that its URLs are mentioned for."""
    found = (
        sa.select(
            url.c.image_id,
            mention.c.character_id,
            sa.func.max(sa.cast(mention.c.is_lead, sa.Integer)).label("is_lead"),
        )
        .join(mention, mention.c.url_id == url.c.id)
        .where(url.c.id.in_(url_ids), url.c.image_id.is_not(None))
        .group_by(url.c.image_id, mention.c.character_id)
        .order_by(url.c.image_id, mention.c.character_id)
    )
    rows = [
        {"image_id": r.image_id, "character_id": r.character_id, "is_lead": bool(r[2])}
        for r in connection.execute(found)
    ]
    if rows:
        statement = insert_into(connection, candidate)
        lead = sa.or_(candidate.c.is_lead, statement.excluded.is_lead)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["image_id", "character_id"], set_={"is_lead": lead}
            ),
            rows,
        )


def _ask_again_where_changed(
    connection: sa.Connection, rows: Sequence[dict[str, Any]]
) -> None:
    """Make URLs pending whose bytes are others now than when they were listed."""
    promised = [
        {"known_url": row["url"], "sha1": row["expected_sha1"]}
        for row in rows
        if row["expected_sha1"] is not None
    ]
    if promised:
        connection.execute(
            sa.update(url)
            .where(
                url.c.url == sa.bindparam("known_url"),
                url.c.expected_sha1 != sa.bindparam("sha1"),
            )
            .values(
                expected_sha1=sa.bindparam("sha1"),
                fate=Fate.PENDING.value,
                attempts=0,
                not_before=0.0,
            ),
            promised,
        )


def _mention(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert_into(connection, mention)
    lead = sa.or_(mention.c.is_lead, statement.excluded.is_lead)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["url_id", "character_id"], set_={"is_lead": lead}
        ),
        list(rows),
    )
    # Some of these URLs may have been fetched long ago, for another character.
    file_candidates(connection, sorted({row["url_id"] for row in rows}))


def _ids(connection: sa.Connection, urls: Sequence[str]) -> dict[str, int]:
    known = sa.select(url.c.url, url.c.id).where(url.c.url.in_(sorted(set(urls))))
    return {row.url: row.id for row in connection.execute(known)}


def _row(source: Source, picture: Picture) -> dict[str, Any]:
    fate, message = picture.fate, picture.message
    try:
        asked = _address(source, picture.url)
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
        "fate": fate.value,
        "message": message,
        "attempts": 0,
        "not_before": 0.0,
        "leased_until": 0.0,
        "found_at": now,
        "finished_at": None if fate is Fate.PENDING else now,
    }


def _address(source: Source, text: str) -> WebUrl:
    if source.folder is not None and text.startswith("file://"):
        return WebUrl(text, None, "")
    return normalise(text)


def _storable(text: str) -> str:
    """Return a text that fits a row; where it is cut, a digest keeps it apart."""
    clean = text.encode("utf-8", errors="replace").decode("utf-8").replace("\0", "")
    if len(clean.encode("utf-8")) <= MAX_LENGTH:
        return clean
    digest = hashlib.sha256(clean.encode("utf-8")).hexdigest()[:16]
    return f"{clean[: MAX_LENGTH // 5]}...{digest}"
