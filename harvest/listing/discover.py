"""Discovery: list the albums, characters and pictures of the sources, and store them.

The tasks are rows of the table ``discovery``. A listing page is written in one
transaction with the cursor of the next page. So a killed run continues after the last
page that was stored, and no page is stored twice.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from icf.catalogue.bulk_insert import among
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import album, character, discovery
from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.dns_health import dns_is_down, wait_for_dns
from icf.harvest.http.session import Web
from icf.harvest.listing.exclusions import exclude
from icf.harvest.listing.hierarchy import enter_albums, enter_characters, enter_tasks
from icf.harvest.listing.limits import apply_limits, is_full
from icf.harvest.listing.pictures import store_pictures
from icf.harvest.listing.resolve import ResolvedPage, resolve
from icf.harvest.listing.versions import close_earlier, versions_of
from icf.harvest.sources.base import (
    UNREADABLE,
    Crawler,
    Level,
    Listing,
    ListingPage,
    Source,
    Task,
)
from icf.harvest.sources.rules import Rules

log = logging.getLogger(__name__)

_SHOWN_FAULTS = 5
#: Listings of a source that got no answer, each after all of its attempts: in a row.
_MOST_SILENCES = 5
_MORE_FAULTS = re.compile(r"and ([0-9]+) more")


@dataclass(frozen=True)
class Scope:
    """Which listings a run is for.

    Attributes:
        levels: of the listings.
        albums: names of the albums whose listings are wanted; empty for all, also for
            listings that belong to no album.
    """

    levels: frozenset[Level] = frozenset(Level)
    albums: frozenset[str] = frozenset()


EVERYTHING = Scope()
_NO_RULES = Rules()


@dataclass
class Listed:
    """What discovery did in this run.

    Attributes:
        fates: of new URLs that are not to be fetched, by what their listing says.
    """

    pages: int = 0
    pictures: int = 0
    passed_over: int = 0
    failed: int = 0
    faults: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    fates: Counter[FetchStatus] = field(default_factory=Counter)


class Discovery:
    """Processes the discovery tasks of the sources.

    Args:
        catalogue: where tasks and pages are stored.
        sources: those of ``icf.toml``.
        web: the guarded session.
        on_page: called after each page that was stored.
        rules: limits and filters of the sources, by their names.
        scope: which listings are wanted.
        only_licence: patterns of the allowed licences; empty for all.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        sources: Sequence[Source],
        web: Web,
        on_page: Callable[[], None] = lambda: None,
        rules: Mapping[str, Rules] | None = None,
        scope: Scope = EVERYTHING,
        only_licence: Collection[str] = (),
    ) -> None:
        self._catalogue = catalogue
        self._sources = sources
        self._web = web
        self._on_page = on_page
        self._rules = rules or {}
        self._scope = scope
        self._only_licence = only_licence
        self.listed = Listed()

    async def run(self) -> None:
        """Process every pending task, all sources concurrently.

        A source gets one task at a time, unless it is a `Crawler`.
        """
        await asyncio.gather(*(self._run_source(source) for source in self._sources))

    async def _run_source(self, source: Source) -> None:
        rules = self._rules.get(source.name, _NO_RULES)
        store_page = partial(
            store,
            self._catalogue,
            source,
            rules=rules,
            only_licence=self._only_licence,
        )
        waiting = _Waiting(
            self._catalogue, source, rules, self._scope, store_page, self._count
        )
        if isinstance(source, Crawler):
            await source.crawl(waiting, self._web)
            return
        while found := await waiting.waiting(1):
            (listing,) = found
            try:
                page = await self._step(source, listing.task)
            except Fault as fault:
                await waiting.fail(listing, str(fault), is_silence=fault.is_silence)
            else:
                await waiting.answer(listing, page)

    def _count(self, page: ResolvedPage | None) -> None:
        if page is None:
            self.listed.failed += 1
            return
        self.listed.pages += 1
        self.listed.pictures += len(page.pictures)
        self.listed.passed_over += page.passed_over
        self.listed.faults += page.faults
        self.listed.left_out.update(page.left_out)
        self.listed.fates.update(page.fates)
        self._on_page()

    async def _step(self, source: Source, task: Task) -> ListingPage:
        try:
            return await wait_for_dns(lambda: source.step(task, self._web))
        except Fault as fault:
            if fault.names_down:
                raise dns_is_down(fault) from fault
            raise
        except UNREADABLE as error:
            log.debug("%s: %s", source.name, task.subject, exc_info=True)
            text = f"cannot be read: {type(error).__name__}: {error}"
            raise Fault(FetchStatus.HTTP_ERROR, text) from error


