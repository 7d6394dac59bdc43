"""What the sources of a picture say about whom it shows.

Under which character a new face is filed (``face.filed_under_id``), and of which
character alone its picture is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import candidate, character, image_source, mention, url


def filed_under(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, int]:
    """The first character of each image: one whose page it leads, else the oldest."""
    query = (
        sa.select(candidate.c.image_id, survivor().label("character_id"))
        .join(character, character.c.id == candidate.c.character_id)
        .order_by(candidate.c.is_lead, candidate.c.character_id.desc())
    )
    rows = by_ids(connection, query, candidate.c.image_id, image_ids)
    return {row.image_id: row.character_id for row in rows}


def named_alone(
    connection: sa.Connection, image_ids: Sequence[int], *, leads: bool = False
) -> dict[int, int]:
    """The one character that the sources of each image name it for.

    This is the evidence that a face shows a character before anybody has seen it.
    Images that are named for several characters are left out. So are those of an album
    alone (a page of a comic, a frame of a video): they are candidates of the whole
    cast, and a face on them may be anybody's.

    Args:
        connection: to the catalogue.
        image_ids: the images.
        leads: whether only those count that lead the page of a character.
    """
    of_album = sa.select(image_source.c.image_id).join(
        url, url.c.url == image_source.c.url
    )
    rows = by_ids(
        connection,
        of_album.where(url.c.album_id.is_not(None)),
        image_source.c.image_id,
        image_ids,
    )
    cast = {row.image_id for row in rows}
    filed = sa.select(
        candidate.c.image_id, survivor().label("character_id"), candidate.c.is_lead
    ).join(character, character.c.id == candidate.c.character_id)
    mentioned = (
        sa.select(
            image_source.c.image_id,
            survivor().label("character_id"),
            mention.c.is_lead,
        )
        .join(url, url.c.url == image_source.c.url)
        .join(mention, mention.c.url_id == url.c.id)
        .join(character, character.c.id == mention.c.character_id)
        .where(url.c.album_id.is_(None))
    )
    others = [each for each in image_ids if each not in cast]
    named: dict[int, set[int]] = defaultdict(set)
    for row in (
        *by_ids(connection, filed, candidate.c.image_id, others),
        *by_ids(connection, mentioned, image_source.c.image_id, sorted(cast)),
    ):
        if row.is_lead or not leads:
            named[row.image_id].add(row.character_id)
    return {each: min(names) for each, names in named.items() if len(names) == 1}
