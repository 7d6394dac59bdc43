"""A value that is costly to make, and may be some seconds old."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass
class Remembered(Generic[Value]):
    """Makes a value at most once in a while; may be asked by several threads.

    Attributes:
        make: makes it.
        seconds: how old it may be.
        now: the clock, in seconds.
    """

    make: Callable[[], Value]
    seconds: float
    now: Callable[[], float] = time.monotonic
    _made: tuple[float, Value] | None = None
    _lock: Lock = field(default_factory=Lock, repr=False)

    def get(self) -> Value:
        """Return it; whoever comes while it is made waits for it.

        >>> numbers = iter(range(10))
        >>> number = Remembered(lambda: next(numbers), seconds=60)
        >>> number.get(), number.get()
        (0, 0)
        """
        with self._lock:
            if self._made is None or self.now() >= self._made[0] + self.seconds:
                value = self.make()
                self._made = self.now(), value
            return self._made[1]

    def forget(self) -> None:
        """Make it again when it is asked for: something changed."""
        with self._lock:
            self._made = None
