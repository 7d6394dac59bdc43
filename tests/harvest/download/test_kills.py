"""A crawl of 2,000 URLs that is killed 20 times at random, on either database."""

import hashlib
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from icf.catalogue.schema import candidate, image, image_source, url
from icf.harvest.download.worker import BATCH
from icf.workspace import find
from tests.harvest.processes import running
from tests.harvest.rows import all_of
from tests.harvest.test_run import in_blobs, png, workspace
from tests.harvest.wire import Site, answer

pytestmark = pytest.mark.slow

URLS, KILLS = 2000, 20


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
        runner = running(made, *flags)
        while len(site.asked) < point:
            assert runner.poll() is None, "it ended by itself"
            time.sleep(0.001)
        runner.kill()
        runner.communicate()
        assert runner.returncode == -9
        assert all(name == held for name, held in in_blobs(made).items())

    last = running(made, *flags)
    _, said = last.communicate()
    assert last.returncode == 0, said
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
    runners = [running(made, *flags) for _ in range(3)]
    for runner in runners:
        _, said = runner.communicate()
        assert runner.returncode == 0, said
    made = find(made.root, flags)
    rows = all_of(made.catalogue, url)
    made.catalogue.close()
    assert Counter(row["fate"] for row in rows) == {"stored": 600}
    asked = Counter(path for path in site.asked if path != "/robots.txt")
    assert set(asked.values()) == {1}
