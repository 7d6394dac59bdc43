"""One run of the harvest: list and fetch concurrently until nothing is pending."""

from __future__ import annotations

import asyncio
import difflib
import signal
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import album, character, mention, url
from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.download.attempt import Attempt
from icf.harvest.download.fetch import Fetcher
from icf.harvest.download.frontier import Frontier
from icf.harvest.download.warc import WarcFiles
from icf.harvest.download.worker import Harvested, Worker
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.body import Limits
from icf.harvest.http.robots import Robots
from icf.harvest.http.session import Web
from icf.harvest.http.user_agent import user_agent
from icf.harvest.listing.discover import (
    EVERYTHING,
    Discovery,
    Listed,
    Scope,
    begin,
    count_listings,
)
from icf.harvest.listing.exclusions import exclude_waiting
from icf.harvest.own_loop import run_to_end
from icf.harvest.report.retry import files_that_returned, read_again
from icf.harvest.sources.base import Source, open_sources, rules_of
from icf.settings import HarvestSettings
from icf.workspace import Workspace


@dataclass(frozen=True)
class Work:
    """What a run is to do.

    Attributes:
        scope: which listings are wanted.
        sources: names of the sources it is for; empty for all.
        refresh: list again what was listed before.
        fetch: whether pictures are fetched, or only listed.
        again: fetch only what was fetched before, and list nothing.
    """

    scope: Scope = EVERYTHING
    sources: tuple[str, ...] = ()
    refresh: bool = False
    fetch: bool = True
    again: bool = False

    @property
    def urls(self) -> sa.ColumnElement[bool]:
        """The rows of the frontier that it is for."""
        where: list[sa.ColumnElement[bool]] = []
        if self.sources:
            where.append(url.c.source.in_(self.sources))
        if self.scope.albums:
            where.append(_is_filed_in(self.scope.albums))
        if self.again:
            where.append(url.c.image_id.is_not(None))
        return sa.and_(sa.true(), *where)


ALL_WORK = Work()


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes:
        sources: how many it is for.
        listings: how many it would request.
        urls: how many it would fetch.
    """

    sources: int
    listings: int
    urls: int


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Attributes:
        listed: counts of what the sources listed.
        harvested: counts of what was fetched.
        pending: URLs that are still pending, because their hosts refused too often or
            gave no answer.
    """

    listed: Listed
    harvested: Harvested
    pending: int

    @property
    def fates(self) -> Counter[FetchStatus]:
        """How many URLs ended how, those that only were listed too."""
        return self.listed.fates + self.harvested.fates


def harvest(
    workspace: Workspace,
    work: Work = ALL_WORK,
    *,
    finished: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """List what the sources have and fetch what is pending.

    Where an event loop runs in this thread, it is blocked until the end.

    Args:
        workspace: with the sources in its ``icf.toml``.
        work: what to do.
        finished: called with the number of URLs of each finished batch.

    Raises:
        WrongUse: there is no source, or a declaration is wrong.
        BrokenMachine: the disk, database or name service does not work.
    """
    sources = declared_sources(workspace, work.sources)
    agent = user_agent(workspace.settings.harvest)
    if not work.again:  # which brings back what is lost
        workspace.check_blobs()
    workspace.blobs.sweep()
    if not work.again:
        for source in sources:
            begin(workspace.catalogue, source, refresh=work.refresh, scope=work.scope)
        returned = files_that_returned(workspace.catalogue, sources, work.urls)
        read_again(workspace.catalogue, returned)
    exclude_waiting(workspace.catalogue, workspace.settings.harvest.only_licence)
    run_id = workspace.begin_run("icf-harvest run")
    try:
        done = run_to_end(lambda: _run(workspace, sources, work, agent, finished))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    workspace.end_run(run_id)
    return Outcome(*done, count_pending(workspace.catalogue, work))


def plan(workspace: Workspace, work: Work) -> Plan:
    """Return what `harvest` would do, without any request.

    Raises:
        WrongUse: there is no source, or a declaration is wrong.
    """
    sources = declared_sources(workspace, work.sources)
    listings = sum(
        count_listings(workspace.catalogue, source, work.scope, refresh=work.refresh)
        for source in sources
    )
    urls = 0
    if work.fetch:
        urls = count_pending(workspace.catalogue, work)
        if not work.again:
            urls += len(files_that_returned(workspace.catalogue, sources, work.urls))
    return Plan(len(sources), listings, urls)


def declared_sources(workspace: Workspace, names: Collection[str] = ()) -> list[Source]:
    """Return the sources of a workspace, or those with the given names.

    Raises:
        WrongUse: there is no source, none of a given name, or a declaration is wrong.
    """
    sources = open_sources(workspace.settings, workspace.root)
    if not sources:
        raise WrongUse(
            f"{workspace.root / 'icf.toml'} declares no [[source]] to harvest; add "
            "one, for example\n\n"
            '[[source]]\nname = "mine"\nkind = "folder"\n'
            'path = "pictures"   # pictures/ALBUM/CHARACTER/*.jpg'
        )
    known = [source.name for source in sources]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, cutoff=0)
            raise WrongUse(f"no source is named {name!r}; did you mean {near[0]!r}?")
    return [source for source in sources if not names or source.name in names]