class _Waiting:
    """The pending tasks of one source; the `Listings` that a `Crawler` gets.

    Args:
        store: stores a page of a listing; returns the part that was allowed.
        on_stored: called with the stored part of a page, or None for a failure.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        source: Source,
        rules: Rules,
        scope: Scope,
        store: Callable[[Listing, ListingPage], ResolvedPage | None],
        on_stored: Callable[[ResolvedPage | None], None],
    ) -> None:
        self._catalogue = catalogue
        self._source = source
        self._rules = rules
        self._scope = scope
        self._store = store
        self._on_stored = on_stored
        self._silences = 0

    async def waiting(self, count: int, without: Collection[int] = ()) -> list[Listing]:
        """Return the oldest pending tasks; close those that are not wanted any more."""
        if self._silences >= _MOST_SILENCES:
            return []
        while True:
            found = await asyncio.to_thread(
                waiting_listings,
                self._catalogue,
                self._source.name,
                self._scope,
                count,
                without,
            )
            wanted = [one for one in found if self._wants(one.task)]
            for listing in found:
                if not self._wants(listing.task):
                    empty = ListingPage(cursor=listing.task.cursor, passed_over=1)
                    await self._store_page(listing, empty)
            if wanted or not found:
                return wanted

    async def answer(self, listing: Listing, page: ListingPage) -> None:
        """Store a page of a listing."""
        self._silences = 0
        await self._store_page(listing, page)

    async def _store_page(self, listing: Listing, page: ListingPage) -> None:
        stored = await asyncio.to_thread(self._store, listing, page)
        if stored is not None:
            self._on_stored(stored)

    async def fail(
        self, listing: Listing, message: str, *, is_silence: bool = False
    ) -> None:
        """Mark a task as failed."""
        log.warning("%s: %s: %s", self._source.name, listing.task.subject, message)
        self._silences = self._silences + 1 if is_silence else 0
        if self._silences == _MOST_SILENCES:
            log.warning(
                "%s: no answer to %d listings in a row; others wait for the next run",
                self._source.name,
                self._silences,
            )
        await asyncio.to_thread(fail, self._catalogue, listing, message)
        self._on_stored(None)

    def _wants(self, task: Task) -> bool:
        return self._rules.wants_names(task.album, task.character)


def begin(
    catalogue: Catalogue, source: Source, *, refresh: bool, scope: Scope = EVERYTHING
) -> None:
    """Insert a source's first tasks; ``refresh`` makes all its tasks pending again.

    Not those of earlier versions of its files. A task that did not come to its end
    begins at its first cursor: a site may not know a later one any more.
    """
    tasks = list(source.first_tasks())
    with catalogue.write() as connection:
        enter_tasks(connection, source, tasks, {}, {})
        versions = versions_of(connection, source.name, tasks)
        close_earlier(connection, versions)
        again: dict[str, Any] = {
            "status": "pending",
            "attempts": 0,
            "message": None,
            "passed_over": 0,
        }
        first = discovery.c.first_cursor
        connection.execute(
            sa.update(discovery)
            .where(among(connection, discovery.c.id, versions.restored))
            .values(again | {"cursor": first, "changed_at": time.time()})
        )
        if refresh:
            ended = discovery.c.status == "done"
            cursor = sa.case((ended, discovery.c.cursor), else_=first)
            connection.execute(
                sa.update(discovery)
                .where(
                    _is_in(source.name, scope),
                    ~among(connection, discovery.c.id, versions.earlier),
                )
                .values(again | {"cursor": cursor})
            )


def count_listings(
    catalogue: Catalogue, source: Source, scope: Scope, *, refresh: bool
) -> int:
    """Count the listings that would be pending at the start of a run."""
    tasks = list(source.first_tasks())
    first = [task for task in tasks if task.level in scope.levels]
    mine = discovery.c.source == source.name
    with catalogue.read() as connection:
        versions = versions_of(connection, source.name, tasks)
        waits = sa.or_(
            sa.true() if refresh else discovery.c.status == "pending",
            among(connection, discovery.c.id, versions.restored),
        )
        waiting = count_rows(
            connection,
            discovery,
            _is_in(source.name, scope),
            waits,
            ~among(connection, discovery.c.id, versions.earlier),
        )
        known = {
            (row.task, row.subject)
            for row in connection.execute(
                sa.select(discovery.c.task, discovery.c.subject).where(
                    mine, discovery.c.album_id.is_(None)
                )
            )
        }
        new = {(one.kind, one.subject) for one in first} - known
    return waiting + (0 if scope.albums else len(new))


def waiting_listings(
    catalogue: Catalogue,
    source: str,
    scope: Scope = EVERYTHING,
    count: int = 1,
    without: Collection[int] = (),
) -> list[Listing]:
    """Return the oldest pending tasks of a source.

    Args:
        catalogue: that holds them.
        source: its name.
        scope: which of them.
        count: how many at most.
        without: ids to leave out.
    """
    query = (
        sa.select(
            discovery,
            album.c.name.label("album"),
            character.c.name.label("character"),
        )
        .outerjoin(album, album.c.id == discovery.c.album_id)
        .outerjoin(character, character.c.id == discovery.c.character_id)
        .where(_is_in(source, scope), discovery.c.status == "pending")
        .order_by(discovery.c.id)
        .limit(count)
    )
    if without:
        query = query.where(discovery.c.id.not_in(sorted(without)))
    with catalogue.read() as connection:
        rows = connection.execute(query).all()
    return [
        Listing(
            row.id,
            Task(
                row.task,
                row.subject,
                row.album,
                row.character,
                row.cursor,
                Level(row.level),
            ),
        )
        for row in rows
    ]


def _is_in(source: str, scope: Scope) -> sa.ColumnElement[bool]:
    levels = sorted(level.value for level in scope.levels)
    where = [discovery.c.source == source, discovery.c.level.in_(levels)]
    if scope.albums:
        named = sa.select(album.c.id).where(album.c.name.in_(sorted(scope.albums)))
        where.append(discovery.c.album_id.in_(named))
    return sa.and_(*where)


def fail(catalogue: Catalogue, listing: Listing, message: str) -> None:
    """Mark a task as failed; ``icf-harvest retry`` makes it pending again."""
    with catalogue.write() as connection:
        connection.execute(
            sa.update(discovery)
            .where(discovery.c.id == listing.id)
            .values(
                status="failed",
                message=message,
                attempts=discovery.c.attempts + 1,
                changed_at=time.time(),
            )
        )


def store(
    catalogue: Catalogue,
    source: Source,
    listing: Listing,
    page: ListingPage,
    rules: Rules = _NO_RULES,
    only_licence: Collection[str] = (),
) -> ResolvedPage | None:
    """Write a page and advance its task, in one transaction.

    Returns:
        The part of it that limits and filters allow; None if another runner has stored
        this page.
    """
    resolved = resolve(source, page)
    with catalogue.write() as connection:
        if not _advance(connection, listing, page):
            return None
        allowed = exclude(connection, resolved, only_licence)
        limited = apply_limits(connection, source.name, rules, allowed)
        kept = limited.page
        albums = enter_albums(connection, source, kept, rules.style)
        characters = enter_characters(connection, source, kept, albums)
        enter_tasks(connection, source, kept.tasks, albums, characters)
        fates = store_pictures(connection, source, kept, characters, albums)
        if passed_over := kept.passed_over + sum(page.left_out.values()):
            _count_passed_over(connection, listing, passed_over)
        if (
            limited.over_limit
            and not page.done
            and is_full(connection, source.name, rules, listing.task)
        ):
            _end_at_limit(connection, listing)
    return replace(kept, fates=fates)


def _count_passed_over(connection: sa.Connection, listing: Listing, count: int) -> None:
    connection.execute(
        sa.update(discovery)
        .where(discovery.c.id == listing.id)
        .values(passed_over=discovery.c.passed_over + count)
    )


def _end_at_limit(connection: sa.Connection, listing: Listing) -> None:
    """End a listing that a limit has filled; a refresh lists it from the start."""
    connection.execute(
        sa.update(discovery)
        .where(discovery.c.id == listing.id)
        .values(status="limited", cursor=discovery.c.first_cursor)
    )


def _advance(connection: sa.Connection, listing: Listing, page: ListingPage) -> bool:
    message = _message(connection, listing, page.faults)
    moved = connection.execute(
        sa.update(discovery)
        .where(
            discovery.c.id == listing.id,
            discovery.c.status == "pending",
            discovery.c.cursor.is_not_distinct_from(listing.task.cursor),
        )
        .values(
            cursor=page.cursor,
            status="done" if page.done else "pending",
            message=message,
            changed_at=time.time(),
        )
    )
    return moved.rowcount == 1


def _message(
    connection: sa.Connection, listing: Listing, faults: Sequence[str]
) -> str | None:
    """Return the message to store: the faults of earlier pages, and the new ones."""
    query = sa.select(discovery.c.message).where(discovery.c.id == listing.id)
    earlier = connection.execute(query).scalar()
    shown: list[str] = earlier.split("\n") if earlier else []
    counted = _MORE_FAULTS.fullmatch(shown[-1]) if shown else None
    more = int(counted[1]) if counted else 0
    if counted:
        shown.pop()
    room = max(0, _SHOWN_FAULTS - len(shown))
    shown += faults[:room]
    more += len(faults[room:])
    return "\n".join([*shown, *([f"and {more} more"] if more else [])]) or None
