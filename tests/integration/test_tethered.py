"""Tests that are killed leave no server behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

POSTGRES = """
import time
import sqlalchemy as sa
from icf.catalogue.catalogue import Catalogue
from tests.integration.postgres import postgres

with postgres() as url:
    catalogue = Catalogue(url)
    with catalogue.read() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1
        print("ready", url.partition("host=")[2], flush=True)
        time.sleep(600)
"""

#: A test, run by a worker of pytest, as long as it is let.
WAIT = """
import time
from pathlib import Path

def test_wait(postgres_url):
    ready = Path(__file__).with_name("ready")
    ready.with_suffix(".part").write_text(postgres_url.partition("host=")[2])
    ready.with_suffix(".part").rename(ready)
    time.sleep(600)
"""

PHP = """
import tempfile, time
from pathlib import Path
from tests.integration.mediawiki import serving

root = Path(tempfile.mkdtemp(prefix="icf-php-"))
(root / "docroot").mkdir()
(root / "log").mkdir()
with serving(root):
    print("ready", root, flush=True)
    time.sleep(600)
"""

CHROMIUM = """
import tempfile, time
from playwright.sync_api import sync_playwright
from tests.integration.page.server import CHROMIUM

root = tempfile.mkdtemp(prefix="icf-chromium-")
with sync_playwright() as playwright:
    playwright.chromium.launch_persistent_context(
        root, executable_path=CHROMIUM, args=["--no-sandbox"]
    )
    print("ready", root, flush=True)
    time.sleep(600)
"""


def programs_of(folder: str) -> set[int]:
    """The running programs whose command line or folder is in ``folder``."""
    found = set()
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace")
            place = str((process / "cwd").readlink())
        except OSError:
            continue  # it ended meanwhile
        if folder in words or place.startswith(folder):
            found.add(int(process.name))
    return found


@pytest.fixture
def killed(request: pytest.FixtureRequest) -> Iterator[str]:
    """What started a server is killed; yield the server's folder."""
    with subprocess.Popen(
        [sys.executable, "-c", request.param],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        ready, folder = process.stdout.readline().split()
        assert ready == "ready"
        assert programs_of(folder)
        process.send_signal(signal.SIGKILL)
    yield folder
    for each in programs_of(folder):
        os.kill(each, signal.SIGKILL)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "killed",
    [
        pytest.param(POSTGRES, id="PostgreSQL"),
        pytest.param(PHP, id="PHP"),
        pytest.param(CHROMIUM, id="Chromium"),
    ],
    indirect=True,
)
def test_a_server_ends_with_tests_that_were_killed(killed: str) -> None:
    assert_nothing_runs(killed)


def test_a_server_ends_with_a_worker_of_a_pytest_that_was_killed(
    tmp_path: Path,
) -> None:
    test, ready = tmp_path / "test_wait.py", tmp_path / "ready"
    test.write_text(WAIT)
    words = ["-n", "1", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", *words, test],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    ) as process:
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    folder = ready.read_text()
    assert_nothing_runs(folder)
    shutil.rmtree(folder)


def assert_nothing_runs(folder: str) -> None:
    """Wait until nothing does any more, but not for ever."""
    end = time.monotonic() + 60
    while programs_of(folder) and time.monotonic() < end:
        time.sleep(0.05)
    assert programs_of(folder) == set()
