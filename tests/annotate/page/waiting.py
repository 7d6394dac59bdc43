"""Wait for what a thread of the server does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from icf.annotate.page.background import Background
from tests.annotate.place import Place

#: How often is looked, at most: a test that would wait for ever fails instead.
_LOOKS, _BETWEEN = 3000, 0.1


def comes_true(holds: Callable[[], bool]) -> bool:
    """Whether something holds, now or after many looks."""
    between = threading.Event()
    return any(holds() or between.wait(_BETWEEN) for _ in range(_LOOKS))


@contextmanager
def at_work(place: Place) -> Iterator[None]:
    """Let the server work between requests."""
    background = Background(place.workspace)
    background.start()
    try:
        yield
    finally:
        background.stop()
