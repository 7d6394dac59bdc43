"""Make URLs and listings pending again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.bulk_insert import among
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import count_rows, locked
from icf.catalogue.schema import discovery, url
from icf.codes import FetchStatus
from icf.harvest.fates import TEMPORARY, in_order
from icf.harvest.sources.base import Source
from icf.harvest.sources.folder import FILE_IS_GONE, is_there

#: How MediaWiki says that it does not know a continue token any more.
_REFUSED = ": badcontinue: "


@dataclass(frozen=True)
class Selection:
    """Which URLs and listings are tried again.

    Attributes:
        fates: of the URLs.
        sources: names of those that listed them; empty for all.
        hosts: as in URLs, with a port if it is not the scheme's default; empty for all.
            With a host, no listings are tried again.
    """

    fates: tuple[FetchStatus, ...] = TEMPORARY
    sources: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    @property
    def urls(self) -> sa.ColumnElement[bool]:
        """The condition on rows of ``url``."""
        where = [url.c.fate.in_(sorted(fate.value for fate in self.fates))]
        if self.sources:
            where.append(url.c.source.in_(self.sources))
        if self.hosts:
            where.append(url.c.host.in_(self.hosts))
        return sa.and_(*where)

    @property
    def listings(self) -> sa.ColumnElement[bool]:
        """The condition on rows of ``discovery``."""
        if self.hosts:
            return sa.false()
        failed = discovery.c.status == "failed"
        if not self.sources:
            return failed
        return sa.and_(failed, discovery.c.source.in_(self.sources))


def count_again(connection: sa.Connection, selection: Selection) -> dict[str, int]:
    """Count the URLs that would be tried again, by fate, in the order of the codes."""
    query = (
        sa.select(url.c.fate, sa.func.count())
        .where(selection.urls)
        .group_by(url.c.fate)
    )
    found = {fate: int(count) for fate, count in connection.execute(query)}
    return in_order(found)


def make_pending(connection: sa.Connection, selection: Selection) -> int:
    """Make URLs pending; return how many."""
    return _make_pending(connection, selection.urls)


def files_that_returned(
    catalogue: Catalogue, sources: Collection[Source], wanted: sa.ColumnElement[bool]
) -> list[int]:
    """Return the ids of pictures whose files were gone, and are there now.

    A disk that is not mounted for a while takes the files of a listing with it.

    Args:
        catalogue: that knows them.
        sources: of the run; those with own files count.
        wanted: the URLs that the run is for.
    """
    own = [source.name for source in sources if source.reader is not None]
    query = sa.select(url.c.id, url.c.url).where(
        url.c.fate == FetchStatus.NOT_FOUND.value,
        url.c.source.in_(own),
        url.c.message.endswith(FILE_IS_GONE),
        wanted,
    )
    with catalogue.read() as connection:
        rows = connection.execute(query).all()
    return [row.id for row in rows if is_there(row.url)]


def read_again(catalogue: Catalogue, ids: Collection[int]) -> None:
    """Make URLs pending, by their ids."""
    if not ids:
        return
    with catalogue.write() as connection:
        _make_pending(connection, among(connection, url.c.id, ids))


def _make_pending(connection: sa.Connection, chosen: sa.ColumnElement[bool]) -> int:
    again: dict[str, Any] = {
        "fate": FetchStatus.PENDING.value,
        "attempts": 0,
        "not_before": 0.0,
        "finished_at": None,
        "leased_by": None,
        "leased_until": 0.0,
    }
    failed = locked(connection, url, chosen)
    changed = connection.execute(sa.update(url).where(failed).values(again))
    return changed.rowcount


def count_failed_listings(connection: sa.Connection, selection: Selection) -> int:
    """Count the failed listings that would be tried again."""
    return count_rows(connection, discovery, selection.listings)


def list_again(connection: sa.Connection, selection: Selection) -> int:
    """Make failed listings pending; return how many.

    One whose continue token the wiki refuses begins again.
    """
    refused = discovery.c.message.contains(_REFUSED, autoescape=True)
    cursor = sa.case((refused, discovery.c.first_cursor), else_=discovery.c.cursor)
    changed = connection.execute(
        sa.update(discovery)
        .where(selection.listings)
        .values(status="pending", message=None, cursor=cursor)
    )
    return changed.rowcount
