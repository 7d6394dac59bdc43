"""People who may answer on the page, and what they may do there."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

import sqlalchemy as sa

from icf.catalogue.annotation.schema import lease, person
from icf.catalogue.bulk_insert import among
from icf.catalogue.rows import lock, locked


class Role(IntEnum):
    """What a person may do; each role may do what those before it may.

    >>> Role.REVIEWER >= Role.ANNOTATOR, str(Role.ADMIN)
    (True, 'admin')
    """

    ANNOTATOR = 1
    REVIEWER = 2
    ADMIN = 3

    def __str__(self) -> str:
        """Return the name that commands and the catalogue use."""
        return self.name.lower()


#: ``person.paused_why`` of those who paused themselves, and whom an admin paused. See
#: also `icf.catalogue.annotation.pauses`.
BY_ONESELF = "the person wanted a pause"
BY_ADMIN = "an admin paused the person"


@dataclass(frozen=True)
class Person:
    """Somebody who answers.

    Attributes:
        id: in the table of people.
        name: in the catalogue, as ``answer.annotator`` has it.
        role: what the person may do.
        pseudonym: the name in exports.
        paused: why the person gets no questions; None: the person gets some.
    """

    id: int
    name: str
    role: Role
    pseudonym: str
    paused: str | None = None


def person_of(row: sa.Row[tuple[object, ...]]) -> Person:
    """Make a person of a row of `icf.catalogue.annotation.schema.person`."""
    paused = (row.paused_why or "paused") if row.paused_at is not None else None
    return Person(row.id, row.name, Role[row.role.upper()], row.pseudonym, paused)


def find_person(connection: sa.Connection, name: str) -> Person | None:
    """Read the person of a name, revoked or not."""
    row = connection.execute(sa.select(person).where(person.c.name == name)).first()
    return person_of(row) if row else None


def lock_people(connection: sa.Connection, names: Collection[str]) -> None:
    """Let nobody else store answers of some people until the transaction ends.

    Of two answers of a person that come at once, by the page and in a file, the second
    sees the first then. Only the lock of all questions comes before it.

    Args:
        connection: a write transaction.
        names: of the people; whoever is not known answers in files alone.
    """
    lock(connection, person, among(connection, person.c.name, names))


def pause(connection: sa.Connection, someone: Person, why: str) -> None:
    """Give a person no questions any more.

    A reason that there is stays, but for the person's own, which the person can take
    back. What the person holds is given back; an answer to it is taken all the same.
    """
    update = sa.update(person).where(
        person.c.id == someone.id,
        person.c.paused_at.is_(None) | (person.c.paused_why == BY_ONESELF),
    )
    connection.execute(update.values(paused_at=time.time(), paused_why=why))
    give_back_all(connection, someone)


def resume(connection: sa.Connection, someone: Person) -> None:
    """Give a person questions again."""
    update = sa.update(person).where(person.c.id == someone.id)
    connection.execute(update.values(paused_at=None, paused_why=None))


def give_back_all(connection: sa.Connection, someone: Person) -> None:
    """End all leases of a person, so that others get what they were for."""
    held = sa.and_(lease.c.person_id == someone.id, lease.c.ended_at.is_(None))
    update = sa.update(lease).where(locked(connection, lease, held))
    connection.execute(update.values(ended_at=time.time()))
