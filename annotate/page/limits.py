"""How often something may fail: by one address, and in all."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

#: Addresses that are remembered at most.
_MOST_ADDRESSES = 10_000


@dataclass
class Limit:
    """Counts failures of the last while; may be used by several threads.

    Attributes:
        each: failures of one address that are let pass.
        total: failures of all of them.
        seconds: how long a failure counts.
        now: the clock, in seconds.
    """

    each: int
    total: int
    seconds: float
    now: Callable[[], float] = time.monotonic
    _failed: dict[str, deque[float]] = field(default_factory=dict, repr=False)
    _all: deque[float] = field(default_factory=deque, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def allows(self, address: str) -> bool:
        """Whether an address may try once more."""
        with self._lock:
            since = self.now() - self.seconds
            _forget(self._all, since)
            failed = self._failed.get(address, deque())
            _forget(failed, since)
            return len(failed) < self.each and len(self._all) < self.total

    def count(self, address: str) -> None:
        """Remember a failure."""
        with self._lock:
            if address not in self._failed and len(self._failed) >= _MOST_ADDRESSES:
                self._failed.pop(next(iter(self._failed)))
            at = self.now()
            self._failed.setdefault(address, deque(maxlen=self.each)).append(at)
            self._all.append(at)
            while len(self._all) > self.total:
                self._all.popleft()


def _forget(times: deque[float], since: float) -> None:
    while times and times[0] < since:
        times.popleft()
