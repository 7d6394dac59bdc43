"""Store answers of the page: on the disk before they are acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.annotate.answers import all_storable
from icf.annotate.people.people import Person
from icf.annotate.tasks import leases
from icf.annotate.tasks.base import Given, RefusedAnswer, Source
from icf.catalogue.annotation.schema import person
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import lock

#: Characters of a client id.
_CLIENT_ID = 64


@dataclass(frozen=True)
class Sent:
    """An answer as the browser sent it, not checked yet.

    Attributes:
        handle: of the lease that it is about.
        client_id, value, seconds, answered_at: as in `Given`.
    """

    handle: str
    client_id: str
    value: Mapping[str, Any]
    seconds: float | None
    answered_at: float


@dataclass(frozen=True)
class Receipt:
    """What became of an answer.

    Attributes:
        client_id: of the answer.
        refused: why it cannot be stored; None: it is on the disk.
    """

    client_id: str
    refused: str | None = None


def store(
    catalogue: Catalogue,
    sources: Mapping[str, Source],
    holder: Person,
    answers: Sequence[Sent],
) -> list[Receipt]:
    """Store answers in one transaction, which is on the disk when this returns.

    Args:
        catalogue: where to.
        sources: by name.
        holder: who sent them; each must be about something that was leased to the
            person.
        answers: in the order in which they were given.

    Returns:
        A receipt each. One refused answer does not keep others from being stored.
    """
    with catalogue.write() as connection:
        # One after the other, so that the later of two answers finds the earlier one.
        lock(connection, person, person.c.id == holder.id)
        return [_store(connection, sources, holder, each) for each in answers]


def _store(
    connection: sa.Connection,
    sources: Mapping[str, Source],
    holder: Person,
    sent: Sent,
) -> Receipt:
    if not all_storable([sent.handle, sent.client_id, sent.value]):
        named = sent.client_id.encode(errors="replace").decode()
        return Receipt(named, "the answer has a character that cannot be stored")
    found = leases.find(connection, sent.handle)
    if found is None or found.person.id != holder.id:
        return Receipt(sent.client_id, "this was not shown to you")
    if not 0 < len(sent.client_id) <= _CLIENT_ID:
        return Receipt(sent.client_id[:_CLIENT_ID], "the answer has no valid id")
    given = Given(found, sent.client_id, sent.value, sent.seconds, sent.answered_at)
    try:
        with connection.begin_nested():
            sources[found.source].store(connection, given)
    except RefusedAnswer as error:
        return Receipt(sent.client_id, str(error))
    leases.end(connection, holder, [sent.handle])
    return Receipt(sent.client_id)
