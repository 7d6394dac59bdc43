"""Whose turn it is to write: threads of one process wake each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds between two looks at whether others still wait, and for which one stands by.
_LOOK, _STAND_BY = 0.002, 0.2


class Turn:
    """A lock that knows how many threads wait for it.

    It goes to whoever asks first after its release, which is most often the thread that
    released it: so one that writes part after part stands by between them.

    >>> turn = Turn()
    >>> with turn.taken():
    ...     turn.waiting
    0
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = threading.Lock()
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Number of threads that wait for it."""
        return self._waiting

    def stand_by(self) -> None:
        """Wait while others wait for it, but not for long."""
        until = time.monotonic() + _STAND_BY
        while self._waiting and time.monotonic() < until:
            time.sleep(_LOOK)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have it until the block ends."""
        if not self._lock.acquire(blocking=False):
            self._wait()
        try:
            yield
        finally:
            self._lock.release()

    def _wait(self) -> None:
        self._add(1)
        try:
            self._lock.acquire()
        finally:
            self._add(-1)

    def _add(self, number: int) -> None:
        with self._count:
            self._waiting += number
