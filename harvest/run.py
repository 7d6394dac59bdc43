"""One run of the harvest: listing and fetching side by side, until nothing is left."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from icf import __version__
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import discovery, url
from icf.codes import Fate
from icf.errors import WrongUse
from icf.harvest.addresses import AllowList
from icf.harvest.attempt import Attempt
from icf.harvest.body import Limits
from icf.harvest.discover import Discovery, Listed, begin
from icf.harvest.fetch import Fetcher
from icf.harvest.frontier import Frontier
from icf.harvest.robots import Robots
from icf.harvest.source import Source, open_sources
from icf.harvest.web import Web
from icf.harvest.worker import Harvested, Worker
from icf.settings import HarvestSettings
from icf.workspace import Workspace


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Attributes:
        listed: what the sources answered.
        harvested: what became of the URLs that were fetched.
        pending: URLs that wait still, because their hosts refused too often.
    """

    listed: Listed
    harvested: Harvested
    pending: int


def harvest(
    workspace: Workspace,
    *,
    refresh: bool = False,
    finished: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """List what the sources have and fetch what is pending.

    Args:
        workspace: with the sources in its ``icf.toml``.
        refresh: list again what was listed before.
        finished: called with the number of URLs of each batch that is done.

    Raises:
        WrongUse: no source, or one that is declared wrongly.
        BrokenMachine: disk, database or name service do not answer.
    """
    sources = declared_sources(workspace)
    agent = user_agent(workspace.settings.harvest)
    workspace.blobs.sweep()
    for source in sources:
        begin(workspace.catalogue, source, refresh=refresh)
    run_id = workspace.begin_run("icf-harvest run")
    try:
        listed, harvested = asyncio.run(_run(workspace, sources, agent, finished))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    workspace.end_run(run_id)
    return Outcome(listed, harvested, count_pending(workspace.catalogue))


def declared_sources(workspace: Workspace) -> list[Source]:
    """Return the sources of a workspace.

    Raises:
        WrongUse: there is none, or one that is declared wrongly.
    """
    sources = open_sources(workspace.settings, workspace.root)
    if not sources:
        raise WrongUse(
            f"{workspace.root / 'icf.toml'} declares no [[source]] to harvest; add "
            "one, for example\n\n"
            '[[source]]\nname = "mine"\nkind = "folder"\n'
            'path = "pictures"   # pictures/ALBUM/CHARACTER/*.jpg'
        )
    return sources


def user_agent(settings: HarvestSettings) -> str:
    """Return the name under which sites see us.

    >>> user_agent(HarvestSettings(contact="me@example.org")).endswith(
    ...     "(+me@example.org)"
    ... )
    True

    Raises:
        WrongUse: the contact cannot stand in a header.
    """
    contact = settings.contact.strip()
    if not contact.isascii() or not contact.isprintable():
        raise WrongUse(
            f"harvest.contact = {contact!r} goes into a header: plain ASCII, one line"
        )
    return f"icf/{__version__} (+{contact})" if contact else f"icf/{__version__}"


def count_pending(catalogue: Catalogue) -> int:
    """Count the URLs that wait to be fetched."""
    return _count(catalogue, url.c.fate == Fate.PENDING.value)


def count_listings(catalogue: Catalogue) -> int:
    """Count the listings that are not done."""
    return _count(catalogue, discovery.c.status == "pending")


def _count(catalogue: Catalogue, which: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).where(which)
    with catalogue.read() as connection:
        return int(connection.execute(query).scalar_one())


async def _run(
    workspace: Workspace,
    sources: Sequence[Source],
    agent: str,
    finished: Callable[[int], None],
) -> tuple[Listed, Harvested]:
    settings, catalogue = workspace.settings.harvest, workspace.catalogue
    allow = AllowList(settings.allow_hosts)
    # Listings and robots.txt need connections of their own beside the fetches.
    connections = settings.concurrency + len(sources) + 4
    with _cancelled_by_sigterm():
        async with Web(agent, allow, connections=connections) as web:
            robots = Robots(web, obey=settings.respect_robots)
            fetcher = Fetcher(web, robots, limits_of(settings))
            readers = {s.name: s.reader for s in sources if s.reader is not None}
            attempt = Attempt(fetcher, robots, workspace.blobs, readers)
            frontier = Frontier(catalogue, settings.lease)
            worker = Worker(catalogue, frontier, attempt, settings, finished)
            discovery = Discovery(catalogue, sources, web, worker.more_came)
            try:
                await _side_by_side(discovery, worker)
            finally:
                for reader in readers.values():
                    reader.close()
    return discovery.listed, worker.harvested


async def _side_by_side(discovery: Discovery, worker: Worker) -> None:
    """Run both to their end; when one fails, or we are stopped, stop the other."""
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
    """Return what one fetch may cost."""
    return Limits(
        max_bytes=settings.max_bytes,
        deadline=settings.deadline,
        min_rate=settings.min_rate,
        longest_wait=settings.retry_after_cap,
    )


@contextmanager
def _cancelled_by_sigterm() -> Iterator[None]:
    """Let a polite kill end the run as Ctrl-C does."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    try:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    except (NotImplementedError, RuntimeError, ValueError):
        yield  # not in the main thread, or not on this system
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
