"""Correct what a source said earlier of its URLs: page, licence and author."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue.bulk_insert import among
from icf.catalogue.rows import lock
from icf.catalogue.schema import image_source, url
from icf.codes import FetchStatus
from icf.harvest.attributes.licence import UNKNOWN
from icf.harvest.sources.base import Corrects
from icf.redact import without_login

#: What a listing states of a picture, in ``url`` and in ``image_source``.
_STATED = ("page_url", "licence", "licence_url", "licence_from", "author")

Row = Mapping[str, Any]


def correct(
    connection: sa.Connection, source: str, listed: Sequence[tuple[Corrects, Row]]
) -> None:
    """Change the known URLs of a source of which it now says something else.

    Their stored pictures have the new page, licence and author too. A URL that is
    pending is excluded if its new licence is not allowed; one that was excluded becomes
    pending if it is. What another source listed first stays.

    Args:
        connection: of the transaction that stores the page, and has locked its URLs.
        source: the name of the one that lists them.
        listed: rows of ``url`` as they would be new, each URL once.
    """
    new = {row["url"]: (reach, row) for reach, row in listed}
    query = sa.select(url.c.id, url.c.url, url.c.image_id, *_columns(url)).where(
        among(connection, url.c.url, list(new)), url.c.source == source
    )
    known_rows = [dict(row) for row in connection.execute(query).mappings()]
    changed = [
        (known, new[known["url"]][1])
        for known in known_rows
        if _is_corrected(known, *new[known["url"]])
    ]
    if not changed:
        return
    _state(connection, url, {known["id"]: row for known, row in changed})
    stored = {r["url"]: r for known, r in changed if known["image_id"] is not None}
    _correct_pictures(connection, source, stored)
    rows = [row for _, row in changed]
    _exclude(connection, rows)
    _admit(connection, rows)


def _columns(table: sa.Table) -> list[sa.Column[Any]]:
    return [table.c[name] for name in _STATED]


def _is_corrected(known: Row, reach: Corrects, row: Row) -> bool:
    if reach is Corrects.NOTHING or all(known[name] == row[name] for name in _STATED):
        return False
    # Earlier versions stored logins.
    same_page = without_login(known["page_url"]) == row["page_url"]
    return same_page or reach is Corrects.SOURCE


def _correct_pictures(
    connection: sa.Connection, source: str, rows: Mapping[str, Row]
) -> None:
    """Change the sources of stored pictures, also of earlier bytes of the URLs."""
    if not rows:
        return
    found = sa.and_(
        among(connection, image_source.c.url, list(rows)),
        image_source.c.source == source,
    )
    lock(connection, image_source, found)
    query = sa.select(image_source.c.id, image_source.c.url).where(found)
    _state(
        connection,
        image_source,
        {each.id: rows[each.url] for each in connection.execute(query)},
    )


def _state(connection: sa.Connection, table: sa.Table, rows: Mapping[int, Row]) -> None:
    """Write what is stated into rows, by their ids."""
    if not rows:
        return
    values = [
        {
            "row_id": row_id,
            **{f"new_{name}": row[name] for name in _STATED},
            "new_licence": row["licence"] or UNKNOWN.name,
        }
        for row_id, row in rows.items()
    ]
    connection.execute(
        sa.update(table)
        .where(table.c.id == sa.bindparam("row_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in _STATED}),
        values,
    )


def _exclude(connection: sa.Connection, rows: Sequence[Row]) -> None:
    """Set pending URLs aside whose new licence is not allowed."""
    others = [
        {"known_url": row["url"], "why": row["message"]}
        for row in rows
        if row["fate"] == FetchStatus.OTHER_LICENCE.value
    ]
    if others:
        connection.execute(
            sa.update(url)
            .where(
                url.c.url == sa.bindparam("known_url"),
                url.c.fate == FetchStatus.PENDING.value,
            )
            .values(
                fate=FetchStatus.OTHER_LICENCE.value,
                message=sa.bindparam("why"),
                finished_at=time.time(),
                leased_by=None,
                leased_until=0.0,
            ),
            others,
        )


def _admit(connection: sa.Connection, rows: Sequence[Row]) -> None:
    """Make URLs pending that were excluded for their earlier licence."""
    allowed = [r["url"] for r in rows if r["fate"] == FetchStatus.PENDING.value]
    connection.execute(
        sa.update(url)
        .where(
            among(connection, url.c.url, allowed),
            url.c.fate == FetchStatus.OTHER_LICENCE.value,
        )
        .values(
            fate=FetchStatus.PENDING.value,
            message=None,
            attempts=0,
            not_before=0.0,
            finished_at=None,
        )
    )
