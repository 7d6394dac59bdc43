"""The annotation page's real server, which can be killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa

from icf.annotate.people.people import Role
from icf.annotate.people.sessions import make_invite
from icf.annotate.people.tokens import read_key
from icf.catalogue.schema import answer
from tests.annotate.place import Place
from tests.integration.tethered import tethered

#: Where Chromium is; None where it is not installed.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

_PROGRAM = "from icf.annotate.cli.main import main; main()"


class PageServer:
    """`icf-annotate serve` on a workspace, always at the same address."""

    def __init__(self, place: Place, *tasks: str, settings: Sequence[str] = ()) -> None:
        self.place = place
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.log = place.workspace.root / "server.log"
        self._words = ["serve", "--port", str(self._port)]
        if tasks:
            self._words += ["--tasks", ",".join(tasks)]
        for each in settings:
            self._words += ["--set", each]
        self._running: ExitStack | None = None
        self._pid = 0

    def __enter__(self) -> PageServer:
        """Start it, and wait until it answers."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill it if it runs."""
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert self._running is None
        self._running = ExitStack()
        log = self._running.enter_context(self.log.open("ab"))
        words = [sys.executable, "-c", _PROGRAM, *self._words]
        root: Path = self.place.workspace.root
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = self._running.enter_context(
            tethered(words, cwd=root, env=env, log=log)
        )
        self._pid = process.pid
        while not self._answers():
            assert process.poll() is None, self.log.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it as by ``kill -9``, with nothing said before."""
        if self._running is not None:
            os.killpg(self._pid, signal.SIGKILL)
            self._running.close()
            self._running = None

    def invite(self, name: str = "Ann", role: Role = Role.ANNOTATOR) -> str:
        """Make an invite link."""
        workspace = self.place.workspace
        with workspace.catalogue.write() as connection:
            key = read_key(workspace.root)
            token, _ = make_invite(connection, key, name, role, 1.0)
        return f"{self.url}/join/{token}"

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/static/page.css", timeout=5).close()
        except (urllib.error.URLError, OSError):
            return False
        return True


def answers_of(place: Place) -> list[tuple[int, str, str]]:
    """The answers that count: question, annotator, choice; ordered by question."""
    query = (
        sa.select(answer.c.question_id, answer.c.annotator, answer.c.choice)
        .where(answer.c.replaced_at.is_(None))
        .order_by(answer.c.question_id, answer.c.annotator)
    )
    with place.workspace.catalogue.read() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]
