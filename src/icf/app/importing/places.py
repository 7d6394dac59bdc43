"""Write where pictures are from: rows of the frontier, sources, and mentions."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from icf.app.importing.given import GivenPicture, Owner
from icf.app.importing.rows import MeasuredPicture, insert_sources
from icf.catalogue.bulk_insert import insert_into
from icf.catalogue.candidates import file_under
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import mention, url
from icf.codes import FetchStatus

_FATES = frozenset(each.value for each in FetchStatus)

#: The licence that nobody said, and where such a one was read.
UNKNOWN = "unknown"


def write(
    connection: sa.Connection,
    pictures: Sequence[MeasuredPicture],
    images: Mapping[str, int],
    shown: Mapping[Owner | None, int],
    licence: str,
) -> None:
    """Say where each picture is from, of which part it is, and whom it is filed under.

    Args:
        connection: a transaction that writes.
        pictures: of which no two have the same bytes.
        images: their ids, by SHA-256.
        shown: the ids of characters; that of nobody by None.
        licence: of pictures that say none themselves.
    """
    now = time.time()
    _write_addresses(connection, pictures, images, licence, now)
    ordered = sorted(pictures, key=lambda each: images[each.sha256])
    sources = [
        {
            **row,
            "image_id": images[each.sha256],
            "source": each.given.part,
            "fetched_at": now,
        }
        for each in ordered
        for row in places_of(each.given, licence)
    ]
    insert_sources(connection, sources)
    _mention(connection, pictures, shown, now)


def _write_addresses(
    connection: sa.Connection,
    pictures: Sequence[MeasuredPicture],
    images: Mapping[str, int],
    licence: str,
    now: float,
) -> None:
    """Enter the address of each picture, or say that it is here again."""
    rows = [
        {
            **licence_of(each.given, licence),
            "url": each.given.url,
            "host": "",
            "source": each.given.part,
            "fate": FetchStatus.STORED.value,
            # So that another picture under this address is distinguished from this one.
            "expected_bytes": each.columns["bytes"],
            "image_id": images[each.sha256],
            "found_at": now,
            "finished_at": now,
        }
        for each in pictures
    ]
    insert = insert_into(connection, url)
    # One that was lost, or that a harvest could not fetch, is here again.
    again = {
        "fate": insert.excluded.fate,
        "image_id": insert.excluded.image_id,
        "finished_at": insert.excluded.finished_at,
        "message": None,
        # One that was refused first has no licence.
        **{
            name: sa.case(
                (url.c.licence.is_(None), insert.excluded[name]), else_=url.c[name]
            )
            for name in ("licence", "licence_url", "licence_from", "expected_bytes")
        },
    }
    connection.execute(
        insert.on_conflict_do_update(index_elements=["url"], set_=again), rows
    )


def refuse(
    connection: sa.Connection, refused: Sequence[tuple[GivenPicture, str, str]]
) -> None:
    """Note files that are no pictures, so that `icf why ADDRESS` tells their fate.

    Args:
        connection: a transaction that writes.
        refused: each with the reason and the words of who could not read it.
    """
    if not refused:
        return
    now = time.time()
    rows = [
        {
            "url": given.url,
            "host": "",
            "source": given.part,
            "fate": reason if reason in _FATES else FetchStatus.CORRUPT.value,
            "message": why,
            "found_at": now,
            "finished_at": now,
        }
        for given, reason, why in refused
    ]
    insert = insert_into(connection, url)
    again = {"fate": insert.excluded.fate, "message": insert.excluded.message}
    connection.execute(
        insert.on_conflict_do_update(index_elements=["url"], set_=again), rows
    )


def filed_under(picture: MeasuredPicture) -> list[Owner | None]:
    """Whom a picture is filed under; None: nobody that it names."""
    owners: dict[Owner | None, None] = dict.fromkeys(
        each.given.owner for each in picture.faces if each.given.owner
    )
    if picture.given.filed:
        owners[picture.given.filed] = None
    return list(owners) or [None]


def places_of(given: GivenPicture, licence: str) -> Iterator[dict[str, Any]]:
    """Say where a picture was found, as rows of ``image_source``.

    Args:
        given: the picture.
        licence: of pictures that say none themselves.
    """
    own = licence_of(given, licence)
    if not given.places:
        author = given.author or None
        yield {"url": given.url, "page_url": None, "author": author, **own}
    for each in given.places:
        said = {
            "licence": each.licence,
            "licence_url": each.licence_url or None,
            "licence_from": each.licence_from,
        }
        yield {
            "url": each.url,
            "page_url": each.page or None,
            "author": each.author or None,
            **(said if each.licence else own),
        }


def licence_of(given: GivenPicture, default: str) -> dict[str, str | None]:
    """Say what a picture's licence is and who says so, as columns of its address."""
    name = given.licence or default
    by_user = UNKNOWN if name == UNKNOWN else "import"
    return {
        "licence": name,
        "licence_url": given.licence_url if given.licence else None,
        "licence_from": "list" if given.licence else by_user,
    }


def _mention(
    connection: sa.Connection,
    pictures: Sequence[MeasuredPicture],
    shown: Mapping[Owner | None, int],
    now: float,
) -> None:
    query = sa.select(url.c.id, url.c.url)
    urls = [each.given.url for each in pictures]
    keys = {row.url: row.id for row in by_ids(connection, query, url.c.url, urls)}
    rows = [
        {
            "url_id": keys[each.given.url],
            "character_id": shown[owner],
            "is_lead": False,
            "found_at": now,
        }
        for each in pictures
        for owner in filed_under(each)
    ]
    file_under(connection, mention, rows)
