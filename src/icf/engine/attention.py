"""Reports which item a step is working on, in case the step never returns.

A step that decodes hostile bytes iterates over its batch with `one_by_one`. When its
process crashes, the item that was reported last is the first suspect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from icf.engine.step import ItemT

_listeners: list[Callable[[int], None]] = []


def one_by_one(batch: Iterable[ItemT]) -> Iterator[ItemT]:
    """Yield the items of ``batch``; report each one before it is yielded."""
    for item in batch:
        for listener in _listeners:
            listener(item.id)
        yield item


def listen(listener: Callable[[int], None]) -> None:
    """From now on call ``listener`` with the id of each item that a step begins."""
    _listeners.append(listener)
