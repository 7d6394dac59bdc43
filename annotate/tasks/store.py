"""Store answers of the page: on the disk before they are acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.annotate.answers import all_storable
from icf.annotate.people.people import Person, lock_people
from icf.annotate.tasks import leases
from icf.annotate.tasks.base import (
    AskingSource,
    Given,
    Lease,
    RefusedAnswer,
    Source,
)
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import lock_table
from icf.catalogue.schema import question

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
        sources: by name, in the order in which answers to them are stored.
        holder: who sent them; each must be about something that was leased to the
            person.
        answers: in the order in which they were given.

    Returns:
        A receipt each. One refused answer does not keep others from being stored.
    """
    with catalogue.write() as connection:
        found = [_find(connection, holder, each) for each in answers]
        if any(_asks(each, sources) for each in found):
            # Whoever asks, or lets labels follow, begins with it.
            lock_table(connection, question)
        # One after the other, so that the later of two answers finds the earlier one.
        lock_people(connection, [holder.name])
        receipts: dict[int, Receipt] = {}
        # What each is about is locked: by everybody in one order, and leases last.
        for place in _in_order(found, sources):
            sent, each = answers[place], found[place]
            receipts[place] = (
                _store(connection, sources, each, sent)
                if isinstance(each, Lease)
                else each
            )
        places = range(len(answers))
        stored = [each for each in places if receipts[each].refused is None]
        leases.end(connection, holder, [answers[each].handle for each in stored])
        return [receipts[each] for each in places]


def _asks(found: Lease | Receipt, sources: Mapping[str, Source]) -> bool:
    """Whether an answer is about something of which nobody may be asked yet."""
    return isinstance(found, Lease) and isinstance(sources[found.source], AskingSource)


def _in_order(
    found: Sequence[Lease | Receipt], sources: Mapping[str, Source]
) -> list[int]:
    """The places of leases by what they are about, those without one first."""
    order = {name: number for number, name in enumerate(sources)}
    about = [
        (order[each.source], each.subject_id) if isinstance(each, Lease) else (-1, 0)
        for each in found
    ]
    return sorted(range(len(about)), key=about.__getitem__)


def _find(connection: sa.Connection, holder: Person, sent: Sent) -> Lease | Receipt:
    """The lease that an answer is about; else why there is none."""
    if not all_storable([sent.handle, sent.client_id, sent.value]):
        named = sent.client_id.encode(errors="replace").decode()
        return Receipt(named, "the answer has a character that cannot be stored")
    found = leases.find(connection, sent.handle)
    if found is None or found.person.id != holder.id:
        return Receipt(sent.client_id, "this was not shown to you")
    if not 0 < len(sent.client_id) <= _CLIENT_ID:
        return Receipt(sent.client_id[:_CLIENT_ID], "the answer has no valid id")
    return found


def _store(
    connection: sa.Connection, sources: Mapping[str, Source], found: Lease, sent: Sent
) -> Receipt:
    given = Given(found, sent.client_id, sent.value, sent.seconds, sent.answered_at)
    try:
        with connection.begin_nested():
            sources[found.source].store(connection, given)
    except RefusedAnswer as error:
        return Receipt(sent.client_id, str(error))
    return Receipt(sent.client_id)
