import asyncio
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import ResolveResult

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import url
from icf.codes import FetchStatus
from icf.errors import BrokenMachine
from icf.harvest.download import worker
from icf.harvest.download.attempt import Attempt
from icf.harvest.download.fetch import Fetcher
from icf.harvest.download.frontier import Frontier
from icf.harvest.download.worker import Harvested, Worker
from icf.harvest.http import dns_health as name_service
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.body import Limits
from icf.harvest.http.robots import Robots
from icf.harvest.http.session import Web
from icf.settings import HarvestSettings
from icf.stores.blobs import BlobStore
from tests.harvest.rows import all_of, fates, put_urls
from tests.harvest.wire import NamesOfTheTest, Site, answer

GIF = b"GIF89a" + bytes(20)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def work(
    catalogue: Catalogue,
    blobs: BlobStore,
    names: NamesOfTheTest | None,
    settings: HarvestSettings | None = None,
    on_batch: Callable[[int], None] = lambda count: None,
) -> Harvested:
    """Fetch everything that is pending, with a name service of the test's own."""
    chosen = settings or HarvestSettings(backoff=0.0)

    async def run() -> Harvested:
        allow = AllowList(["my.wiki", "slow.org", "127.0.0.1"])
        async with Web("icf/test", allow, names=names) as web:
            robots = Robots(web)
            attempt = Attempt(Fetcher(web, robots, Limits()), robots, blobs, {})
            frontier = Frontier(catalogue, 300.0)
            worker = Worker(catalogue, frontier, attempt, chosen, on_batch)
            await worker.run(lambda: False)
            return worker.harvested

    return asyncio.run(run())


def test_a_silent_name_service_makes_the_run_wait_and_no_url_fail(
    site: Site, sqlite_catalogue: Catalogue, blobs: BlobStore
) -> None:
    site.route("/1.gif", answer(GIF))
    put_urls(sqlite_catalogue, f"http://my.wiki:{site.port}/1.gif")
    names = NamesOfTheTest({"my.wiki": "127.0.0.1"}, silent=1)
    settings = HarvestSettings(attempts=1)
    work(sqlite_catalogue, blobs, names, settings)
    assert fates(sqlite_catalogue) == {"1.gif": "stored"}
    assert all_of(sqlite_catalogue, url)[0]["attempts"] == 1


def test_a_name_service_that_stays_silent_ends_the_run_with_everything_pending(
    sqlite_catalogue: Catalogue, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_service, "PATIENCE", -1.0)
    put_urls(sqlite_catalogue, "http://a.org/1", "http://b.org/2")
    with pytest.raises(BrokenMachine, match="name service"):
        work(sqlite_catalogue, blobs, NamesOfTheTest({}))
    rows = all_of(sqlite_catalogue, url)
    assert {row["fate"] for row in rows} == {"pending"}
    assert {row["leased_by"] for row in rows} == {None}
    assert {row["attempts"] for row in rows} == {0}


def test_one_dead_name_among_living_ones_is_unreachable(
    site: Site, sqlite_catalogue: Catalogue, blobs: BlobStore
) -> None:
    good = [f"http://my.wiki:{site.port}/{n}.gif" for n in range(3)]
    for n in range(3):
        site.route(f"/{n}.gif", answer(GIF + bytes([n])))
    put_urls(sqlite_catalogue, *good, "http://dead.example/x.gif")
    work(sqlite_catalogue, blobs, NamesOfTheTest({"my.wiki": "127.0.0.1"}))
    assert fates(sqlite_catalogue) == {
        "0.gif": "stored",
        "1.gif": "stored",
        "2.gif": "stored",
        "x.gif": "unreachable",
    }


