"""Run `icf demo`, kill it where it hurts, and look at what it leaves."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from icf.app.demo.command import BOXERS
from icf.app.demo.shell import EXPECTED, Shell
from icf.icartoonface.features import read_features
from icf.icartoonface.recognition import read_rectest_info
from icf.icartoonface.release_files import FEATURES, RECTEST_INFO
from tests.app.forked import Forked
from tests.app.program import BIN, within

_ROOT = Path(__file__).parents[2]
#: The demo; each command is a process of its own, in which nothing is imported again.
#: The programs themselves are started by `Demo.filter_with_kills`.
_FORKING = """
from icf.app.cli import main
from icf.app.demo import shell
from tests.app.demo_runs import run_forked

shell.subprocess.run = run_forked
main()
"""


@dataclass(frozen=True)
class Demo:
    """A demo in the folder ``root``, which need not be there yet."""

    root: Path

    @property
    def messages(self) -> str:
        """What its last run printed to stderr."""
        return self._log.read_text(encoding="utf-8")

    @property
    def _log(self) -> Path:
        return self.root.with_suffix(".log")

    def start(self, *words: str, forks: bool = False) -> subprocess.Popen[str]:
        """Start it; stdout can be read, stderr goes into a file.

        With ``forks`` its commands are forked from a process that has them loaded.
        """
        program, env = [str(BIN / "icf")], {**os.environ, "OMP_NUM_THREADS": "1"}
        if forks:
            program, env["PYTHONPATH"] = [sys.executable, "-c", _FORKING], str(_ROOT)
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [*program, "demo", self.root.name, *words],
                cwd=self.root.parent,
                env=env,
                text=True,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def finish(self, *words: str) -> str:
        """Run it to its end, its commands forked; return what it printed to stdout."""
        process = self.start(*words, forks=True)
        out, _ = process.communicate()
        assert process.returncode == 0, self.messages
        assert "Traceback" not in self.messages
        return out

    def finish_json(self) -> dict[str, Any]:
        """Run it to its end; return its numbers."""
        found = json.loads(self.finish("--json"))
        assert isinstance(found, dict)
        return found

    def kill_when(self, due: Callable[[Demo], bool]) -> bool:
        """Run it until ``due``, then kill -9; False if it came to its end before."""
        process = self.start("--json")
        while not due(self) and not _ended(process):
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return process.returncode == -signal.SIGKILL

    def filter_with_kills(self) -> None:
        """Run it until its pictures are filtered, killed in each stage and after."""
        for stage, due in BEGINNING.items():
            assert self.kill_when(due), f"it ended before {stage}: {self.messages}"
            assert_nothing_is_half_written(self)

    def count(self, table: str) -> int:
        """Rows of a table of the catalogue; 0 while there is no such table."""
        path = self.root / "catalogue.sqlite"
        if not path.exists():
            return 0
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return int(
                connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            )
        except sqlite3.OperationalError:
            return 0
        finally:
            connection.close()


#: A moment at which something is to be killed.
Due = Callable[[Demo], bool]

#: When to kill a demo before people are asked; the last time between two commands.
BEGINNING: dict[str, Due] = {
    "harvest": lambda demo: demo.count("image") >= 200,
    "filter": lambda demo: demo.count("decision") >= 900,
    "questions": lambda demo: "$ icf-annotate export" in demo.messages,
}


@dataclass
class Killer:
    """Kills commands of a demo while they work, and starts each again.

    Attributes:
        demo: whose commands it runs.
        moments: which program to kill, and when, by stage, in this order.
    """

    demo: Demo
    moments: dict[str, tuple[str, Due]]

    def method(self) -> Callable[..., str]:
        """What takes the place of `Shell.run`."""
        return lambda shell, *words, **how: self.run(shell, *words, **how)

    def run(
        self,
        shell: Shell,
        *words: str,
        folder: Path | None = None,
        capture: bool = False,
        codes: Collection[int] = EXPECTED,
    ) -> str:
        """Do as `Shell.run` does, but for the kills; without one in this process."""
        how: dict[str, Any] = {"folder": folder, "capture": capture, "codes": codes}
        if words[0] != next((name for name, _ in self.moments.values()), None):
            return run_within(shell, *words, **how)
        process = Forked(*words, folder=folder or shell.root)
        if self._kills(process):
            assert_nothing_is_half_written(self.demo)
            return self.run(shell, *words, **how)
        out, _ = process.communicate()
        assert process.returncode in codes, words
        return out if capture else ""

    def _kills(self, process: Forked) -> bool:
        """Kill it where it works on the next stage to be killed, or let it end."""
        stage, (_, due) = next(iter(self.moments.items()))
        while process.poll() is None:
            time.sleep(0.01)
            if due(self.demo):
                process.kill()
                process.communicate()
                del self.moments[stage]
                return True
        return False


def run_within(
    shell: Shell,
    *words: str,
    folder: Path | None = None,
    capture: bool = False,
    codes: Collection[int] = EXPECTED,
) -> str:
    """Do as `Shell.run` does, but within this process, where nothing is imported again.

    For what the commands do; another test starts them as programs.
    """
    done = within(words[0], *words[1:], folder=folder or shell.root, code=None)
    assert done.returncode in codes, done.stderr
    return done.stdout if capture else ""


def run_forked(
    line: list[str], *, cwd: Path, stdout: IO[str] | int | None, **_: object
) -> subprocess.CompletedProcess[str]:
    """Do as `subprocess.run` does for `Shell.run`, in a process that is forked."""
    process = Forked(Path(line[0]).name, *line[1:], folder=cwd)
    out, err = process.communicate()
    sys.stderr.write(err)
    if not isinstance(stdout, int):
        (stdout or sys.stdout).write(out)
    assert process.returncode is not None
    return subprocess.CompletedProcess(line, process.returncode, out)


def _ended(process: subprocess.Popen[str]) -> bool:
    """Look at it, leaving it the processor for a moment."""
    try:
        process.wait(timeout=0.02)
    except subprocess.TimeoutExpired:
        return False
    return True


def assert_nothing_is_half_written(demo: Demo) -> None:
    """Whatever stands under a final name is whole."""
    root = demo.root
    _assert_blobs_are_whole(root / "blobs")
    batches = {"references", "questions", "audit", "disputed"}
    boxes = {f"boxes-{name}" for name in BOXERS}
    drawn = {f"boxes-by-{name}.json" for name in BOXERS}
    answers = {f"{name}.csv" for name in batches}
    _assert_names(root / "batches", batches | answers | boxes | drawn)
    for name in (root / "batches").glob("boxes-*"):
        path = name / "boxes.json" if name.is_dir() else name
        assert json.loads(path.read_text())["images"]
    _assert_names(root / "releases", {"demo"})
    _assert_names(root / "reports", {"demo.html", "truth.csv", "detections.csv"})
    folders = [root / "batches" / name for name in sorted(batches)]
    exported = [folder for folder in folders if folder.exists()]
    asked = 0
    for folder in exported:
        rows = _rows(folder / "questions.csv")
        asked += len(rows) if folder.name in ("references", "questions") else 0
        pictures = {row[name] for row in rows for name in ("ref_url", "cand_url")}
        assert all((folder / name).stat().st_size > 0 for name in pictures)
        filled = folder.with_suffix(".csv")
        if filled.exists():
            assert len(_rows(filled)) == len(rows)
    # Of a batch that was killed, the questions are there before the folder.
    assert asked <= demo.count("question")
    release = root / "releases" / "demo"
    if release.exists():
        assert json.loads((release / "release.json").read_text())["seed"] == 1
        info = read_rectest_info(release / RECTEST_INFO)
        assert len(read_features(release / FEATURES, len(info.files)))
    report = root / "reports" / "demo.html"
    if report.exists():
        assert report.read_text(encoding="utf-8").rstrip().endswith("</html>")


def _assert_blobs_are_whole(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.parent.name != "tmp":
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name


def _assert_names(folder: Path, expected: set[str]) -> None:
    found = {each.name for each in folder.iterdir() if not each.name.startswith(".")}
    assert found <= expected


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
