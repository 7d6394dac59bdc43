"""The annotation page's real server: in a thread of the tests, or to be killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import sqlalchemy as sa

from icf.annotate.page.app import make_app
from icf.annotate.page.desk import TASKS, open_desk
from icf.annotate.page.serve import make_server, open_socket, remember_address
from icf.annotate.page.serving import Serving
from icf.annotate.people.people import Role
from icf.annotate.people.sessions import make_invite
from icf.annotate.people.tokens import read_key
from icf.catalogue.schema import answer
from icf.workspace import find
from tests.annotate.place import Place
from tests.integration.tethered import tethered

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
#: Where Chromium is, the one without windows first: it takes a third less of a
#: processor. None where it is not installed.
CHROMIUM = next(filter(None, map(shutil.which, PROGRAMS)), None)

_PROGRAM = "from icf.annotate.cli.main import main; main()"
_Any = TypeVar("_Any", bound="AnyServer")


class AnyServer(ABC):
    """The page of a workspace, at one address.

    Args:
        place: the workspace.
        tasks: names of the tasks to offer; none: all.
        settings: such as ``annotate.box_hidden=0``.
    """

    url: str

    def __init__(self, place: Place, *tasks: str, settings: Sequence[str] = ()) -> None:
        self.place = place
        self.tasks = tasks or TASKS
        self.settings = tuple(settings)

    @abstractmethod
    def start(self) -> None:
        """Start it, and wait until it answers."""

    @abstractmethod
    def end(self) -> None:
        """End it if it runs."""

    def __enter__(self: _Any) -> _Any:
        """Start it, and wait until it answers."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it if it runs."""
        self.end()

    def invite(self, name: str = "Ann", role: Role = Role.ANNOTATOR) -> str:
        """Make an invite link."""
        workspace = self.place.workspace
        with workspace.catalogue.write() as connection:
            key = read_key(workspace.root)
            token, _ = make_invite(connection, key, name, role, 1.0)
        return f"{self.url}/join/{token}"


class PageServer(AnyServer):
    """What `icf-annotate serve` runs, in a thread of this process."""

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._workspace = find(self.place.workspace.root, self.settings)
        listening = open_socket("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        remember_address(self._workspace.root, self.url)
        app = make_app(open_desk(self._workspace, self.tasks))
        answers = threading.Event()
        self._server = make_server(app, Serving(), answers.set)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}
        )
        self._thread.start()
        assert answers.wait(60)

    def end(self) -> None:
        """Let it finish what it began."""
        self._server.should_exit = True
        self._thread.join()
        self._workspace.catalogue.close()


class MortalServer(AnyServer):
    """`icf-annotate serve` as a program, always at the same address."""

    def __init__(self, place: Place, *tasks: str) -> None:
        super().__init__(place, *tasks)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._log = place.workspace.root / "server.log"
        self._running: ExitStack | None = None
        self._pid = 0

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert self._running is None
        self._running = ExitStack()
        log = self._running.enter_context(self._log.open("ab"))
        words = [sys.executable, "-c", _PROGRAM, "serve", "--port", str(self._port)]
        words += ["--tasks", ",".join(self.tasks)]
        root: Path = self.place.workspace.root
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = self._running.enter_context(
            tethered(words, cwd=root, env=env, log=log)
        )
        self._pid = process.pid
        while not self._answers():
            assert process.poll() is None, self._log.read_text()
            time.sleep(0.02)

    def end(self) -> None:
        """Kill it as by ``kill -9``, with nothing said before."""
        if self._running is not None:
            os.killpg(self._pid, signal.SIGKILL)
            self._running.close()
            self._running = None

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
