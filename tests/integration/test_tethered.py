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
import asyncio, tempfile
from pathlib import Path
from tests.integration.browser import browser

async def look():
    root = Path(tempfile.mkdtemp(prefix="icf-chromium-"))
    async with browser(root):
        print("ready", root, flush=True)
        await asyncio.sleep(600)

asyncio.run(look())
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
    end = time.monotonic() + 60
    while programs_of(killed) and time.monotonic() < end:
        time.sleep(0.05)
    assert programs_of(killed) == set()
