"""Questions that people contradict each other about, for an expert to settle."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.tasks.base import Pair
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, question
from icf.codes import Label

#: Answers of a page of the search, and pages of one search.
PAGE, MOST_PAGES = 5000, 20
#: Answers that are looked at once more: of two that are stored at once, the one with
#: the smaller id may be seen later.
_AGAIN = 200
#: Disputed questions that are read at once.
_MOST = 1000


@dataclass(frozen=True)
class Conflict:
    """A question that an expert should settle.

    Attributes:
        question_id: the question.
        pair: what it is about.
        tally: how many people gave each answer (`icf.codes.Choice`).
        people: who they are.
    """

    question_id: int
    pair: Pair
    tally: Counter[str]
    people: frozenset[str]


class Conflicts:
    """Finds conflicts: disputed questions, and open ones with contradicting answers.

    An open question is a conflict if two different answers have as many votes as settle
    a question. Nobody keeps a list of these; they are searched for among the answers,
    each of which is looked at once by a server.

    Args:
        needed: votes that settle a question; None: labels follow from probabilities,
            and open questions are no conflicts, however people contradict each other.
    """

    def __init__(self, needed: int | None) -> None:
        self._needed = needed
        self._lock = threading.Lock()
        self._seen = 0
        self._contradicted: dict[int, None] = {}

    def find(self, connection: sa.Connection) -> list[Conflict]:
        """Read the conflicts, by id: the first thousand that are disputed come first.

        Those that an expert settled are left out, also where the label does not follow
        yet.
        """
        disputed = sa.select(question.c.id).where(
            question.c.label == Label.DISPUTED.value
        )
        query = disputed.order_by(question.c.id).limit(_MOST)
        ids = list(connection.execute(query).scalars())
        found = list(self.read(connection, ids))
        if self._needed is not None:
            open_ids = self._search(connection, self._needed)
            found += self.read(connection, sorted(open_ids.difference(ids)))
        return found

    def read(self, connection: sa.Connection, ids: Sequence[int]) -> Iterator[Conflict]:
        """Yield those of some questions that are conflicts now, by id."""
        tallies: dict[int, Counter[str]] = {}
        people: dict[int, set[str]] = {}
        settled: set[int] = set()
        said = sa.select(
            answer.c.question_id, answer.c.annotator, answer.c.choice, answer.c.decides
        ).where(counts())
        for row in by_ids(connection, said, answer.c.question_id, ids):
            tallies.setdefault(row.question_id, Counter())[row.choice] += 1
            people.setdefault(row.question_id, set()).add(row.annotator)
            if row.decides:
                settled.add(row.question_id)
        about = sa.select(
            question.c.id,
            question.c.face_id,
            question.c.character_id,
            question.c.reference_face_id,
            question.c.label,
        )
        for row in sorted(
            by_ids(connection, about, question.c.id, ids), key=lambda each: each.id
        ):
            key, tally = row.id, tallies.get(row.id, Counter())
            if key in settled or not self._is_one(row.label, tally):
                continue
            pair = Pair(row.face_id, row.character_id, row.reference_face_id)
            yield Conflict(key, pair, tally, frozenset(people.get(key, ())))

    def _is_one(self, label: str, tally: Counter[str]) -> bool:
        if label == Label.DISPUTED.value:
            return True
        needed = self._needed
        if label != Label.OPEN.value or needed is None:
            return False
        return sum(count >= needed for count in tally.values()) > 1

    def _search(self, connection: sa.Connection, needed: int) -> set[int]:
        """Look at answers that are new, and return what is contradicted."""
        with self._lock:
            start = max(0, self._seen - _AGAIN)
            for _ in range(MOST_PAGES):
                query = sa.select(answer.c.id, answer.c.question_id).where(
                    answer.c.id > start
                )
                page = query.order_by(answer.c.id).limit(PAGE)
                rows = connection.execute(page).all()
                if not rows:
                    break
                ids = sorted({row.question_id for row in rows})
                self._contradicted.update(
                    dict.fromkeys(_contradicted(connection, ids, needed))
                )
                start = self._seen = rows[-1].id
            gone = set(self._contradicted).difference(
                _contradicted(connection, list(self._contradicted), needed)
            )
            for key in gone:
                del self._contradicted[key]
            return set(self._contradicted)


def _contradicted(
    connection: sa.Connection, ids: Sequence[int], needed: int
) -> Iterator[int]:
    """Those of some questions that are open and have two answers with enough votes."""
    votes: Counter[tuple[int, str]] = Counter()
    said = (
        sa.select(answer.c.question_id, answer.c.choice)
        .join(question, question.c.id == answer.c.question_id)
        .where(counts(), question.c.label == Label.OPEN.value)
    )
    for row in by_ids(connection, said, answer.c.question_id, ids):
        votes[row.question_id, row.choice] += 1
    enough = Counter(key for (key, _), count in votes.items() if count >= needed)
    yield from (key for key, choices in enough.items() if choices > 1)
