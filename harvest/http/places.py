"""Places of fetches: so many work at a time, besides those that wait for a connection.

A dead host lets a connection wait until its time is over. Such a wait holds no place:
otherwise the dead hosts of a list would stop the living ones.
"""

from __future__ import annotations

import asyncio
import resource
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

#: Seconds for which a connection that is being opened keeps its place.
KEPT = 1.0
#: Most connections that are being opened without a place. Routers keep a note of each
#: for minutes, and small ones have room for some thousands.
_MOST_WAITING = 256


def most_waiting() -> int:
    """Return how many connections may be opened without a place.

    A quarter of the files that this process may have open is the limit.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_WAITING
    return min(_MOST_WAITING, soft // 4)


class Places:
    """The places of one worker's fetches.

    Args:
        count: fetches at a time.
        waiting: most fetches that wait for a connection without a place.
        freed: called when a place is free again.
    """

    def __init__(self, count: int, waiting: int, freed: Callable[[], None]) -> None:
        self._free = count
        self._may_wait = waiting
        self._freed = freed
        self._back: deque[asyncio.Future[None]] = deque()

    @property
    def has_free(self) -> bool:
        """Whether another fetch may begin."""
        return self._free > 0

    def take(self) -> Place:
        """Take a free place, for a fetch that begins."""
        self._free -= 1
        return Place(self)

    def lend(self) -> bool:
        """Free the place of a fetch that waits; return whether it may."""
        if self._may_wait <= 0:
            return False
        self._may_wait -= 1
        self.free()
        return True

    def waited(self) -> None:
        """Record that a fetch without a place waits no longer."""
        self._may_wait += 1

    def free(self) -> None:
        """Free a place: those that had one before come first."""
        while self._back:
            first = self._back.popleft()
            if not first.done():
                first.set_result(None)
                return
        self._free += 1
        self._freed()

    async def take_back(self) -> None:
        """Take a place again, when there is one."""
        if self._free > 0:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._back.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.free()
            raise


class Place:
    """The place of one fetch, which may be without it for a while."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._is_held = True
        self._timer: asyncio.TimerHandle | None = None

    def use(self) -> None:
        """Make it the place of the task that runs now."""
        _PLACE.set(self)

    def release(self) -> None:
        """Free it: the fetch has ended."""
        if self._is_held:
            self._is_held = False
            self._places.free()

    @asynccontextmanager
    async def opening(self) -> AsyncIterator[None]:
        """Free the place if the block, which opens a connection, takes long."""
        self._later()
        try:
            yield
            if not self._is_held:
                await self._places.take_back()
                self._is_held = True
        finally:
            if self._timer is not None:
                self._timer.cancel()
            else:
                self._places.waited()

    def _later(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(KEPT, self._lend)

    def _lend(self) -> None:
        if not self._is_held:
            return
        if self._places.lend():
            self._timer, self._is_held = None, False
        else:
            self._later()


_PLACE: ContextVar[Place | None] = ContextVar("place", default=None)


@asynccontextmanager
async def opening() -> AsyncIterator[None]:
    """Open a connection within the block; it holds its task's place for `KEPT` only."""
    place = _PLACE.get()
    if place is None:
        yield
        return
    async with place.opening():
        yield
