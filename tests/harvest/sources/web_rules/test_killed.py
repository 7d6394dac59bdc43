"""Kills at any time: of the run, of its Scrapy process, and two runs at once."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import album, character, discovery, mention, url
from icf.harvest.run import harvest
from icf.workspace import Workspace
from tests.harvest.processes import running, wait_for
from tests.harvest.rows import all_of
from tests.harvest.sources.web_rules.sites import (
    listings,
    many_albums,
    names,
    workspace,
)
from tests.harvest.wire import Site

ALBUMS = 15
#: In the words that start a Scrapy process.
CRAWLER = "icf.harvest.sources.web_rules.crawl"
EXPECTED = {f"Album {n}": ["Who 0", "Who 1"] for n in range(ALBUMS)}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="finds processes by /proc"
    ),
]


def crawlers_of(run: int) -> list[int]:
    """The Scrapy processes of a run, by the id of its process.

    That process may have other children: that of the tests has a PostgreSQL server.
    """
    tasks = Path(f"/proc/{run}/task").glob("*/children")
    children = [int(pid) for task in tasks for pid in task.read_text().split()]
    return [pid for pid in children if CRAWLER in command_line(pid)]


def command_line(pid: int) -> str:
    """The words that started a process; none when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def done(made: Workspace) -> int:
    query = sa.select(sa.func.count()).where(discovery.c.status == "done")
    with made.catalogue.read() as connection:
        return int(connection.execute(query).scalar_one())


def check_whole(made: Workspace) -> None:
    """Hold the rows against those of an undisturbed run."""
    assert names(made) == EXPECTED
    assert {status for status, _ in listings(made).values()} == {"done"}
    # ALBUMS / 5 pages of the list, a page an album, and a page a character.
    assert len(all_of(made.catalogue, discovery)) == ALBUMS // 5 + 3 * ALBUMS
    assert len(all_of(made.catalogue, album)) == ALBUMS
    assert len(all_of(made.catalogue, character)) == 2 * ALBUMS
    assert {row["fate"] for row in all_of(made.catalogue, url)} == {"stored"}
    assert len(all_of(made.catalogue, url)) == 2 * ALBUMS
    assert len(all_of(made.catalogue, mention)) == 2 * ALBUMS


@pytest.mark.parametrize("after", [0, 1, 12, 34])
def test_a_run_that_was_killed_goes_on_and_ends_the_same(
    site: Site, tmp_path: Path, after: int
) -> None:
    made = workspace(tmp_path / "ws", many_albums(site, ALBUMS))
    child = running(made)
    wait_for(lambda: bool(crawlers_of(child.pid)) and done(made) >= after, child)
    crawlers = crawlers_of(child.pid)
    child.kill()
    child.communicate()
    while any(map(is_alive, crawlers)):
        time.sleep(0.01)  # it ends by itself
    harvest(made)
    check_whole(made)
    # Asked for again is at most what was on its way.
    pages = [p for p in site.asked if p != "/robots.txt" and not p.endswith(".png")]
    assert len(pages) <= ALBUMS // 5 + 3 * ALBUMS + 16


def test_a_scrapy_process_that_is_killed_is_started_again(
    site: Site, tmp_path: Path
) -> None:
    made = workspace(tmp_path / "ws", many_albums(site, ALBUMS))
    child = running(made)
    for after in (1, 12, 24):
        wait_for(lambda: done(made) >= after and bool(crawlers_of(child.pid)), child)  # noqa: B023
        for pid in crawlers_of(child.pid):
            os.kill(pid, signal.SIGKILL)
    _, said = child.communicate()
    assert child.returncode == 0, said
    check_whole(made)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_takes_its_scrapy_process_with_it(
    site: Site, tmp_path: Path, how: signal.Signals
) -> None:
    made = workspace(tmp_path / "ws", many_albums(site, ALBUMS))
    child = running(made)
    wait_for(lambda: done(made) >= 5 and bool(crawlers_of(child.pid)), child)
    crawlers = crawlers_of(child.pid)
    child.send_signal(how)
    _, said = child.communicate()
    assert child.returncode == 130, said
    assert "Traceback" not in said
    assert not any(map(is_alive, crawlers))


def test_two_runs_at_once_end_with_the_same_rows(site: Site, tmp_path: Path) -> None:
    made = workspace(tmp_path / "ws", many_albums(site, ALBUMS))
    children = [running(made), running(made)]
    for child in children:
        _, said = child.communicate()
        assert child.returncode == 0, said
    check_whole(made)


def test_a_page_that_a_process_dies_of_is_a_failure_and_the_rest_goes_on(
    site: Site, tmp_path: Path
) -> None:
    async def deadly(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for pid in crawlers_of(os.getpid()):
            os.kill(pid, signal.SIGKILL)

    start = many_albums(site, 6)
    site.route("/a3", deadly)
    made = workspace(tmp_path / "ws", start)
    outcome = harvest(made)
    found = listings(made)
    assert found.pop("/a3") == (
        "failed",
        "http_error: Scrapy crashed on it (SIGKILL)",
    )
    assert {status for status, _ in found.values()} == {"done"}
    assert outcome.listed.failed == 1
