"""Exclude what was withdrawn, and pictures whose licence is not allowed."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import replace

import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import locked
from icf.catalogue.schema import url
from icf.codes import FetchStatus
from icf.harvest.listing.resolve import ResolvedPage, ResolvedPicture
from icf.licence_names import is_allowed


def exclude(
    connection: sa.Connection, page: ResolvedPage, only_licence: Collection[str]
) -> ResolvedPage:
    """Return a page without withdrawn characters, with the fate of excluded pictures.

    Args:
        connection: of the transaction that stores the page.
        page: as the source listed it.
        only_licence: patterns of the allowed licences; empty for all.
    """
    kept = _without_withdrawn_characters(connection, page)
    addresses = {one.address.url for one in kept.pictures}
    addresses |= {other for one in kept.pictures for other in one.fallbacks}
    withdrawn = tombstones.buried(connection, tombstones.URL, addresses)
    pictures = tuple(_with_fate(one, withdrawn, only_licence) for one in kept.pictures)
    return replace(kept, pictures=pictures)


def exclude_waiting(catalogue: Catalogue, only_licence: Collection[str]) -> int:
    """Exclude every pending URL whose licence is not allowed; return how many."""
    if not only_licence:
        return 0
    waiting = url.c.fate == FetchStatus.PENDING.value
    found = sa.select(url.c.licence, url.c.licence_url).where(waiting).distinct()
    with catalogue.read() as connection:
        others = [
            row
            for row in connection.execute(found).all()
            if not is_allowed(only_licence, row.licence, row.licence_url)
        ]
    excluded = 0
    for row in others:
        with catalogue.write() as connection:
            of_licence = sa.and_(
                waiting,
                url.c.licence.is_not_distinct_from(row.licence),
                url.c.licence_url.is_not_distinct_from(row.licence_url),
            )
            change = sa.update(url).where(locked(connection, url, of_licence))
            values = {
                "fate": FetchStatus.OTHER_LICENCE.value,
                "message": _message(row.licence, only_licence),
                "finished_at": time.time(),
                "leased_by": None,
                "leased_until": 0.0,
            }
            excluded += connection.execute(change.values(values)).rowcount
    return excluded


def _without_withdrawn_characters(
    connection: sa.Connection, page: ResolvedPage
) -> ResolvedPage:
    def name(album: str | None, character: str | None) -> str:
        return tombstones.full_name(album or "", character or "")

    # Most pictures of a page show the same characters.
    pairs = {
        *((one.album, one.name) for one in page.characters),
        *((one.album, one.character) for one in page.tasks if one.character),
        *((one.album, one.character) for one in page.pictures if one.character),
    }
    named = {name(*pair) for pair in pairs}
    gone = tombstones.buried(connection, tombstones.CHARACTER, named)
    if not gone:
        return page
    kept = replace(
        page,
        characters=tuple(
            one for one in page.characters if name(one.album, one.name) not in gone
        ),
        tasks=tuple(
            one for one in page.tasks if name(one.album, one.character) not in gone
        ),
        pictures=tuple(
            one for one in page.pictures if name(one.album, one.character) not in gone
        ),
    )
    left_out = len(page.characters) - len(kept.characters)
    left_out += len(page.pictures) - len(kept.pictures)
    return replace(kept, passed_over=page.passed_over + left_out)


def _with_fate(
    picture: ResolvedPicture, withdrawn: Collection[str], only_licence: Collection[str]
) -> ResolvedPicture:
    if picture.address.url in withdrawn:
        return replace(picture, fate=FetchStatus.TAKEN_DOWN, message=None)
    others = tuple(one for one in picture.fallbacks if one not in withdrawn)
    if others != picture.fallbacks:
        picture = replace(picture, fallbacks=others)
    licence = picture.licence
    if picture.fate is not FetchStatus.PENDING or is_allowed(
        only_licence, licence.name, licence.url
    ):
        return picture
    message = _message(licence.name, only_licence)
    return replace(picture, fate=FetchStatus.OTHER_LICENCE, message=message)


def _message(licence: str | None, only_licence: Collection[str]) -> str:
    wanted = ", ".join(only_licence)
    return f"its licence is {licence or 'unknown'!r}; harvest.only_licence is {wanted}"
