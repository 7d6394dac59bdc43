"""What the sources of a picture say about whom it shows.

Under which character a new face is filed (``face.filed_under_id``), and of which
character alone its picture is.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from icf.catalogue.bulk_insert import insert_new
from icf.catalogue.candidates import file_under
from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import (
    album,
    candidate,
    character,
    image_source,
    mention,
    url,
)

#: Whom the faces of some pictures show is not known: those of a detection set, or of an
#: album without a cast. The catalogue files each face under somebody; nobody is ever
#: asked about this character of an album, and it gets no reference.
NOBODY = "not named"


def file_under_nobody(connection: sa.Connection, image_ids: Sequence[int]) -> None:
    """File images that show no known character under `NOBODY`, of their album.

    An album may have pictures before it has a cast: pages of a comic, unsorted scans.

    Args:
        connection: a transaction that writes.
        image_ids: the images; those that are filed under somebody stay as they are.
    """
    filed = filed_under(connection, image_ids)
    if not (missing := [each for each in image_ids if each not in filed]):
        return
    named = sa.func.coalesce(album.c.name, image_source.c.source)
    found_in = (
        sa.select(image_source.c.image_id, image_source.c.source, named.label("album"))
        .outerjoin(url, url.c.url == image_source.c.url)
        .outerjoin(album, album.c.id == url.c.album_id)
        .order_by(image_source.c.id.desc())
    )
    rows = list(by_ids(connection, found_in, image_source.c.image_id, missing))
    place = {row.image_id: row.album for row in rows}  # where each was found first
    ids = _nobodies(connection, {row.album: row.source for row in rows})
    file_under(
        connection,
        candidate,
        [
            {"image_id": key, "character_id": ids[name], "is_lead": False}
            for key, name in place.items()
        ],
    )


def _nobodies(
    connection: sa.Connection, source_of: Mapping[str, str]
) -> dict[str, int]:
    """Return the ids of `NOBODY` by the names of albums, given what named these."""
    found = [
        {"name": name, "source": source, "found_at": time.time()}
        for name, source in source_of.items()
    ]
    insert_new(connection, album, ["name"], found)
    query = sa.select(album.c.id, album.c.name)
    of_album = {
        row.id: row.name
        for row in by_ids(connection, query, album.c.name, sorted(source_of))
    }
    new = [
        {
            "album_id": key,
            "name": NOBODY,
            "source": source_of[name],
            "found_at": time.time(),
        }
        for key, name in of_album.items()
    ]
    insert_new(connection, character, ["album_id", "name"], new)
    made = sa.select(character.c.id, character.c.album_id).where(
        character.c.name == NOBODY
    )
    rows = by_ids(connection, made, character.c.album_id, sorted(of_album))
    return {of_album[row.album_id]: row.id for row in rows}


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
    )
    filed = filed.join(character, character.c.id == candidate.c.character_id)
    filed = filed.where(character.c.name != NOBODY)
    mentioned = (
        sa.select(
            image_source.c.image_id,
            survivor().label("character_id"),
            mention.c.is_lead,
        )
        .join(url, url.c.url == image_source.c.url)
        .join(mention, mention.c.url_id == url.c.id)
        .join(character, character.c.id == mention.c.character_id)
        .where(url.c.album_id.is_(None), character.c.name != NOBODY)
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
