"""A listing that gallery-dl makes in another process, read a few files at a time."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from icf.codes import Fate
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


class Listing:
    """One process that lists one URL.

    Args:
        request: what `icf.harvest.gallery_child` is asked.
        patience: seconds without a word after which it is killed.

    Raises:
        BrokenMachine: no process can be started.
    """

    def __init__(self, request: Mapping[str, Any], patience: float) -> None:
        self._patience = patience
        self._url = str(request["url"])
        self._rest = b""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        command = [sys.executable, "-m", "icf.harvest.gallery_child"]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
            )
        except OSError as error:
            self._said.close()
            raise BrokenMachine(f"cannot start {command}: {error}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # The request holds passwords: it goes where no list of processes shows it.
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        self._out = self._process.stdout

    def read(self, count: int) -> list[Line]:
        """Return the next lines, ``count`` at most; none when it has ended.

        The last line of all, which says how the listing ended, comes alone.

        Raises:
            Fault: it broke, or said nothing for too long.
        """
        lines: list[Line] = []
        first = 0.0
        while len(lines) < count:
            line, newline, rest = self._rest.partition(b"\n")
            if newline:
                parsed = self._parsed(line)
                if lines and is_last(parsed):
                    break
                self._rest = rest
                lines.append(parsed)
                first = first or time.monotonic()
                continue
            if lines and not self._more_within(first + _PROMPT - time.monotonic()):
                break
            if not lines and not self._more_within(self._patience):
                raise self._silent()
            piece = os.read(self._out.fileno(), _READ)
            if not piece:
                break
            self._rest += piece
            if len(self._rest) > _LONGEST_LINE and b"\n" not in piece:
                raise self._broken("a line without an end")
        return lines

    def close(self) -> None:
        """Kill it, if it still runs."""
        self._process.kill()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._out.close()
        self._process.wait()
        self._said.close()

    def broken(self) -> Fault:
        """Return why it ended without saying that it was at its end."""
        self._said.seek(0)
        words = self._said.read().decode(errors="replace").strip().splitlines()
        last = words[-1] if words else f"exit code {self._process.wait()}"
        return self._broken(last)

    def _more_within(self, seconds: float) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            return bool(selector.select(max(0.0, seconds)))

    def _parsed(self, line: bytes) -> Line:
        try:
            parsed = json.loads(line)
        except ValueError as error:
            raise self._broken(f"a line that is no JSON: {line[:80]!r}") from error
        assert isinstance(parsed, dict)
        return parsed

    def _silent(self) -> Fault:
        return Fault(
            Fate.TIMEOUT,
            f"{self._url}: gallery-dl said nothing for {self._patience:.0f} s",
            again=True,
        )

    def _broken(self, why: str) -> Fault:
        return Fault(Fate.HTTP_ERROR, f"{self._url}: gallery-dl broke: {why}")
