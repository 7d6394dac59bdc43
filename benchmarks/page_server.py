"""The annotation page's server on a workspace with very many open questions."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import sqlalchemy as sa

from icf.annotate.page.join import cookie_name
from icf.annotate.page.serving import Serving
from icf.annotate.people.people import Role, find_person
from icf.annotate.people.sessions import begin_session, make_invite
from icf.annotate.people.tokens import read_key
from icf.catalogue.schema import album, batch, character, face, image, question
from icf.workspace import Workspace, init

#: Pictures, their sides in pixels, and characters of the workspace.
PICTURES, SIDE, CHARACTERS = 300, 1200, 100

_BOX = 160


def make_workspace(root: Path, questions: int) -> Workspace:
    """A workspace with open questions about faces of real pictures.

    Each character has one reference, chosen by hand; a picture has many faces, in
    places of their own.
    """
    workspace = init(root)
    random = np.random.default_rng(1)
    hashes = [workspace.blobs.put(_picture(random)) for _ in range(PICTURES)]
    found = {"source": "benchmark", "found_at": 0.0}
    state = {"verdict": "kept", "reason": "ok"}
    numbers = range(1, questions + 1)
    with workspace.catalogue.write() as connection:
        insert = connection.execute
        insert(sa.insert(album).values(id=1, name="Moon", **found))
        cast = range(1, CHARACTERS + 1)
        rows = [{"id": n, "album_id": 1, "name": f"Luna {n}", **found} for n in cast]
        insert(sa.insert(character), rows)
        stored = {"bytes": 1, "stored_at": 0.0}
        insert(
            sa.insert(image),
            [{"sha256": sha256, **stored, **state} for sha256 in hashes],
        )
        insert(sa.insert(face), [_face(n, random) | state for n in numbers])
        for n in cast:
            update = sa.update(character).where(character.c.id == n)
            connection.execute(update.values(reference_face_id=n, reference_by="hand"))
        made = {"format": "page", "path": "p", "questions": questions}
        insert(sa.insert(batch).values(id="b1", **made, created_at=0.0))
        asked = {"batch_id": "b1", "label": "open", "asked_at": 0.0}
        insert(sa.insert(question), [_question(n) | asked for n in numbers])
    return workspace


def _picture(random: np.random.Generator) -> bytes:
    """A blurred pattern: about as costly to decode as a drawing."""
    small = random.integers(0, 255, (SIDE // 12, SIDE // 12, 3), np.uint8)
    drawn = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".jpg", drawn)[1].tobytes())


def _face(number: int, random: np.random.Generator) -> dict[str, object]:
    x, y = (float(each) for each in random.integers(0, SIDE - _BOX, 2))
    return {
        "id": number,
        "image_id": number % PICTURES + 1,
        "x1": x,
        "y1": y,
        "x2": x + _BOX,
        "y2": y + _BOX,
        "kind": "cartoon",
        "score": 0.9,
        "detector": "d",
        "sharpness": 1.0,
        "pixel_hash": f"{number:064x}",
        "phash": number,
        "dhash": 0,
        "filed_under_id": number % CHARACTERS + 1,
        "character_id": number % CHARACTERS + 1,
        "probability": 0.5,
        "found_at": 0.0,
    }


def _question(number: int) -> dict[str, object]:
    mine = number % CHARACTERS + 1
    # Not the reference itself: its question would be another one.
    other = mine if mine != number else mine % CHARACTERS + 1
    return {"face_id": number, "character_id": other, "reference_face_id": other}


class Server:
    """`icf-annotate serve` as a program; always at the same address."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        code = "from icf.annotate.cli.main import main; main()"
        words = [sys.executable, "-c", code, "serve", "--port", str(self.port), "-q"]
        self._process = subprocess.Popen(
            words,
            cwd=self.workspace.root,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not self._answers():
            if self._process.poll() is not None:
                raise RuntimeError("the server ended by itself")
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it as by ``kill -9``."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def cpu_seconds(self) -> float:
        """CPU seconds that it has used."""
        assert self._process is not None
        text = Path(f"/proc/{self._process.pid}/stat").read_text()
        used = text.rpartition(")")[2].split()[11:13]
        return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/static/page.css", timeout=5).close()
        except (urllib.error.URLError, OSError):
            return False
        return True


#: Loads the program once, and forks a server for each line that it reads.
_FORKS = """
import os, signal, sys
import icf.annotate.cli.serve, icf.annotate.page.app, icf.annotate.page.desk
import icf.annotate.page.serve, icf.annotate.people.listing
from icf.annotate.cli.main import main
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in sys.stdin:
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        main()
        os._exit(0)
    print(child, flush=True)
"""


class ForkedServer(Server):
    """The same program, which starts ten times as fast: its imports are done before.

    What is killed is a process of its own each time, with nothing of the one before
    but the files.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        words = [sys.executable, "-c", _FORKS]
        words += ["serve", "--port", str(self.port), "-q"]
        self._parent = subprocess.Popen(
            words,
            cwd=workspace.root,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._child: int | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        print("start", file=self._parent.stdin, flush=True)
        self._child = int(self._parent.stdout.readline())
        while not self._answers():
            if not self._is_there(self._child):
                raise RuntimeError("the server ended by itself")
            time.sleep(0.005)

    def kill(self) -> None:
        """Kill it as by ``kill -9``."""
        if self._child is None:
            return
        os.kill(self._child, signal.SIGKILL)
        while self._is_there(self._child):
            time.sleep(0.001)
        self._child = None

    def close(self) -> None:
        """Kill it, and start no more."""
        self.kill()
        self._parent.kill()
        self._parent.wait()

    @staticmethod
    def _is_there(child: int) -> bool:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return False
        return True


def invite(server: Server, name: str) -> str:
    """An invite link."""
    workspace = server.workspace
    with workspace.catalogue.write() as connection:
        key = read_key(workspace.root)
        token, _ = make_invite(connection, key, name, Role.ANNOTATOR, 1.0)
    return f"{server.url}/join/{token}"


def headers_of(server: Server, name: str) -> dict[str, str]:
    """What a browser of a person who is logged in sends."""
    workspace = server.workspace
    key = read_key(workspace.root)
    invite(server, name)
    with workspace.catalogue.write() as connection:
        someone = find_person(connection, name)
        assert someone is not None
        session = begin_session(connection, key, someone)
    return {
        "Cookie": f"{cookie_name(key, Serving())}={session}",
        "Origin": server.url,
        "X-CSRF-Token": key.csrf_token(session),
    }
