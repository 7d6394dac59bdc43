"""Commands as processes of their own, for tests that kill and interrupt them.

A program takes a second to import its libraries. These are forked from a server that
has them loaded, one for all tests of this process; from there on they are what a user
starts: ``main`` with the words of a line, signals, an exit code, children.
"""

from __future__ import annotations

import functools
import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import NoReturn

#: What most of a program's time goes into.
_LOADED = [
    "icf.annotate.cli.export",
    "icf.annotate.cli.import_answers",
    "icf.app.importing.command",
    "icf.app.round.run",
    "icf.dataset.cli.build_splits",
    "icf.dataset.cli.report",
    "icf.filter.cli.rethreshold",
    "icf.filter.cli.run",
    "icf.harvest.cli.run",
    "icf.harvest.listing.discover",
    "tests.app.forked",
]
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(_LOADED)


class Forked:
    """A running command, used like `subprocess.Popen`.

    Args:
        name: of the command, such as ``icf-harvest``.
        words: of its line.
        folder: in which it is started.
        environment: its variables, all of them; None: those of this process.
    """

    def __init__(
        self,
        name: str,
        *words: object,
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._files = tempfile.TemporaryDirectory(prefix="forked-")
        self._said = [Path(self._files.name, each) for each in ("out", "err")]
        line = [name, *map(str, words)]
        variables = dict(os.environ if environment is None else environment)
        arguments = (_main_of(name), line, folder, variables, self._said)
        self._process = PROCESSES.Process(target=_run, args=arguments)
        self._process.start()

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, or the negative number of the signal that ended it."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit code once it has ended."""
        return self.returncode

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def said(self) -> str:
        """Return what is on stderr so far."""
        return self._said[1].read_text() if self._said[1].exists() else ""

    def communicate(self) -> tuple[str, str]:
        """Wait until it ends; return stdout and stderr."""
        self._process.join()
        out, err = (each.read_text() if each.exists() else "" for each in self._said)
        self._files.cleanup()
        return out, err


@functools.cache
def _main_of(name: str) -> tuple[str, str]:
    """The module and the name of a command's ``main``."""
    (point,) = entry_points(group="console_scripts", name=name)
    return point.module, point.attr


def _run(
    main: tuple[str, str],
    line: list[str],
    folder: Path,
    variables: Mapping[str, str],
    said: list[Path],
) -> NoReturn:
    """Become the command, in the new process."""
    for number, file in enumerate(said, 1):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    sys.argv = line
    module, name = main
    getattr(importlib.import_module(module), name)()
    raise AssertionError("a command ends with its exit code")