class WholeNames(NamesOfTheTest):
    """One that answers, too, that there is nothing below the names that it has."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host.partition(".")[2] in self._names:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return await super().resolve(host, port, family)


@pytest.mark.parametrize("answers", [True, False])
def test_names_without_an_answer_fail_where_the_name_service_answers_about_others(
    sqlite_catalogue: Catalogue,
    blobs: BlobStore,
    monkeypatch: pytest.MonkeyPatch,
    answers: bool,
) -> None:
    monkeypatch.setattr(name_service, "PATIENCE", 0.5)
    put_urls(sqlite_catalogue, "http://my.wiki:81/0.gif", fate="stored")
    put_urls(sqlite_catalogue, *(f"http://dead{n}.example/{n}" for n in range(20)))
    names = (WholeNames if answers else NamesOfTheTest)({"my.wiki": "127.0.0.1"})
    settings = HarvestSettings(backoff=0.0, attempts=2)
    if answers:
        work(sqlite_catalogue, blobs, names, settings)
    else:
        with pytest.raises(BrokenMachine, match="name service"):
            work(sqlite_catalogue, blobs, names, settings)
    rows = all_of(sqlite_catalogue, url)[1:]
    fate, attempts = ("unreachable", 2) if answers else ("pending", 0)
    assert {(row["fate"], row["attempts"]) for row in rows} == {(fate, attempts)}


def test_an_answer_about_any_name_says_that_the_name_service_is_up(
    site: Site, sqlite_catalogue: Catalogue, blobs: BlobStore
) -> None:
    site.route("/1.gif", answer(b"", "404 Not Found"))
    put_urls(sqlite_catalogue, f"http://my.wiki:{site.port}/1.gif")
    dead = [f"http://dead{n}.example/{n}.png" for n in range(40)]
    put_urls(sqlite_catalogue, *dead)
    names = NamesOfTheTest({"my.wiki": "127.0.0.1"})
    settings = HarvestSettings(backoff=0.0, concurrency=1, attempts=2)
    work(sqlite_catalogue, blobs, names, settings)
    rows = all_of(sqlite_catalogue, url)
    assert [row["fate"] for row in rows] == ["not_found"] + 40 * ["unreachable"]
    assert {row["attempts"] for row in rows[1:]} == {2}


def test_hosts_that_let_one_wait_do_not_hold_up_the_others(
    site: Site, sqlite_catalogue: Catalogue, blobs: BlobStore
) -> None:
    living = [site.route(f"/{n}.gif", answer(GIF + bytes([n]))) for n in range(5)]
    asked = threading.Event()

    async def last(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        writer.write(answer(GIF + bytes([9])))
        await writer.drain()

    living.append(site.route("/9.gif", last))

    class Names(NamesOfTheTest):
        """Nobody is told where the slow host is before the living ones were asked."""

        async def resolve(
            self,
            host: str,
            port: int = 0,
            family: socket.AddressFamily = socket.AF_INET,
        ) -> list[ResolveResult]:
            while host == "slow.org" and not asked.is_set():
                await asyncio.sleep(0.01)
            return await super().resolve(host, port, family)

    site.route("/slow.gif", answer(GIF + b"slow"))
    put_urls(sqlite_catalogue, f"http://slow.org:{site.port}/slow.gif", *living)
    names = Names({"slow.org": "127.0.0.1"})
    settings = HarvestSettings(concurrency=1, attempts=1)
    done = work(sqlite_catalogue, blobs, names, settings)
    assert done.fates == {FetchStatus.STORED: 7}


def test_names_that_nobody_answers_for_do_not_keep_pictures_from_being_stored(
    site: Site,
    sqlite_catalogue: Catalogue,
    blobs: BlobStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = threading.Event()

    def silent(*asked: Any, **how: Any) -> Any:
        stored.wait(60)
        raise socket.gaierror(socket.EAI_NONAME, "unknown name")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    dead = [f"http://dead{n}.example/{n}.png" for n in range(40)]
    living = [site.route(f"/{n}.gif", answer(GIF + bytes([n]))) for n in range(5)]
    put_urls(sqlite_catalogue, *dead, *living)
    counts: list[int] = []

    def on_batch(count: int) -> None:
        counts.append(count)
        if sum(counts) >= len(living):
            stored.set()

    settings = HarvestSettings(concurrency=64, attempts=1)
    done = work(sqlite_catalogue, blobs, None, settings, on_batch)
    assert done.fates == {FetchStatus.STORED: 5, FetchStatus.UNREACHABLE: 40}
    assert counts[0] <= 5, "the living ones came first"


def test_what_breaks_the_machine_stops_the_run_and_gives_everything_back(
    site: Site, sqlite_catalogue: Catalogue, tmp_path: Path
) -> None:
    site.route("/1.gif", answer(GIF))
    put_urls(sqlite_catalogue, f"http://my.wiki:{site.port}/1.gif")
    (tmp_path / "blobs").write_text("a file where the blobs should be")
    names = NamesOfTheTest({"my.wiki": "127.0.0.1"})
    with pytest.raises(BrokenMachine, match="blob store"):
        work(sqlite_catalogue, BlobStore(tmp_path / "blobs"), names)
    (row,) = all_of(sqlite_catalogue, url)
    assert (row["fate"], row["leased_by"]) == ("pending", None)


def test_a_host_that_stays_busy_is_an_http_error_in_the_end(
    site: Site, sqlite_catalogue: Catalogue, blobs: BlobStore
) -> None:
    site.route("/1.gif", answer(b"", "503 Busy", Retry_After="0"))
    put_urls(sqlite_catalogue, f"http://my.wiki:{site.port}/1.gif")
    names = NamesOfTheTest({"my.wiki": "127.0.0.1"})
    done = work(sqlite_catalogue, blobs, names, HarvestSettings(attempts=1))
    assert done.fates == {FetchStatus.HTTP_ERROR: 1}


def test_a_url_of_a_folder_source_that_is_gone_is_not_read(
    sqlite_catalogue: Catalogue, blobs: BlobStore
) -> None:
    put_urls(sqlite_catalogue, "file:///etc/passwd", host="")
    work(sqlite_catalogue, blobs, NamesOfTheTest({}))
    assert fates(sqlite_catalogue) == {"passwd": "forbidden_address"}


def test_many_answers_that_ask_for_a_pause_postpone_a_host_once(
    site: Site,
    sqlite_catalogue: Catalogue,
    blobs: BlobStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrived: list[asyncio.StreamWriter] = []

    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(writer)
        while len(arrived) < 8:
            await asyncio.sleep(0.001)
        writer.write(answer(b"", "429 Slow Down", Retry_After="3"))

    urls = [f"http://my.wiki:{site.port}/{n}.gif" for n in range(60)]
    for n in range(60):
        first = busy if n < 8 else answer(GIF + bytes([n]))
        site.route(f"/{n}.gif", first, answer(GIF + bytes([n])))
    put_urls(sqlite_catalogue, *urls)
    asked: list[float] = []
    postpone = Frontier.postpone

    def counted(self: Frontier, host: str, until: float) -> None:
        asked.append(until)
        postpone(self, host, until)

    monkeypatch.setattr(Frontier, "postpone", counted)
    # On a busy machine the answers come in over more than the usual second.
    monkeypatch.setattr(worker, "_FLUSH_SECONDS", 2.5)
    settings = HarvestSettings(backoff=0.0, per_host=8)
    work(sqlite_catalogue, blobs, NamesOfTheTest({"my.wiki": "127.0.0.1"}), settings)
    assert set(fates(sqlite_catalogue).values()) == {"stored"}
    assert len(asked) == 1
