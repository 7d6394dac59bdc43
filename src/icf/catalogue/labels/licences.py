"""Which pictures may be used: those found under an allowed licence."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from icf.catalogue.rows import by_ids
from icf.catalogue.schema import image_source
from icf.licence_names import is_allowed, licence_family


def under_licence(
    connection: sa.Connection, images: Sequence[int], only_licence: Collection[str]
) -> frozenset[int]:
    """Return the images that were found under an allowed licence.

    One such source is enough: a picture may be published under several licences.

    Args:
        connection: to the catalogue.
        images: their ids.
        only_licence: patterns, as the setting ``harvest.only_licence`` has them; empty:
            all licences.
    """
    if not only_licence:
        return frozenset(images)
    query = sa.select(
        image_source.c.image_id, image_source.c.licence, image_source.c.licence_url
    )
    return frozenset(
        row.image_id
        for row in by_ids(connection, query, image_source.c.image_id, images)
        if is_allowed(only_licence, row.licence, row.licence_url)
    )


def allowed_sources(
    connection: sa.Connection, only_licence: Collection[str]
) -> tuple[tuple[str, str | None], ...] | None:
    """Return the licences that are allowed, each with its URL, as sources have them.

    Args:
        connection: to the catalogue.
        only_licence: as for `under_licence`.

    Returns:
        Ascending; None where all are allowed.
    """
    if not only_licence:
        return None
    query = sa.select(image_source.c.licence, image_source.c.licence_url).distinct()
    rows = [(row.licence, row.licence_url) for row in connection.execute(query)]
    allowed = [row for row in rows if is_allowed(only_licence, *row)]
    return tuple(sorted(allowed, key=lambda row: (row[0], row[1] or "")))


def licences(connection: sa.Connection) -> list[str]:
    """The normalised names of all licences that pictures were found under, sorted."""
    query = sa.select(image_source.c.licence, image_source.c.licence_url).distinct()
    return sorted({licence_family(*row) for row in connection.execute(query)})
