"""File pictures under characters: URLs by mentions, stored pictures by candidates.

A source mentions a URL for a character; bytes are stored when the URL is fetched. A
picture is a candidate of every character that one of its URLs is mentioned for. So new
candidates appear at two moments: when a URL is mentioned and when it is stored. Both
call `write_candidates`.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.bulk_insert import among
from icf.catalogue.candidates import file_under
from icf.catalogue.filing import NOBODY
from icf.catalogue.schema import candidate, character, mention, url


def unmentioned_cast(
    connection: sa.Connection, url_ids: Collection[int], character_ids: Collection[int]
) -> set[tuple[int, int]]:
    """Return what is missing so that pictures of an album alone are of its whole cast.

    Args:
        connection: a transaction that writes.
        url_ids: the pictures that are newly listed; those of all albums alone.
        character_ids: the characters that are newly listed.

    Returns:
        Pairs of a URL's id and a character's id that `mention` does not have.
    """
    missing = (
        sa.select(url.c.id, character.c.id)
        .join(character, character.c.album_id == url.c.album_id)
        .outerjoin(
            mention,
            sa.and_(
                mention.c.url_id == url.c.id,
                mention.c.character_id == character.c.id,
            ),
        )
        .where(
            mention.c.url_id.is_(None),
            ~tombstones.is_buried_character(),
            character.c.name != NOBODY,
        )
    )
    found: set[tuple[int, int]] = set()
    for column, ids in ((url.c.id, url_ids), (character.c.id, character_ids)):
        if ids:
            query = missing.where(among(connection, column, ids))
            found |= {(pair[0], pair[1]) for pair in connection.execute(query)}
    return found


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
    nobody = sa.select(character.c.id).where(character.c.name == NOBODY)
    connection.execute(
        sa.delete(candidate).where(
            candidate.c.character_id.in_(nobody),
            among(
                connection, candidate.c.image_id, sorted({r["image_id"] for r in rows})
            ),
        )
    )
