"""A step that items crash, hang or end, as hostile bytes do to a native decoder."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from icf.engine.attention import one_by_one
from icf.engine.step import Item, Outcome, Step, Subject
from icf.errors import BadModel, BrokenMachine

if TYPE_CHECKING:
    import sqlalchemy as sa


def segfault() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def abort() -> None:
    os.write(2, b"free(): invalid pointer\n")
    os.abort()


def killed() -> None:
    """as the kernel does to a process that takes all memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed_once() -> None:
    """Die the first time alone, as by a hand from outside."""
    mark = Path(os.environ["HOSTILE_WORKERS"], "died")
    if not mark.exists():
        mark.touch()
        killed()


def leave() -> None:
    os._exit(7)


def hang() -> None:
    """Wait for ever in native code that holds Python's lock, and take no time."""
    ctypes.PyDLL(None).pause()


def raise_value_error() -> None:
    raise ValueError("no such thing")


def bad_model() -> None:
    raise BadModel("the weights have another hash")


def broken_machine() -> None:
    raise BrokenMachine("the disk is full")


def memory_error() -> None:
    raise MemoryError


def say_who_works() -> None:
    """Leave a file that is named after the process."""
    Path(os.environ["HOSTILE_WORKERS"], str(os.getpid())).touch()


def meet_another() -> None:
    """Wait until another process is here too."""
    say_who_works()
    here = Path(os.environ["HOSTILE_WORKERS"])
    while len(list(here.iterdir())) < 2:
        time.sleep(0.01)


HARM = {
    each.__name__: each
    for each in (
        segfault,
        abort,
        killed,
        killed_once,
        leave,
        hang,
        raise_value_error,
        bad_model,
        broken_machine,
        memory_error,
        say_who_works,
        meet_another,
    )
}


@dataclass(frozen=True)
class Hostile(Step[Item]):
    """Every item passes, if its harm lets it.

    Args:
        harms: by item, what happens when it comes (a key of `HARM`).
        announces: whether it says which item it takes up.
        at_open: what happens when it is opened.
    """

    name: ClassVar[str] = "detect"
    subject: ClassVar[Subject] = "image"
    decodes: ClassVar[bool] = True

    harms: Mapping[int, str] = field(default_factory=dict)
    announces: bool = True
    at_open: str | None = None

    def open(self) -> None:
        if self.at_open:
            HARM[self.at_open]()

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[Item]:
        # Not in the worker processes, which would start three times as slowly.
        import sqlalchemy as sa

        from icf.catalogue.schema import image

        rows = connection.execute(sa.select(image.c.id).where(image.c.id.in_(ids)))
        return [Item(row.id) for row in rows]

    def judge(self, batch: Sequence[Item]) -> list[Outcome]:
        for item in one_by_one(batch) if self.announces else batch:
            if item.id in self.harms:
                HARM[self.harms[item.id]]()
        return [Outcome(item.id, True, value=float(os.getpid())) for item in batch]


class HostileGroups(Hostile):
    """The same, with three items in each group, of which the first is context."""

    grouped: ClassVar[bool] = True

    def judge(self, batch: Sequence[Item]) -> list[Outcome]:
        fresh = {item.id for item in batch if item.fresh}
        return [outcome for outcome in super().judge(batch) if outcome.id in fresh]
