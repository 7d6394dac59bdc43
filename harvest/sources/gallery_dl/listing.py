"""Listings that gallery-dl makes in another process, read a few files at a time."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from icf.codes import FetchStatus
from icf.engine.child_process import (
    ChildCrashed,
    ChildLost,
    ChildProcess,
    ChildTimeout,
)
from icf.harvest.fault import Fault

#: Seconds after its first file that a part of a listing is handed over.
_PROMPT = 2.0
#: Seconds in which a process that waits must take a request.
_SEND_SECONDS = 60.0
#: Bytes; a line longer than this is not part of a listing.
_LONGEST_LINE = 1 << 20

Line = dict[str, Any]


def is_last(line: Line) -> bool:
    """Whether a line says how the listing ended."""
    return "end" in line or "unsupported" in line


class Lister:
    """A process that lists one URL after another; started when it is needed.

    Args:
        options: the first message to `icf.harvest.sources.gallery_dl.child`.
        patience: seconds without a message after which it is killed.
    """

    def __init__(self, options: Mapping[str, Any], patience: float) -> None:
        self._options = options
        self._patience = patience
        self._process: ChildProcess | None = None
        self._cache: tempfile.TemporaryDirectory[str] | None = None
        self._ending: Line | ChildLost | None = None
        self._busy = False

    def begin(self, url: str) -> None:
        """Begin the listing of a URL; stop one that is in progress.

        Raises:
            BrokenMachine: no process can be started.
        """
        if self._busy or (self._process is not None and not self._process.is_running):
            self.close()
        if self._process is None:
            self._process = self._start()
            self._send(self._options)
        self._send(url)
        self._busy = True

    def _start(self) -> ChildProcess:
        # What gallery-dl loads may keep caches of its own.
        self._cache = tempfile.TemporaryDirectory()
        return ChildProcess(
            "icf.harvest.sources.gallery_dl.child",
            environment={"XDG_CACHE_HOME": self._cache.name},
            longest=_LONGEST_LINE,
        )

    def _send(self, value: object) -> None:
        # Options hold passwords: on the channel no list of processes shows them.
        assert self._process is not None
        try:
            self._process.send(b"L", json.dumps(value).encode(), _SEND_SECONDS)
        except ChildLost as lost:
            self._ending = lost  # `read` raises it

    def read(self, count: int) -> list[Line]:
        """Return the next lines, ``count`` at most.

        The last line of a listing, which says how it ended, is returned alone.

        Raises:
            Fault: it broke, or sent nothing for too long; it is closed then.
        """
        assert self._process is not None
        lines: list[Line] = []
        end = float("inf")
        while len(lines) < count and self._ending is None:
            if lines and not self._process.channel.poll(end - time.monotonic()):
                return lines
            self._receive(lines)
            if len(lines) == 1:
                end = time.monotonic() + _PROMPT
        if lines:
            return lines
        assert self._ending is not None
        if isinstance(self._ending, ChildLost):
            fault = self._fault(self._ending)
            self.close()
            raise fault
        last, self._ending, self._busy = self._ending, None, False
        return [last]

    def close(self) -> None:
        """Kill the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.close()
        if self._cache is not None:
            self._cache.cleanup()
        self._cache, self._ending, self._busy = None, None, False

    def _receive(self, lines: list[Line]) -> None:
        assert self._process is not None
        try:
            _, body = self._process.receive(self._patience)
        except ChildLost as lost:
            self._ending = lost
            return
        line: Line = json.loads(body)
        if is_last(line):
            self._ending = line
        else:
            lines.append(line)

    def _fault(self, lost: ChildLost) -> Fault:
        if isinstance(lost, ChildTimeout):
            text = f"gallery-dl sent nothing for {self._patience:.0f} s"
            return Fault(FetchStatus.TIMEOUT, text, again=True)
        assert isinstance(lost, ChildCrashed)
        why = (lost.output or lost.how).splitlines()[-1]
        return Fault(FetchStatus.HTTP_ERROR, f"gallery-dl broke: {why}")