def count_pending(catalogue: Catalogue, work: Work = ALL_WORK) -> int:
    """Count the pending URLs."""
    is_pending = url.c.fate == FetchStatus.PENDING.value
    with catalogue.read() as connection:
        return count_rows(connection, url, is_pending, work.urls)


def _is_filed_in(albums: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a URL is filed in one of these albums."""
    ids = sa.select(album.c.id).where(album.c.name.in_(sorted(albums)))
    of_cast = (
        sa.select(mention.c.url_id)
        .join(character, character.c.id == mention.c.character_id)
        .where(character.c.album_id.in_(ids))
    )
    return sa.or_(url.c.album_id.in_(ids), url.c.id.in_(of_cast))


async def _run(
    workspace: Workspace,
    sources: Sequence[Source],
    work: Work,
    agent: str,
    finished: Callable[[int], None],
) -> tuple[Listed, Harvested]:
    settings, catalogue = workspace.settings.harvest, workspace.catalogue
    allow = AllowList(settings.allow_hosts)
    # Listings and robots.txt need connections in addition to the fetches.
    connections = settings.concurrency + len(sources) + 4
    with _cancelled_by_sigterm(), _warc_of(workspace, agent) as warc:
        async with Web(
            agent, allow, connections=connections, proxy=settings.proxy
        ) as web:
            robots = Robots(web, obey=settings.respect_robots)
            fetcher = Fetcher(
                web,
                robots,
                limits_of(settings),
                refuse_reserved=settings.no_training == "refuse",
            )
            readers = {s.name: s.reader for s in sources if s.reader is not None}
            with catalogue.read() as connection:
                withdrawn = tombstones.all_of_kind(connection, tombstones.SHA256)
            attempt = Attempt(
                fetcher,
                robots,
                workspace.blobs,
                readers,
                withdrawn,
                max_pixels=settings.max_pixels,
                refuse_marked=settings.no_training == "refuse",
                warc=warc,
            )
            frontier = Frontier(catalogue, settings.lease, only=work.urls)
            worker = Worker(catalogue, frontier, attempt, settings, finished)
            rules = rules_of(workspace.settings)
            listing = Discovery(
                catalogue,
                sources,
                web,
                worker.wake,
                rules,
                work.scope,
                settings.only_licence,
            )
            try:
                if work.again:
                    await worker.run(lambda: False)
                elif work.fetch:
                    await _run_both(listing, worker)
                else:
                    await listing.run()
            finally:
                for reader in readers.values():
                    reader.close()
    return listing.listed, worker.harvested


async def _run_both(discovery: Discovery, worker: Worker) -> None:
    """Run both to their end; if one fails or this task is cancelled, stop both."""
    listing = asyncio.create_task(discovery.run())
    fetching = asyncio.create_task(worker.run(lambda: not listing.done()))
    try:
        await asyncio.wait({listing, fetching}, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in (listing, fetching):
            task.cancel()
        ends = await asyncio.gather(listing, fetching, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(
            end, asyncio.CancelledError
        ):
            raise end


def limits_of(settings: HarvestSettings) -> Limits:
    """Return the limits of one fetch."""
    return Limits(
        max_bytes=settings.max_bytes,
        deadline=settings.deadline,
        min_rate=settings.min_rate,
        longest_wait=settings.retry_after_cap,
    )


def _warc_of(
    workspace: Workspace, agent: str
) -> AbstractContextManager[WarcFiles | None]:
    if not workspace.settings.harvest.warc:
        return nullcontext()
    return WarcFiles(workspace.root / "warc", agent)


@contextmanager
def _cancelled_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    try:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    except (NotImplementedError, RuntimeError, ValueError):
        yield  # in another thread `run_to_end` does it, or not on this system
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
