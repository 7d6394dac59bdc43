"""File pictures under characters: URLs by mentions, stored pictures by candidates.

A source mentions a URL for a character; bytes are stored when the URL is fetched. A
picture is a candidate of every character that one of its URLs is mentioned for. So new
candidates appear at two moments: when a URL is mentioned and when it is stored. Both
call `write_candidates`.
"""

from __future__ import annotations

import time
from collections.abc import Collection

import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.bulk_insert import among
from icf.catalogue.candidates import file_under
from icf.catalogue.schema import candidate, character, mention, url


def mention_cast(connection: sa.Connection, album_ids: Collection[int]) -> set[int]:
    """Mention pictures that name an album alone for all characters of that album.

    Args:
        connection: a transaction that writes.
        album_ids: the albums that have new pictures or new characters.

    Returns:
        Ids of the URLs that have new mentions.
    """
    if not album_ids:
        return set()
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
    )
    now = time.time()
    rows = [
        {**row, "is_lead": False, "found_at": now}
        for row in connection.execute(missing).mappings()
    ]
    file_under(connection, mention, rows)
    return {row["url_id"] for row in rows}


def write_candidates(connection: sa.Connection, url_ids: Collection[int]) -> None:
    """Make stored pictures candidates of the characters their URLs are mentioned for.

    Args:
        connection: a transaction that writes.
        url_ids: URLs that are newly mentioned or newly stored.
    """
    found = (
        sa.select(
            url.c.image_id,
            mention.c.character_id,
            sa.func.max(sa.cast(mention.c.is_lead, sa.Integer)).label("is_lead"),
        )
        .join(mention, mention.c.url_id == url.c.id)
        .where(among(connection, url.c.id, url_ids), url.c.image_id.is_not(None))
        .group_by(url.c.image_id, mention.c.character_id)
    )
    rows = [
        {**row, "is_lead": bool(row["is_lead"])}
        for row in connection.execute(found).mappings()
    ]
    file_under(connection, candidate, rows)
