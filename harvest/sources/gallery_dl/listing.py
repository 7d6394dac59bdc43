"""Listings that gallery-dl makes in another process, read a few files at a time."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import IO, Any

from icf.codes import FetchStatus
from icf.errors import BrokenMachine
from icf.harvest.fault import Fault

#: Seconds after its first file that a part of a listing is handed over.
_PROMPT = 2.0
_READ = 1 << 16
#: A line longer than this is no listing.
_LONGEST_LINE = 1 << 20

Line = dict[str, Any]


def is_last(line: Line) -> bool:
    """Whether a line says how the listing ended."""
    return "end" in line or "unsupported" in line


class Lister:
    """A process that lists one URL after another; started when it is needed.

    Args:
        options: what `icf.harvest.sources.gallery_dl.child` is told first.
        patience: seconds without a word after which it is killed.
    """

    def __init__(self, options: Mapping[str, Any], patience: float) -> None:
        self._options = options
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._files = ExitStack()
        self._rest = b""
        self._busy = False

    def begin(self, url: str) -> None:
        """Begin the listing of a URL; one that is under way is given up.

        Raises:
            BrokenMachine: no process can be started.
        """
        if self._busy or (
            self._process is not None and self._process.poll() is not None
        ):
            self.close()
        if self._process is None:
            self._process = self._start()
            self._tell(self._options)
        self._tell(url)
        self._busy = True

    def _start(self) -> subprocess.Popen[bytes]:
        said = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._said = self._files.enter_context(said)
        # What it may load keeps caches of its own.
        cache = self._files.enter_context(tempfile.TemporaryDirectory())
        command = [sys.executable, "-m", "icf.harvest.sources.gallery_dl.child"]
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env={**os.environ, "XDG_CACHE_HOME": cache},
            )
        except OSError as error:
            self._files.close()
            raise BrokenMachine(f"cannot start {command}: {error}") from error

    def _tell(self, words: object) -> None:
        # Options hold passwords: they go where no list of processes shows them.
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # `read` says why it ended
            self._process.stdin.write(json.dumps(words).encode() + b"\n")
            self._process.stdin.flush()

    def read(self, count: int) -> list[Line]:
        """Return the next lines, ``count`` at most.

        The last line of a listing, which says how it ended, comes alone.

        Raises:
            Fault: it broke, or said nothing for too long; it is closed then.
        """
        try:
            return self._read(count)
        except Fault:
            self.close()
            raise

    def _read(self, count: int) -> list[Line]:
        lines: list[Line] = []
        first = 0.0
        while len(lines) < count:
            line, newline, rest = self._rest.partition(b"\n")
            if newline:
                parsed = _parsed(line)
                if is_last(parsed):
                    if lines:
                        break
                    self._busy = False
                self._rest = rest
                lines.append(parsed)
                if not self._busy:
                    break
                first = first or time.monotonic()
                continue
            if lines and not self._more_within(first + _PROMPT - time.monotonic()):
                break
            if not lines and not self._more_within(self._patience):
                raise Fault(
                    FetchStatus.TIMEOUT,
                    f"gallery-dl said nothing for {self._patience:.0f} s",
                    again=True,
                )
            piece = os.read(self._out.fileno(), _READ)
            if not piece and lines:
                break
            if not piece:
                raise _broken(self._last_words())
            self._rest += piece
            if len(self._rest) > _LONGEST_LINE and b"\n" not in piece:
                raise _broken("a line without an end")
        return lines

    def close(self) -> None:
        """Kill the process, if there is one."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._out.close()
        self._files.close()
        self._process, self._rest, self._busy = None, b"", False

    @property
    def _out(self) -> IO[bytes]:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout

    def _last_words(self) -> str:
        self._said.seek(0)
        words = self._said.read().decode(errors="replace").strip().splitlines()
        return words[-1] if words else "it ended without a word"

    def _more_within(self, seconds: float) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            return bool(selector.select(max(0.0, seconds)))


def _parsed(line: bytes) -> Line:
    try:
        parsed = json.loads(line)
    except ValueError as error:
        raise _broken(f"a line that is no JSON: {line[:80]!r}") from error
    assert isinstance(parsed, dict)
    return parsed


def _broken(why: str) -> Fault:
    return Fault(FetchStatus.HTTP_ERROR, f"gallery-dl broke: {why}")
