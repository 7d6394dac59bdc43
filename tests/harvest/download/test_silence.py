"""A host that does not answer: its URLs wait, and the run ends all the same."""

import asyncio
import socket
from pathlib import Path

import pytest

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import url
from icf.harvest.download import silence
from icf.harvest.download.silence import ENOUGH, SilentHosts
from icf.settings import HarvestSettings
from icf.stores.blobs import BlobStore
from tests.harvest.download.test_worker import GIF, work
from tests.harvest.rows import all_of, fates, put_urls
from tests.harvest.wire import NamesOfTheTest, Site, answer

NAMES = {"my.wiki": "127.0.0.1"}


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_host_that_nobody_reaches_is_given_up_and_its_urls_stay_pending(
    sqlite_catalogue: Catalogue,
    blobs: BlobStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(silence, "PATIENCE", -1.0)
    host = f"my.wiki:{_closed_port()}"
    put_urls(sqlite_catalogue, *(f"http://{host}/{n}.gif" for n in range(300)))
    done = work(sqlite_catalogue, blobs, NamesOfTheTest(NAMES))
    assert done.given_up == {host}
    rows = all_of(sqlite_catalogue, url)
    assert {row["fate"] for row in rows} == {"pending"}
    assert {row["leased_by"] for row in rows} == {None}
    assert f"{host} gave no answer" in caplog.text


def test_a_host_that_always_asks_for_time_is_given_up_too(
    site: Site,
    sqlite_catalogue: Catalogue,
    blobs: BlobStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(silence, "PATIENCE", -1.0)
    urls = [f"http://my.wiki:{site.port}/{n}.gif" for n in range(100)]
    for n in range(100):
        site.route(f"/{n}.gif", answer(b"", "429 Slow Down", Retry_After="0"))
    put_urls(sqlite_catalogue, *urls)
    settings = HarvestSettings(backoff=0.0, retry_after_cap=0.0)
    done = work(sqlite_catalogue, blobs, NamesOfTheTest(NAMES), settings)
    assert done.given_up == {f"my.wiki:{site.port}"}
    assert set(fates(sqlite_catalogue).values()) == {"pending"}
    assert len(site.asked) < 100


def test_a_host_that_is_away_for_a_while_costs_no_url(
    site: Site,
    sqlite_catalogue: Catalogue,
    blobs: BlobStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(silence, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(silence, "LONGEST_PAUSE", 0.01)
    left = [200]

    async def away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left[0] -= 1
        if left[0] <= 0:
            site.routes["/robots.txt"] = [answer(b"", "404 Not Found")]
        writer.close()

    site.route("/robots.txt", away)
    for n in range(40):
        site.route(f"/{n}.gif", answer(GIF + bytes([n])))
    urls = [f"http://my.wiki:{site.port}/{n}.gif" for n in range(40)]
    put_urls(sqlite_catalogue, *urls)
    settings = HarvestSettings(attempts=2, backoff=0.0)
    done = work(sqlite_catalogue, blobs, NamesOfTheTest(NAMES), settings)
    assert set(fates(sqlite_catalogue).values()) == {"stored"}
    assert done.given_up == set()


def test_pauses_grow_and_end_with_an_answer() -> None:
    hosts = SilentHosts()
    assert [hosts.failed("a", float(n)) for n in range(ENOUGH - 1)] == [None] * 19
    assert not hosts.is_silent("a")
    assert hosts.failed("a", 20.0) == silence.FIRST_PAUSE
    assert hosts.is_silent("a")
    assert hosts.failed("a", 20.1) is None, "it began while others were under way"
    later = 20.0 + silence.FIRST_PAUSE
    assert hosts.failed("a", later) == 2 * silence.FIRST_PAUSE
    hosts.answered("a")
    assert not hosts.is_silent("a")
    assert hosts.failed("a", later + 1000.0) is None


def test_a_host_is_lost_after_a_long_silence_and_not_before() -> None:
    hosts = SilentHosts()
    for _ in range(ENOUGH):
        hosts.failed("a", 100.0)
    assert not hosts.is_lost("a", 100.0 + silence.PATIENCE)
    assert hosts.is_lost("a", 101.0 + silence.PATIENCE)
    assert not hosts.is_lost("a", 101.0 + silence.PATIENCE, longer=10.0)
    assert not hosts.is_lost("b", 1e9)


def test_a_few_failures_are_no_silence_however_long_ago_the_first_was() -> None:
    hosts = SilentHosts()
    for at in range(ENOUGH - 1):
        hosts.failed("a", 1000.0 * at)
    assert not hosts.is_lost("a", 1e9)
