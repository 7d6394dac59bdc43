"""Correct the labels that an audit found wrong: reviewers' decisions settle them.

The audit keeps its result: a label that was corrected stands for others that nobody
looked at.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.audit.checks import Item, Verdict, read_items
from icf.annotate.audit.exchange import batch_name
from icf.catalogue.annotation.schema import label_audit_answer
from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, character, question
from icf.codes import Choice, Label

#: Decisions that say what the label is.
_SAYS = (Choice.TRUE, Choice.FALSE, Choice.NOT_A_FACE)


@dataclass(frozen=True)
class Corrected:
    """What was corrected.

    Attributes:
        questions: those that the decisions settle now.
        known: how many wrong labels were corrected before.
        unasked: faces labelled wrongly about which nobody was asked a question.
        unsure: faces of which the reviewer did not say what they are.
    """

    questions: Sequence[int]
    known: int
    unasked: Sequence[int]
    unsure: Sequence[int]


def correct(connection: sa.Connection, audit_id: int) -> Corrected:
    """Answer the questions about wrong labels as the reviewers decided.

    Args:
        connection: a transaction that writes; labels follow when the answers that wait
            are applied (`icf.annotate.waiting`).
        audit_id: of a complete audit.
    """
    wrong = [
        each
        for each in read_items(connection, audit_id)
        if each.verdict is Verdict.WRONG
    ]
    clear = [each for each in wrong if each.decision in _SAYS]
    asked = _questions(connection, clear)
    deciders = _deciders(connection, clear)
    said = _said(connection, [key for some in asked.values() for key in some])
    now = time.time()
    new, known = [], 0
    for each in clear:
        name, when = deciders[each.id]
        fresh = [key for key in asked.get(each.id, ()) if (key, name) not in said]
        known += bool(asked.get(each.id)) and not fresh
        new += [
            {
                "question_id": key,
                "annotator": name,
                "choice": str(each.decision),
                "answered_at": when,
                "imported_at": now,
                "file": batch_name(audit_id),
                "file_sha256": "",
                "line": 0,
                "decides": True,
                "waits": True,
            }
            for key in fresh
        ]
    if new:
        connection.execute(sa.insert(answer), new)
    return Corrected(
        [int(str(row["question_id"])) for row in new],
        known,
        [each.face_id for each in clear if each.id not in asked],
        [each.face_id for each in wrong if each.decision not in _SAYS],
    )


def _questions(
    connection: sa.Connection, items: Sequence[Item]
) -> Mapping[int, Sequence[int]]:
    """The questions about each label, by item; those withdrawn are left out."""
    asked_about, labelled = character.alias("asked"), character.alias("labelled")
    query = (
        sa.select(question.c.id, question.c.face_id, labelled.c.id.label("owner"))
        .join(asked_about, asked_about.c.id == question.c.character_id)
        .join(labelled, survivor(labelled) == survivor(asked_about))
        .where(question.c.label != Label.WITHDRAWN.value)
    )
    items_of = {(each.face_id, each.character_id): each.id for each in items}
    found: dict[int, list[int]] = defaultdict(list)
    faces = sorted({each.face_id for each in items})
    for row in by_ids(connection, query, question.c.face_id, faces):
        item = items_of.get((row.face_id, row.owner))
        if item is not None:
            found[item].append(row.id)
    return dict(found)


def _deciders(
    connection: sa.Connection, items: Sequence[Item]
) -> Mapping[int, tuple[str, float]]:
    """Who decided on each item, and when."""
    table = label_audit_answer.c
    query = sa.select(table.item_id, table.annotator, table.answered_at).where(
        table.decides, table.replaced_at.is_(None)
    )
    ids = [each.id for each in items]
    return {
        row.item_id: (row.annotator, row.answered_at)
        for row in by_ids(connection, query, table.item_id, ids)
    }


def _said(connection: sa.Connection, ids: Sequence[int]) -> set[tuple[int, str]]:
    """Which deciding answers are there: question and person."""
    query = sa.select(answer.c.question_id, answer.c.annotator).where(
        answer.c.decides, answer.c.replaced_at.is_(None)
    )
    rows = by_ids(connection, query, answer.c.question_id, sorted(ids))
    return {(row.question_id, row.annotator) for row in rows}
