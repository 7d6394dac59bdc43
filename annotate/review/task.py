"""The page of reviewers: what people contradict each other about, and suspicions."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import sqlalchemy as sa

from icf.annotate.audit.disputes import read_disputes
from icf.annotate.pairs.payloads import payload_of, reference_urls
from icf.annotate.people.people import Person, Role
from icf.annotate.review.audited import DecisionSource
from icf.annotate.review.conflicts import (
    MOST,
    find_conflicts,
    read_conflicts,
)
from icf.annotate.review.counts import AUDIT, CONFLICT, PARTS, count_waiting
from icf.annotate.review.sources import (
    OWN,
    ConflictSource,
    SuspicionSource,
    own_pairs,
)
from icf.annotate.review.suspicions import (
    find_suspicions,
    mark_of,
    still_waiting,
)
from icf.annotate.tasks.base import Lease, Pair, Task
from icf.annotate.tasks.leases import Leasing, held, lock_leases
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.find_character import CharacterName, character_names

#: Seconds for which what was read is used; more where reading takes long.
_FRESH = 5.0
#: What part of the time may be spent reading.
_BUSY = 1 / 20


@dataclass(frozen=True)
class Item:
    """Something that an expert should settle.

    Attributes:
        part: one of `PARTS`.
        source: the name of its source.
        key: its id there.
        pair: what is asked.
        tally: how many people gave each answer.
        score: of a suspicion: how strong it is, from 0 to 1.
        people: who answered.
        barred: who may not settle it.
    """

    part: str
    source: str
    key: int
    pair: Pair
    tally: Mapping[str, int] = field(default_factory=dict)
    score: float | None = None
    people: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()


class ReviewTask:
    """Shows an audit's disputes, conflicts, merges, twins, splits, outliers, in order.

    Args:
        catalogue: where they are.
        leasing: how long they are held.
        needed: votes that settle a question; None: a probability does.
        confirmed: show suspicions only against references that people confirmed.
    """

    name: ClassVar[str] = "review"
    role: ClassVar[Role] = Role.REVIEWER

    def __init__(
        self,
        catalogue: Catalogue,
        leasing: Leasing,
        needed: int | None,
        *,
        confirmed: bool,
    ) -> None:
        self._catalogue = catalogue
        self._leasing = leasing
        self._confirmed = confirmed
        self._needed = needed
        self._lock = threading.Lock()
        self._fresh_until = -math.inf
        self._items: Sequence[Item] = ()
        self._counts: Mapping[str, int] = {}

    def take(self, person: Person, count: int) -> list[Task]:
        """Lease the next things to a person, whatever they are."""
        return self.take_part(person, count, None)

    def take_part(self, person: Person, count: int, part: str | None) -> list[Task]:
        """Lease the next things of one part of the queue.

        Args:
            person: who gets them.
            count: how many at most.
            part: one of `PARTS`; None: all, in their order.
        """
        with self._catalogue.read() as connection:
            items = self._queue(connection)
        with self._catalogue.write() as connection:
            lock_leases(connection)
            wanted = [
                each
                for each in items
                if part in (None, each.part) and person.name not in each.barred
            ]
            # Somebody else should settle what a person disagrees about with others.
            wanted.sort(key=lambda each: person.name in each.people)
            chosen = self._free(connection, wanted, count)
            made = [
                lease
                for each in chosen
                for lease in self._leasing.issue(
                    connection,
                    person,
                    self.name,
                    [(each.source, each.key)],
                    _mark(each),
                )
            ]
        with self._catalogue.read() as connection:
            return _described(connection, made, chosen)

    def parts(self, person: Person) -> dict[str, int]:
        """Count what waits for a reviewer, by part."""
        with self._catalogue.read() as connection:
            items = self._queue(connection)
            barred = Counter(each.part for each in items if person.name in each.barred)
            return {part: left - barred[part] for part, left in self._counts.items()}

    def waiting(self, person: Person) -> int:
        """Count what waits."""
        return sum(self.parts(person).values())

    def _queue(self, connection: sa.Connection) -> Sequence[Item]:
        """Read what waits, at most every few seconds."""
        with self._lock:
            began = time.monotonic()
            if began >= self._fresh_until:
                self._items = list(self._read(connection))
                self._counts = self._counted(connection)
                ended = time.monotonic()
                self._fresh_until = ended + max(_FRESH, (ended - began) / _BUSY)
            return self._items

    def _counted(self, connection: sa.Connection) -> Mapping[str, int]:
        """Count all parts; where little is left, without what is just settled."""
        if len(self._items) < MOST:
            counted = Counter(each.part for each in self._items)
            return {part: counted[part] for part in PARTS}
        return count_waiting(connection, self._needed, confirmed=self._confirmed)

    def _read(self, connection: sa.Connection) -> Iterator[Item]:
        for one in read_disputes(connection):
            yield Item(
                AUDIT,
                DecisionSource.name,
                one.item_id,
                one.pair,
                one.tally,
                barred=one.barred,
            )
        for found in find_conflicts(connection, self._needed):
            yield Item(
                CONFLICT,
                ConflictSource.name,
                found.question_id,
                found.pair,
                found.tally,
                people=found.people,
            )
        for each in find_suspicions(connection, MOST, confirmed=self._confirmed):
            yield Item(
                each.kind.value,
                SuspicionSource.name,
                each.review_id,
                each.pair,
                score=each.score,
            )

    def _free(
        self, connection: sa.Connection, items: Sequence[Item], count: int
    ) -> list[Item]:
        """The first of some things that nobody holds and nobody settled meanwhile."""
        chosen: list[Item] = []
        for start in range(0, len(items), max(count, 50)):
            part = items[start : start + max(count, 50)]
            taken = _taken(connection, part)
            settled = self._settled(connection, part)
            chosen += [
                each for each in part if (each.source, each.key) not in taken | settled
            ]
            if len(chosen) >= count:
                break
        return chosen[:count]

    def _settled(
        self, connection: sa.Connection, items: Sequence[Item]
    ) -> set[tuple[str, int]]:
        conflicts = [each.key for each in items if each.source == ConflictSource.name]
        reviews = [each.key for each in items if each.source == SuspicionSource.name]
        waiting = {
            (ConflictSource.name, each.question_id)
            for each in read_conflicts(connection, conflicts, self._needed)
        }
        waiting |= {
            (SuspicionSource.name, key) for key in still_waiting(connection, reviews)
        }
        if any(each.source == DecisionSource.name for each in items):
            waiting |= {
                (DecisionSource.name, each.item_id)
                for each in read_disputes(connection)
            }
        return {(each.source, each.key) for each in items} - waiting


def _taken(connection: sa.Connection, items: Sequence[Item]) -> set[tuple[str, int]]:
    return {
        (source, key)
        for source in (DecisionSource.name, ConflictSource.name, SuspicionSource.name)
        for key, _ in held(
            connection, source, [each.key for each in items if each.source == source]
        )
    }


def _mark(item: Item) -> str | None:
    """What a lease keeps of what is shown, where the id alone does not say it."""
    return mark_of(item.pair) if item.source == SuspicionSource.name else None


def _described(
    connection: sa.Connection, leases: Sequence[Lease], items: Sequence[Item]
) -> list[Task]:
    owners = own_pairs(connection, [each.pair for each in items])
    characters = [each.pair.character_id for each in items]
    names = character_names(
        connection, [*characters, *(each.character_id for each in owners.values())]
    )
    return [
        Task(lease.handle, _payload(connection, lease, item, owners, names))
        for lease, item in zip(leases, items, strict=True)
    ]


def _payload(
    connection: sa.Connection,
    lease: Lease,
    item: Item,
    owners: Mapping[Pair, Pair],
    names: Mapping[int, CharacterName],
) -> dict[str, Any]:
    """Describe something to an expert.

    ``own`` is the character that the face has now, where another one is asked about.
    ``votes`` and ``score`` are shown when the expert has looked, without names.
    """
    made = payload_of(connection, lease, item.pair, names)
    own = owners.get(item.pair)
    return {
        **made,
        "kind": item.part,
        "own": _own(connection, lease, item.pair, own, names) if own else None,
        "votes": dict(item.tally),
        "score": item.score,
    }


def _own(
    connection: sa.Connection,
    lease: Lease,
    pair: Pair,
    own: Pair,
    names: Mapping[int, CharacterName],
) -> dict[str, Any]:
    name, album = names[own.character_id]
    urls = reference_urls(connection, lease, own)
    if own.reference_face_id == pair.face_id:
        # It is the candidate itself, of a merge.
        urls = urls[1:]
    return {
        "character": name,
        "album": album,
        "references": [_prefixed(each) for each in urls],
    }


def _prefixed(url: str) -> str:
    folder, _, name = url.rpartition("/")
    return f"{folder}/{OWN}{name}"
