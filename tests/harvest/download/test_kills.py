"""A crawl of 2,000 URLs that is killed 20 times at random, on either database."""

import hashlib
import multiprocessing
import random
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from icf.catalogue.schema import candidate, image, image_source, url
from icf.harvest.download.worker import BATCH
from icf.harvest.run import harvest
from icf.workspace import Workspace, find
from tests.harvest.rows import all_of
from tests.harvest.test_run import in_blobs, png, workspace
from tests.harvest.wire import Site, answer

pytestmark = pytest.mark.slow

URLS, KILLS = 2000, 20

#: Each runner is a process of its own; a server that has the program loaded starts it.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def run(root: Path, flags: tuple[str, ...]) -> None:
    """What `icf-harvest run` does."""
    harvest(find(root, flags))


def start(made: Workspace, flags: tuple[str, ...]) -> BaseProcess:
    runner = _PROCESSES.Process(target=run, args=(made.root, flags))
    runner.start()
    return runner


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_twenty_times_at_random_nothing_is_lost_halved_or_doubled(
    request: pytest.FixtureRequest, site: Site, tmp_path: Path, database: str
) -> None:
    flags: tuple[str, ...] = ()
    if database == "postgresql":
        request.getfixturevalue("postgres_catalogue")
        flags = (f"catalogue.url={request.getfixturevalue('postgres_url')}",)
    urls = [site.route(f"/{n}.png", answer(png(n))) for n in range(URLS)]
    made = workspace(tmp_path / "ws", site, *urls)
    points = sorted(random.Random(database).sample(range(1, URLS - 400), KILLS))
    for point in points:
        runner = start(made, flags)
        while len(site.asked) < point:
            assert runner.is_alive(), "it ended by itself"
            time.sleep(0.001)
        runner.kill()
        runner.join()
        assert runner.exitcode == -9
        assert all(name == held for name, held in in_blobs(made).items())

    last = start(made, flags)
    last.join()
    assert last.exitcode == 0
    made = find(made.root, flags)
    rows = all_of(made.catalogue, url)
    kept = all_of(made.catalogue, image)
    sources = all_of(made.catalogue, image_source)
    candidates = all_of(made.catalogue, candidate)
    made.catalogue.close()

    pictures = {hashlib.sha256(png(n)).hexdigest() for n in range(URLS)}
    assert Counter(row["fate"] for row in rows) == {"stored": URLS}
    assert {row["url"] for row in rows} == set(urls)
    assert sorted(row["sha256"] for row in kept) == sorted(pictures)
    assert len(sources) == len({row["url"] for row in sources}) == URLS
    assert len(candidates) == len({row["image_id"] for row in candidates}) == URLS
    assert in_blobs(made) == {name: name for name in pictures}
    # Asked again is at most what each kill found in flight, and one batch on its way.
    fetches = sum(path != "/robots.txt" for path in site.asked)
    assert fetches <= URLS + KILLS * (made.settings.harvest.concurrency + BATCH)


def test_runners_that_share_postgresql_ask_for_each_url_once(
    site: Site, tmp_path: Path, postgres_catalogue: object, postgres_url: str
) -> None:
    flags = (f"catalogue.url={postgres_url}",)
    urls = [site.route(f"/{n}.png", answer(png(n))) for n in range(600)]
    made = workspace(tmp_path / "ws", site, *urls)
    runners = [start(made, flags) for _ in range(3)]
    for runner in runners:
        runner.join()
        assert runner.exitcode == 0
    made = find(made.root, flags)
    rows = all_of(made.catalogue, url)
    made.catalogue.close()
    assert Counter(row["fate"] for row in rows) == {"stored": 600}
    asked = Counter(path for path in site.asked if path != "/robots.txt")
    assert set(asked.values()) == {1}
