"""Run `icf` and its siblings: within this process, or as a user would."""

from __future__ import annotations

import functools
import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from icf.app.cli import cli

#: Where the console commands of this installation are.
BIN = Path(sys.executable).parent


def call(*words: object) -> Result:
    """Run `icf` here; return its result, or raise what it raised."""
    return invoke(cli, *words)


def invoke(command: click.Command, *words: object) -> Result:
    """Run a command here; return its result, or raise what it raised."""
    logging.getLogger().handlers.clear()
    done = CliRunner().invoke(command, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def said(*words: object) -> dict[str, Any]:
    """What `icf ... --json` prints."""
    done = call(*words, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def program(
    name: str, *words: object, folder: Path, code: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a console command as a program, and expect its exit code."""
    done = subprocess.run(
        [str(BIN / name), *map(str, words)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def within(
    name: str, *words: object, folder: Path, code: int | None = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a console command as `program` does, but within this process.

    Its own ``main`` runs, so errors become the messages and exit codes that they are
    for users. For what a command does and says; a program takes half a second to start.
    With ``code`` None any exit code will do.
    """
    line = [name, *map(str, words)]
    printed = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(each, "utf-8", write_through=True) for each in printed)
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    logger.handlers.clear()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        patch.chdir(folder)
        patch.setattr(sys, "argv", line)
        for key, value in environment.items():
            patch.setenv(key, value)
        try:
            with redirect_stderr(err), pytest.raises(SystemExit) as ended:
                _main(name)()
        finally:
            logger.handlers[:] = handlers
            logger.setLevel(level)
    said = [each.getvalue().decode() for each in printed]
    found = ended.value.code
    assert isinstance(found, int)
    assert code is None or found == code, said[1]
    return subprocess.CompletedProcess(line, found, *said)


@functools.cache
def _main(name: str) -> Callable[[], object]:
    (point,) = entry_points(group="console_scripts", name=name)
    main: Callable[[], object] = point.load()
    return main


def first_line(name: str, *words: object, folder: Path) -> str:
    """Run a server as a program until it says where it is; interrupt it then."""
    with subprocess.Popen(
        [str(BIN / name), *map(str, words)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        line = running.stdout.readline()
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
        assert running.wait() == 0, said
    return line
