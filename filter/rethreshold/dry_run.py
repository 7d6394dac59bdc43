"""Do something to the catalogue, look at what it comes to, and undo it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue


class Opens(Protocol):
    """What gives connections: a catalogue, or a `DryRun` of it."""

    def read(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that reads."""
        ...

    def write(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that writes."""
        ...


@dataclass(frozen=True)
class DryRun:
    """Everything in one transaction."""

    connection: sa.Connection

    def read(self) -> AbstractContextManager[sa.Connection]:
        """The one transaction."""
        return nullcontext(self.connection)

    def write(self) -> AbstractContextManager[sa.Connection]:
        """The one transaction."""
        return nullcontext(self.connection)


@contextmanager
def rolled_back(catalogue: Catalogue) -> Iterator[DryRun]:
    """Let the block write whatever it likes; nothing of it stays.

    Nobody else can write to a catalogue in SQLite meanwhile.
    """
    with catalogue.write() as connection:
        yield DryRun(connection)
        connection.rollback()
