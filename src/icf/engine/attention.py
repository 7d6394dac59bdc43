"""Which item a step has before it, for whoever must know when the step never returns.

A step that decodes hostile bytes goes through its batch with `one_by_one`. When its
process dies, the item it spoke of last is the first suspect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from icf.engine.step import ItemT

_listeners: list[Callable[[int], None]] = []


def one_by_one(batch: Iterable[ItemT]) -> Iterator[ItemT]:
    """Yield the items of ``batch``, telling of each before it comes."""
    for item in batch:
        for tell in _listeners:
            tell(item.id)
        yield item


def listen(tell: Callable[[int], None]) -> None:
    """Have ``tell`` called with the id of each item that is taken up from now on."""
    _listeners.append(tell)
