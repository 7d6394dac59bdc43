"""Which fetches work, and which wait for a connection without a place."""

import asyncio
import resource
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from icf.harvest.http import places
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.lenient_protocol import MOST_IDLE
from icf.harvest.http.places import Places, most_waiting, opening
from icf.harvest.http.session import Web
from tests.harvest.wire import NamesOfTheTest, Site, answer


@pytest.fixture(autouse=True)
def kept_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "KEPT", 0.0)


async def until(happened: Callable[[], bool]) -> None:
    while not happened():
        await asyncio.sleep(0.001)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class Fetch:
    """A fetch that opens a connection, and works until it is told to end."""

    def __init__(self, of: Places) -> None:
        self.connected, self.done = asyncio.Event(), asyncio.Event()
        self.works = False
        self._place = of.take()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        self._place.use()
        try:
            async with opening():
                await self.connected.wait()
            self.works = True
            await self.done.wait()
        finally:
            self.works = False
            self._place.release()


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())


def test_a_fetch_that_waits_for_a_connection_frees_its_place_until_it_is_open() -> None:
    async def work() -> None:
        woken: list[int] = []
        held = Places(1, 8, lambda: woken.append(1))
        slow = Fetch(held)
        assert not held.has_free
        await until(lambda: held.has_free)
        assert woken == [1]
        quick = Fetch(held)
        quick.connected.set()
        await until(lambda: quick.works)
        slow.connected.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not slow.works, "there is one place, and it is taken"
        quick.done.set()
        await until(lambda: slow.works)
        assert not held.has_free, "who had a place comes before new ones"
        slow.done.set()
        await slow.task
        assert held.has_free

    run(work)


def test_only_so_many_wait_without_a_place() -> None:
    async def work() -> None:
        held = Places(2, 1, lambda: None)
        first = Fetch(held)
        await until(lambda: held.has_free)
        others = [Fetch(held)]
        await asyncio.sleep(0.01)
        assert held.has_free
        others.append(Fetch(held))
        await asyncio.sleep(0.01)
        assert not held.has_free, "two wait with a place, one without"
        first.task.cancel()
        await until(lambda: held.has_free)
        for one in others:
            one.task.cancel()
        await asyncio.gather(*(one.task for one in others), return_exceptions=True)
        assert [held.take() is not None for _ in range(2)] == [True, True]
        assert not held.has_free

    run(work)


def test_a_connection_that_fails_leaves_no_place_taken() -> None:
    async def fails(of: Places) -> None:
        place = of.take()
        place.use()
        try:
            async with opening():
                await until(lambda: of.has_free)
                raise OSError("nobody is there")
        except OSError:
            place.release()

    async def work() -> None:
        held = Places(1, 1, lambda: None)
        for _ in range(3):
            await asyncio.create_task(fails(held))
        assert held.has_free
        held.take()
        assert not held.has_free

    run(work)


def test_who_is_cancelled_while_he_waits_for_a_place_takes_none() -> None:
    async def work() -> None:
        held = Places(1, 8, lambda: None)
        slow = Fetch(held)
        await until(lambda: held.has_free)
        quick = Fetch(held)
        quick.connected.set()
        await until(lambda: quick.works)
        slow.connected.set()
        await asyncio.sleep(0.01)
        slow.task.cancel()
        quick.done.set()
        await asyncio.gather(slow.task, quick.task, return_exceptions=True)
        assert held.has_free
        held.take()
        assert not held.has_free

    run(work)


@pytest.mark.parametrize(
    ("files", "waiting"),
    [(256, 64), (1024, 256), (1 << 20, 256), (resource.RLIM_INFINITY, 256)],
)
def test_those_who_wait_leave_files_to_open(
    monkeypatch: pytest.MonkeyPatch, files: int, waiting: int
) -> None:
    limits = files, resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits)
    assert most_waiting() == waiting


def test_connections_to_many_hosts_do_not_use_up_the_files(site: Site) -> None:
    hosts = [f"h{number}.org" for number in range(3 * MOST_IDLE)]
    names = NamesOfTheTest(dict.fromkeys(hosts, "127.0.0.1"))
    site.route("/a", answer(b"ok"))
    opened: list[int] = []

    async def work() -> None:
        async with Web("icf/test", AllowList(hosts), names=names) as web:
            for host in hosts:
                url = f"http://{host}:{site.port}/a"
                async with web.ask(url, deadline=30.0, headers={}) as response:
                    await response.read()
                opened.append(open_files())

    before = open_files()
    run(work)
    assert site.connections == len(hosts)
    # Both ends are in this process; the site closes its own a moment later.
    assert opened[-1] - before < 2 * (2 * MOST_IDLE)


def test_a_connection_that_is_kept_is_the_last_ones(site: Site) -> None:
    hosts = [f"h{number}.org" for number in range(MOST_IDLE + 1)]
    names = NamesOfTheTest(dict.fromkeys(hosts, "127.0.0.1"))
    site.route("/a", answer(b"ok"))

    async def work() -> None:
        async with Web("icf/test", AllowList(hosts), names=names) as web:
            for host in [*hosts, *hosts[1:]]:
                url = f"http://{host}:{site.port}/a"
                async with web.ask(url, deadline=30.0, headers={}) as response:
                    await response.read()

    run(work)
    assert site.connections == len(hosts), "only the oldest was closed"
