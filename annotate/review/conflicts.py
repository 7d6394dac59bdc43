"""Questions that people contradict each other about, for an expert to settle."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.tasks.base import Pair
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.rows import by_ids, count_rows
from icf.catalogue.schema import answer, question
from icf.codes import Label

#: Conflicts of a kind that are read at once; more are read when these are settled.
MOST = 1000


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


def find_conflicts(connection: sa.Connection, needed: int | None) -> list[Conflict]:
    """Read what an expert should settle: disputed questions, then contradicted ones.

    An open question is contradicted if two different answers have as many votes as
    settle a question. What an expert settled is left out, also where the label does not
    follow yet.

    Args:
        connection: to the catalogue.
        needed: votes that settle a question; None: labels follow from probabilities,
            and people are asked on until a question is disputed.
    """
    disputed = sa.select(question.c.id).where(question.c.label == Label.DISPUTED.value)
    query = disputed.order_by(question.c.id).limit(MOST)
    ids = list(connection.execute(query).scalars())
    if needed is not None:
        contradicted = _contradicted(needed).limit(MOST)
        ids += connection.execute(contradicted).scalars()
    return read_conflicts(connection, ids, needed)


def count_conflicts(connection: sa.Connection, needed: int | None) -> int:
    """Count what an expert should settle; those that are just settled are included."""
    is_disputed = question.c.label == Label.DISPUTED.value
    found = count_rows(connection, question, is_disputed)
    if needed is not None:
        found += count_rows(connection, _contradicted(needed))
    return found


def read_conflicts(
    connection: sa.Connection, ids: Sequence[int], needed: int | None
) -> list[Conflict]:
    """Read those of some questions that are conflicts now, in the same order."""
    tallies: dict[int, Counter[str]] = defaultdict(Counter)
    people: dict[int, set[str]] = defaultdict(set)
    settled: set[int] = set()
    said = sa.select(
        answer.c.question_id, answer.c.annotator, answer.c.choice, answer.c.decides
    ).where(counts())
    for row in by_ids(connection, said, answer.c.question_id, ids):
        tallies[row.question_id][row.choice] += 1
        people[row.question_id].add(row.annotator)
        if row.decides:
            settled.add(row.question_id)
    about = sa.select(
        question.c.id,
        question.c.face_id,
        question.c.character_id,
        question.c.reference_face_id,
        question.c.label,
    )
    found = {
        row.id: Conflict(
            row.id,
            Pair(row.face_id, row.character_id, row.reference_face_id),
            tallies[row.id],
            frozenset(people[row.id]),
        )
        for row in by_ids(connection, about, question.c.id, ids)
        if row.id not in settled and _is_one(row.label, tallies[row.id], needed)
    }
    return [found[key] for key in ids if key in found]


def _is_one(label: str, tally: Counter[str], needed: int | None) -> bool:
    if label == Label.DISPUTED.value:
        return True
    if label != Label.OPEN.value or needed is None:
        return False
    return sum(count >= needed for count in tally.values()) > 1


def _contradicted(needed: int) -> sa.Select[tuple[int]]:
    """Select the open questions for which two answers have enough votes."""
    votes = (
        sa.select(answer.c.question_id, answer.c.choice)
        .join(question, question.c.id == answer.c.question_id)
        .where(counts(), question.c.label == Label.OPEN.value)
        .group_by(answer.c.question_id, answer.c.choice)
        .having(sa.func.count() >= needed)
        .subquery()
    )
    key = votes.c.question_id
    return sa.select(key).group_by(key).having(sa.func.count() > 1).order_by(key)
