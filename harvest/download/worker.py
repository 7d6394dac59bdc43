"""The fetch loop: lease in batches, fetch concurrently, write results in batches.

All access to the catalogue runs in one separate thread, so that fetching never waits
for the disk. Memory is bounded: some hundreds of leased URLs and one or two batches of
results, however long the frontier is.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from icf.catalogue.catalogue import Catalogue
from icf.codes import FETCHED, FetchStatus
from icf.errors import BrokenMachine
from icf.harvest.download.attempt import Attempt
from icf.harvest.download.frontier import Frontier, Leased
from icf.harvest.download.hosts import Hosts
from icf.harvest.download.results import Ended, Postponed, Result, Stored, write_results
from icf.harvest.download.silence import SilentHosts
from icf.harvest.fates import GONE
from icf.harvest.fault import Fault
from icf.harvest.http.dns_health import DnsHealth, dns_is_down
from icf.harvest.http.places import Place, Places, most_waiting
from icf.harvest.http.urls import host_of
from icf.settings import HarvestSettings

log = logging.getLogger(__name__)

#: Results that a kill may lose: half of them are being written while the other half is
#: collected. With more, fetching waits for the disk.
BATCH = 128
_FLUSH_SECONDS = 1.0
_POLL_SECONDS = 2.0
#: For a longer pause of a host, its URLs are released to the frontier.
_SHORT_PAUSE = 2.0
#: How often a host may ask for a pause, in addition to the ordinary attempts, before a
#: URL fails.
_EXTRA_PAUSES = 10
#: How often a host may ask for the longest pause, before it is given up for this run.
_LONG_PAUSES = 3


def _host(leased: Leased) -> str:
    """Return the host that is asked: a fallback may be elsewhere."""
    return host_of(leased.address) if leased.address_no else leased.host


def _gap(settings: HarvestSettings) -> float:
    """Return the seconds between two requests to one host."""
    return 1 / settings.per_host_rate if settings.per_host_rate else 0.0


@dataclass
class Harvested:
    """What a worker did in this run, counted by fate.

    Attributes:
        bytes: of what was stored.
        given_up: hosts that refused too often, or gave no answer for too long.
    """

    fates: Counter[FetchStatus] = field(default_factory=Counter)
    bytes: int = 0
    given_up: set[str] = field(default_factory=set)

    @property
    def failed(self) -> int:
        """URLs that ended without a picture."""
        return sum(n for fate, n in self.fates.items() if fate not in FETCHED)


class Worker:
    """Fetches the URLs of the frontier until none is pending.

    Args:
        catalogue: where results are written.
        frontier: where URLs are leased.
        attempt: makes one attempt at one URL.
        settings: of the harvest.
        on_batch: called with the number of results after each batch.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        frontier: Frontier,
        attempt: Attempt,
        settings: HarvestSettings,
        on_batch: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._catalogue = catalogue
        self._frontier = frontier
        self._attempt = attempt
        self._settings = settings
        self._on_batch = on_batch
        self._clock = frontier.clock
        self._hosts = Hosts(settings.per_host, attempt.delay, _gap(settings))
        self._names = DnsHealth()
        self._silent = SilentHosts()
        self._database = ThreadPoolExecutor(1, "catalogue")
        self._wake = asyncio.Event()
        self._places = Places(settings.concurrency, most_waiting(), self._wake.set)
        self._active: dict[asyncio.Task[Result], tuple[Leased, Place]] = {}
        self._writing: set[asyncio.Future[Any]] = set()
        self._results: list[Result] = []
        self._being_written = 0
        #: Ids of leased rows without a written result.
        self._held: set[int] = set()
        #: Until when hosts asked to be left alone; not in the catalogue yet.
        self._pauses: dict[str, float] = {}
        self._leasing = False
        self._lease_at = 0.0
        self._flush_at = 0.0
        self._renew_at = self._clock() + settings.lease / 3
        self._asking: asyncio.Task[None] | None = None
        self._broken: BaseException | None = None
        self.harvested = Harvested()

    async def run(self, is_listing: Callable[[], bool]) -> None:
        """Fetch until nothing is pending and the listing has ended.

        Args:
            is_listing: returns whether new URLs may still appear.

        Raises:
            BrokenMachine: the disk, database or name service does not work; leased
                rows are released.
        """
        try:
            await self._in_database(self._frontier.release_dead_workers)
            while not await self._is_over(is_listing):
                if self._broken is not None:
                    raise self._broken
                self._start_fetches()
                self._lease_more()
                self._flush(all_of_it=False)
                self._renew()
                await self._pause()
        finally:
            await self._stop()

    def wake(self) -> None:
        """Query the frontier at once: it has new URLs."""
        self._lease_at = 0.0
        self._wake.set()

    # --- scheduling ------------------------------------------------------------------

    async def _is_over(self, is_listing: Callable[[], bool]) -> bool:
        """Return whether all work is done; if not, schedule the next lease."""
        if self._hosts.queued or self._active or self._leasing or self._broken:
            return False
        listing = is_listing()
        self._flush(all_of_it=True)
        await asyncio.gather(*self._writing)
        due = await self._in_database(
            partial(self._frontier.next_due, frozenset(self.harvested.given_up))
        )
        if due is None and not listing:
            return True
        soon = self._clock() + _POLL_SECONDS
        self._lease_at = min(soon, due) if due is not None else soon
        return False

    def _start_fetches(self) -> None:
        now = self._clock()
        unwritten = len(self._results) + self._being_written
        if self._names.paused_until > now or unwritten >= BATCH:
            return
        while self._places.has_free:
            leased = self._hosts.take(now)
            if leased is None:
                return
            place = self._places.take()
            task = asyncio.create_task(self._make(leased, place))
            self._active[task] = leased, place
            task.add_done_callback(self._finished)

    async def _make(self, leased: Leased, place: Place) -> Result:
        place.use()
        return await self._attempt.make(leased)

    def _lease_more(self) -> None:
        enough = max(BATCH, 2 * self._settings.concurrency)
        if (
            self._leasing
            or self._hosts.queued >= enough
            or self._clock() < self._lease_at
        ):
            return
        self._leasing = True
        full = self._hosts.fuller_than(enough // 2) | self.harvested.given_up
        lease = partial(self._frontier.lease, enough, full)
        future = self._submit(lease)
        future.add_done_callback(partial(self._leased, enough))

    def _leased(self, wanted: int, future: asyncio.Future[list[Leased]]) -> None:
        self._leasing = False
        if not future.cancelled() and future.exception() is None:
            found = future.result()
            self._hosts.add(found)
            self._held |= {one.id for one in found}
            if len(found) < wanted:
                # Nothing more is due: do not query the whole frontier on each turn.
                self._lease_at = self._clock() + _POLL_SECONDS / 4
        self._wake.set()

    def _flush(self, *, all_of_it: bool) -> None:
        due = len(self._results) >= BATCH // 2 or self._clock() >= self._flush_at
        if not self._results or not (due or all_of_it):
            return
        batch, self._results = self._results, []
        self._flush_at = self._clock() + _FLUSH_SECONDS
        self._held -= {one.leased.id for one in batch}
        self._being_written += len(batch)
        writing = self._submit(partial(self._write, batch))
        writing.add_done_callback(partial(self._batch_is_written, len(batch)))
        for host, until in self._take_pauses():
            self._submit(partial(self._frontier.postpone, host, until))
            self._release(self._hosts.drain(host))

    def _batch_is_written(self, size: int, _: asyncio.Future[None]) -> None:
        self._being_written -= size
        self._wake.set()

    def _write(self, batch: list[Result]) -> None:
        gone = write_results(self._catalogue, self._frontier.worker, batch)
        for sha256 in gone:
            self._attempt.remove(sha256)
        self._on_batch(sum(not isinstance(one, Postponed) for one in batch))

    def _renew(self) -> None:
        if self._clock() < self._renew_at:
            return
        self._renew_at = self._clock() + self._settings.lease / 3
        self._submit(partial(self._frontier.renew, frozenset(self._held)))

    async def _pause(self) -> None:
        """Sleep until a task ends or something is due."""
        now = self._clock()
        due = [now + _FLUSH_SECONDS, self._hosts.next_at(), self._renew_at]
        if not self._places.has_free or due[1] <= now:
            due[1] = now + _FLUSH_SECONDS  # hosts wait for a place, not for a time
        if not self._leasing and self._lease_at > now:
            due.append(self._lease_at)
        if self._results:
            due.append(self._flush_at)
        if self._names.paused_until > now:
            due.append(self._names.paused_until)
        seconds = max(0.0, min(due) - now)
        timer = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        await self._wake.wait()
        self._wake.clear()
        timer.cancel()

    # --- results of fetches ----------------------------------------------------------

    def _finished(self, task: asyncio.Task[Result]) -> None:
        leased, place = self._active.pop(task)
        place.release()
        now = self._clock()
        try:
            if not task.cancelled():
                self._take(leased, task)
        finally:
            self._hosts.finished(leased, now)
            self._wake.set()

    def _take(self, leased: Leased, task: asyncio.Task[Result]) -> None:
        error = task.exception()
        if error is None:
            result = task.result()
            self._hosts.accepted(leased.host)
            self._names.answered(leased.host, self._clock())
            self._silent.answered(_host(leased))
        elif isinstance(error, Fault):
            result = self._after_fault(leased, error)
        else:
            self._broken = error
            return
        if not self._results:
            self._flush_at = self._clock() + _FLUSH_SECONDS
        self._results.append(result)
        if isinstance(result, Stored):
            self.harvested.fates[FetchStatus.STORED] += 1
            self.harvested.bytes += result.size
        elif isinstance(result, Ended):
            self.harvested.fates[result.fate] += 1

    def _after_fault(self, leased: Leased, fault: Fault) -> Result:
        now, tries = self._clock(), leased.attempts + 1
        most = self._settings.attempts
        if fault.has_name:
            self._names.answered(fault.host or _host(leased), now)
        postponed = partial(
            Postponed,
            leased,
            message=str(fault),
            http_status=fault.http_status,
            address_no=leased.address_no,
        )
        if fault.proxy_down or (fault.names_down and not self._names.is_up(now)):
            if self._names.failed(now):
                log.warning("%s; waiting for it", fault)
                if not fault.proxy_down:
                    self._asking = asyncio.create_task(self._ask_others())
            if self._names.is_down(now):
                self._broken = dns_is_down(fault)
            return postponed(not_before=now, attempts=leased.attempts)
        if leased.host and self._is_silent(fault.host or _host(leased), fault, now):
            return postponed(not_before=now, attempts=leased.attempts)
        if fault.wait is not None:
            self._pause_host(fault.host or leased.host, now + fault.wait)
            if tries < most + _EXTRA_PAUSES:
                return postponed(not_before=now + fault.wait, attempts=tries)
        elif fault.again and tries < most:
            pause = self._settings.backoff * 2 ** (tries - 1)
            return postponed(not_before=now + pause, attempts=tries)
        if fault.fate is FetchStatus.REFUSED:
            self._count_refusal(leased.host)
        elif fault.http_status is not None:
            self._hosts.accepted(leased.host)
        message = (
            f"{fault}; before it: {leased.before}" if leased.before else str(fault)
        )
        if fault.fate in GONE and leased.address_no < len(leased.fallbacks):
            following = leased.address_no + 1
            return Postponed(
                leased, now, 0, message, fault.http_status, address_no=following
            )
        return Ended(leased, fault.fate, message, fault.http_status)

    async def _ask_others(self) -> None:
        """Find out whether the name service is down, or just names without an answer.

        Where only such names are left, nothing else would say so.
        """
        with suppress(BrokenMachine):  # a database that fails does so elsewhere, too
            for name in await self._in_database(self._frontier.living_names):
                if await self._attempt.has_names(name):
                    self._names.answered(name, self._clock())
                    return

    def _is_silent(self, host: str, fault: Fault, now: float) -> bool:
        """Record a failure; return whether it is the host's, and not its URL's."""
        if not fault.is_silence:
            self._silent.answered(host)
            return False
        pause, longer = self._silent.failed(host, now), 0.0
        if fault.wait is not None:
            longer = _LONG_PAUSES * self._settings.retry_after_cap
        elif pause is not None:
            log.warning("%s; no request to %s for %.0f s", fault, host, pause)
            self._pause_host(host, now + pause)
        if self._silent.is_lost(host, now, longer):
            self._give_up(host, f"gave no answer ({fault})")
            return True
        return fault.wait is None and self._silent.is_silent(host)

    def _pause_host(self, host: str, until: float) -> None:
        self._hosts.pause(host, until)
        if until - self._clock() > _SHORT_PAUSE:
            # Written with the results: of many answers that ask for it, one writes.
            self._pauses[host] = max(until, self._pauses.get(host, until))

    def _take_pauses(self) -> list[tuple[str, float]]:
        pauses, self._pauses = self._pauses, {}
        return list(pauses.items())

    def _count_refusal(self, host: str) -> None:
        consecutive = self._hosts.refused(host)
        if consecutive >= self._settings.refusals:
            self._give_up(host, f"refused {consecutive} times in a row")

    def _give_up(self, host: str, why: str) -> None:
        if host not in self.harvested.given_up:
            log.warning("%s %s; its other URLs wait for the next run", host, why)
            self.harvested.given_up.add(host)
            self._release(self._hosts.drain(host))

    def _release(self, drained: list[Leased]) -> None:
        ids = {one.id for one in drained}
        self._held -= ids
        self._submit(partial(self._frontier.release, ids))

    # --- the catalogue's thread ------------------------------------------------------

    def _submit(self, call: Callable[[], Any]) -> asyncio.Future[Any]:
        """Run a call in the catalogue's thread; calls keep their order."""
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._database, call)
        self._writing.add(future)
        future.add_done_callback(self._written)
        return future

    def _written(self, future: asyncio.Future[Any]) -> None:
        self._writing.discard(future)
        if not future.cancelled() and (error := future.exception()) is not None:
            self._broken = self._broken or error
            self._wake.set()

    async def _in_database(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._database, call)

    async def _stop(self) -> None:
        """Write the results and release the rest; also when interrupted."""
        asking = [self._asking] if self._asking is not None else []
        for task in (*self._active, *asking):
            task.cancel()
        await asyncio.gather(*self._active, *asking, return_exceptions=True)
        await asyncio.gather(*self._writing, return_exceptions=True)
        await asyncio.sleep(0)  # let the last callbacks run
        self._database.shutdown(wait=True)
        try:
            if self._results:
                self._write(self._results)
            for host, until in self._take_pauses():
                self._frontier.postpone(host, until)
            self._frontier.release(self._held)
        except BrokenMachine:
            if self._broken is None:
                raise
