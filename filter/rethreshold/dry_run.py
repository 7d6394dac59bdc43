"""Change the catalogue in one transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue


class ConnectionSource(Protocol):
    """Opens transactions: a catalogue, or a `DryRun` of it."""

    def read(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that reads."""
        ...

    def write(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that writes."""
        ...


@dataclass(frozen=True)
class DryRun:
    """Gives every caller the same transaction."""

    connection: sa.Connection

    def read(self) -> AbstractContextManager[sa.Connection]:
        """The one transaction."""
        return nullcontext(self.connection)

    def write(self) -> AbstractContextManager[sa.Connection]:
        """The one transaction."""
        return nullcontext(self.connection)


@contextmanager
def rolled_back(catalogue: Catalogue) -> Iterator[DryRun]:
    """Roll back everything that the block writes.

    Nobody else can write to a catalogue in SQLite meanwhile.
    """
    with catalogue.write() as connection:
        yield DryRun(connection)
        connection.rollback()
