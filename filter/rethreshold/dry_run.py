"""Change the catalogue in one transaction that nobody sees."""

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
def tried(catalogue: Catalogue) -> Iterator[DryRun]:
    """Let the block write, and let nobody ever see it."""
    with catalogue.scratch() as connection:
        yield DryRun(connection)
