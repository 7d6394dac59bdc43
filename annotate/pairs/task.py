"""The page of pairs: one face after another beside its character's reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.annotate.pairs.mix import Mix, Subject
from icf.annotate.pairs.payloads import payload_of
from icf.annotate.pairs.questions import QuestionSource, askable
from icf.annotate.people.people import Person, Role
from icf.annotate.tasks.base import Lease, Pair, PairSource, Source, Task
from icf.annotate.tasks.leases import Leasing, lock_leases
from icf.catalogue.annotation.schema import gold_answer, lease
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.find_character import character_names
from icf.catalogue.rows import count_rows

#: Names of the sources of pairs besides questions.
GOLD, AUDIT = "gold", "audit"

#: What `PairsTask.waiting` counts up to.
_COUNTED = 1000


@dataclass(frozen=True)
class PairsTask:
    """Shows questions, known pairs and an audit's items, which all look alike.

    Attributes:
        catalogue: where they are.
        leasing: how long they are held.
        sources: all sources of the desk, by name.
        mix: how they are mixed.
        starved: called when a person gets less than was asked for.
    """

    catalogue: Catalogue
    leasing: Leasing
    sources: Mapping[str, Source]
    mix: Mix
    starved: Callable[[], None] = lambda: None

    name: ClassVar[str] = "pairs"
    role: ClassVar[Role] = Role.ANNOTATOR

    def take(self, person: Person, count: int) -> list[Task]:
        """Lease the next pairs to a person."""
        with self.catalogue.write() as connection:
            lock_leases(connection)
            chosen = self._choose(connection, person, count)
            leases = self.leasing.issue(connection, person, self.name, chosen)
        if len(chosen) < count:
            self.starved()
        with self.catalogue.read() as connection:
            return describe(connection, pair_sources(self.sources), leases)

    def waiting(self, person: Person) -> int:
        """Count what is left for a person, up to a thousand."""
        source = self.sources[QuestionSource.name]
        assert isinstance(source, QuestionSource)
        some = askable(person, source.overlap).limit(_COUNTED)
        with self.catalogue.read() as connection:
            asked = count_rows(connection, some)
            audit = pair_sources(self.sources).get(AUDIT)
            rest = _COUNTED - asked
            return asked + (len(audit.take(connection, person, rest)) if audit else 0)

    def _choose(
        self, connection: sa.Connection, person: Person, count: int
    ) -> list[Subject]:
        def offered(name: str, most: int) -> list[Subject]:
            source = pair_sources(self.sources).get(name)
            if source is None or most <= 0:
                return []
            return [(name, key) for key in source.take(connection, person, most)]

        seen = _gold_seen(connection, person) if GOLD in self.sources else 0
        return self.mix.mixed(
            count,
            seen,
            offered(QuestionSource.name, count),
            offered(GOLD, self.mix.most_gold(count, seen)),
            offered(AUDIT, count),
        )


def pair_sources(sources: Mapping[str, Source]) -> dict[str, PairSource]:
    """Those of the sources that are of pairs."""
    names = QuestionSource.name, GOLD, AUDIT
    return {
        name: source
        for name, source in sources.items()
        if name in names and isinstance(source, PairSource)
    }


def describe(
    connection: sa.Connection,
    sources: Mapping[str, PairSource],
    leases: Sequence[Lease],
) -> list[Task]:
    """Describe what was leased; what was taken down meanwhile is left out."""
    pairs = read_pairs(connection, sources, leases)
    names = character_names(connection, (each.character_id for each in pairs.values()))
    return [
        Task(each.handle, payload_of(connection, each, pairs[each.handle], names))
        for each in leases
        if each.handle in pairs
    ]


def read_pairs(
    connection: sa.Connection,
    sources: Mapping[str, PairSource],
    leases: Sequence[Lease],
) -> dict[str, Pair]:
    """What each lease is about, by handle."""
    found: dict[str, Pair] = {}
    for name in {each.source for each in leases}:
        of_source = [each for each in leases if each.source == name]
        ids = [each.subject_id for each in of_source]
        pairs = sources[name].pairs(connection, ids)
        found.update(
            (each.handle, pairs[each.subject_id])
            for each in of_source
            if each.subject_id in pairs
        )
    return found


def _gold_seen(connection: sa.Connection, person: Person) -> int:
    """Known pairs that a person answered or holds."""
    answered = count_rows(
        connection,
        gold_answer,
        gold_answer.c.annotator == person.name,
        gold_answer.c.replaced_at.is_(None),
    )
    return answered + count_rows(
        connection,
        lease,
        # Not by the index of a person's leases: these are very many after a while.
        lease.c.person_id + 0 == person.id,
        lease.c.source == GOLD,
        lease.c.ended_at.is_(None),
    )
