"""Which faces are described next: confirmed ones, in an order that a hash draws.

The questions of the catalogue are read in windows of ids, and the windows in a random
but fixed order. So what is described first is a sample of all of them, each call reads
a few windows only, and the order is the same for everybody and after a restart. Faces
that a person chose as reference without a question follow from windows of characters.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.annotate.people.people import Person
from icf.annotate.tasks.leases import held
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.annotation.schema import attribute_answer
from icf.catalogue.confirmations import HAND
from icf.catalogue.labels.confirmed import is_there
from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids, count_rows
from icf.catalogue.schema import character, face, question
from icf.codes import Label, Verdict

#: Ids of a window, and how many windows one call reads at most.
WINDOW, MOST_WINDOWS = 400, 12
#: Windows from which `Queue.left` estimates.
_LOOKED_AT = 4
_SEED = "attributes"

#: The table that a window is of, and its number.
Window = tuple[str, int]


@dataclass(frozen=True)
class Found:
    """A face that can be described.

    Attributes:
        face_id: the face.
        character_id: who it is, merges applied.
    """

    face_id: int
    character_id: int


class Queue:
    """Finds faces for people, in one process.

    Args:
        people: how many people describe each face.
    """

    def __init__(self, people: int) -> None:
        self._people = people
        #: The place in the order of windows at which a person goes on.
        self._places: dict[int, bytes] = {}

    def next(
        self, connection: sa.Connection, person: Person, count: int
    ) -> list[Found]:
        """Choose faces that a person has not described and that need somebody.

        Faces that others hold count as described by them.

        Args:
            connection: to the catalogue.
            person: for whom.
            count: maximum number; fewer where none are left nearby.
        """
        chosen: list[Found] = []
        for place, window in self._windows(connection, person)[:MOST_WINDOWS]:
            chosen += self._of(connection, person, window)
            if len(chosen) >= count:
                break
            self._places[person.id] = place
        return chosen[:count]

    def left(self, connection: sa.Connection, person: Person) -> int:
        """Count what is left for a person: of many windows estimated from a few."""
        windows = self._windows(connection, person)
        found = confirmed = 0
        for _, window in windows[:_LOOKED_AT]:
            found += len(self._of(connection, person, window))
            confirmed += len(_confirmed_in(connection, window))
        if len(windows) <= _LOOKED_AT:
            return found
        every = count_rows(connection, question, question.c.label == Label.SAME.value)
        return round(found / max(1, confirmed) * every)

    def _windows(
        self, connection: sa.Connection, person: Person
    ) -> list[tuple[bytes, Window]]:
        """All windows, those first that come after what the person has seen."""
        order = sorted((_place(each), each) for each in _all_windows(connection))
        seen = self._places.get(person.id, b"")
        later = [each for each in order if each[0] > seen]
        return later + order[: len(order) - len(later)]

    def _of(
        self, connection: sa.Connection, person: Person, window: Window
    ) -> list[Found]:
        found = _confirmed_in(connection, window)
        ids = sorted(found)
        people: Counter[int] = Counter()
        done: set[int] = set()
        for face_id, own in _seen_by(connection, person, ids):
            people[face_id] += 1
            if own:
                done.add(face_id)
        free = [
            Found(key, found[key])
            for key in ids
            if key not in done and people[key] < self._people
        ]
        return sorted(free, key=lambda each: _hash(f"face {each.face_id}"))


def _seen_by(
    connection: sa.Connection, person: Person, ids: Sequence[int]
) -> Iterator[tuple[int, bool]]:
    """Yield each face with each person who described or holds it: is it this one?"""
    column = attribute_answer.c.face_id
    query = sa.select(column, attribute_answer.c.annotator)
    for row in by_ids(connection, query.where(counts(attribute_answer)), column, ids):
        yield row.face_id, row.annotator == person.name
    for face_id, holder in held(connection, "attributes", ids):
        yield face_id, holder == person.id


def _confirmed_in(connection: sa.Connection, window: Window) -> dict[int, int]:
    """Kept faces that people confirmed, each with its character; no ambiguous ones."""
    rows = list(connection.execute(_query(window)))
    ids = sorted({row.face_id for row in rows if row.is_confirmed})
    owners: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        if row.is_confirmed:
            owners[row.face_id].add(row.character_id)
    said = (
        sa.select(
            question.c.face_id, question.c.label, survivor().label("character_id")
        )
        .select_from(question)
        .join(character, character.c.id == question.c.character_id)
    )
    # With a condition on labels, SQLite would look for the faces among all of them.
    for row in by_ids(connection, said, question.c.face_id, ids):
        if row.label == Label.SAME.value:
            owners[row.face_id].add(row.character_id)
    return {key: min(who) for key, who in owners.items() if len(who) == 1}


def _query(window: Window) -> sa.Select[Any]:
    """Rows of a window: face, character, and whether people confirmed it."""
    table, number = window
    who: sa.FromClause
    if table == question.name:
        key, face_id = question.c.id, question.c.face_id
        confirmed = question.c.label == Label.SAME.value
        who = question.join(character, character.c.id == question.c.character_id)
    else:
        key, face_id = character.c.id, character.c.reference_face_id
        confirmed = character.c.reference_by == HAND
        who = character
    return (
        sa.select(
            face_id.label("face_id"),
            survivor().label("character_id"),
            confirmed.label("is_confirmed"),
        )
        .select_from(who)
        .join(face, face.c.id == face_id)
        .where(
            key.between(number * WINDOW, number * WINDOW + WINDOW - 1),
            face.c.verdict == Verdict.KEPT.value,
            is_there(),
        )
    )


def _all_windows(connection: sa.Connection) -> Iterator[Window]:
    for table in (question, character):
        highest = connection.execute(sa.select(sa.func.max(table.c.id))).scalar()
        if highest is not None:
            yield from ((table.name, each) for each in range(highest // WINDOW + 1))


def _place(window: Window) -> bytes:
    return _hash(f"{window[0]} {window[1]}")


def _hash(text: str) -> bytes:
    return hashlib.sha256(f"{_SEED} {text}".encode()).digest()
