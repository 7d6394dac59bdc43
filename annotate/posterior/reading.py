"""Read everybody's yes and no answers as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.annotate.posterior.dawid_skene import Answers
from icf.annotate.priors import read_priors
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.annotation.schema import gold, gold_answer
from icf.catalogue.schema import answer, question
from icf.codes import Choice, Label

_ABOUT_IT = (Choice.TRUE.value, Choice.FALSE.value)


@dataclass(frozen=True)
class Read:
    """Answers, and whose and about what they are.

    Attributes:
        answers: those to questions first, then those to known pairs.
        questions: ids of the questions, in the order of the arrays.
        people: names, in the order of the arrays.
    """

    answers: Answers
    questions: tuple[int, ...]
    people: tuple[str, ...]


def read_answers(connection: sa.Connection) -> Read:
    """Read all yes and no answers to questions and to known pairs.

    Answers that do not count are left out, and so is what was compared with a wrong
    reference. What an expert decided is known, and so are the known pairs. Nobody who
    is paused for a low score has a say on questions; on known pairs the score stands.
    """
    asked = connection.execute(_asked()).all()
    of_gold = connection.execute(_gold()).all()
    experts = [each for each in asked if each.decides]
    votes = [each for each in asked if not each.decides]
    ids = sorted({each.question_id for each in asked})
    golds = sorted({each.gold_id for each in of_gold})
    place = {key: number for number, key in enumerate(ids)}
    gold_place = {key: len(ids) + number for number, key in enumerate(golds)}
    people = sorted({each.annotator for each in (*votes, *of_gold)})
    number = {name: each for each, name in enumerate(people)}
    known = np.full(len(ids) + len(golds), np.nan)
    for each in sorted(experts, key=lambda row: (row.at, row.id)):
        known[place[each.question_id]] = float(_is_yes(each))
    for each in of_gold:
        known[gold_place[each.gold_id]] = float(each.truth == Choice.TRUE.value)
    answers = Answers(
        question=np.array(
            [place[each.question_id] for each in votes]
            + [gold_place[each.gold_id] for each in of_gold],
            np.int64,
        ),
        person=np.array([number[r.annotator] for r in (*votes, *of_gold)], np.int64),
        yes=np.array([_is_yes(each) for each in (*votes, *of_gold)], bool),
        prior=_priors(connection, ids, len(golds)),
        known=known,
        people=len(people),
    )
    return Read(answers, tuple(ids), tuple(people))


def _is_yes(row: sa.Row[Any]) -> bool:
    return bool(row.choice == Choice.TRUE.value)


def _asked() -> sa.Select[Any]:
    is_reference = question.c.face_id == question.c.reference_face_id
    wrong = Choice.WRONG_REFERENCE.value
    return (
        sa.select(
            answer.c.id,
            answer.c.question_id,
            answer.c.annotator,
            answer.c.choice,
            sa.func.coalesce(answer.c.decides, False).label("decides"),
            sa.func.coalesce(answer.c.answered_at, answer.c.imported_at).label("at"),
        )
        .join(question, question.c.id == answer.c.question_id)
        .where(
            counts(),
            question.c.label != Label.WITHDRAWN.value,
            sa.or_(
                answer.c.choice.in_(_ABOUT_IT),
                # Of the reference itself "it is wrong" is "no".
                sa.and_(is_reference, answer.c.choice == wrong),
            ),
        )
        .order_by(answer.c.id)
    )


def _gold() -> sa.Select[Any]:
    return (
        sa.select(
            gold_answer.c.gold_id,
            gold_answer.c.annotator,
            gold_answer.c.choice,
            gold.c.truth,
        )
        .join(gold, gold.c.id == gold_answer.c.gold_id)
        .where(
            gold_answer.c.replaced_at.is_(None),
            gold.c.retired_at.is_(None),
            gold_answer.c.choice.in_(_ABOUT_IT),
        )
        .order_by(gold_answer.c.id)
    )


def _priors(
    connection: sa.Connection, ids: Sequence[int], golds: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Log odds of each question, NaN where no model may say something."""
    found = read_priors(connection, ids)
    probability = np.array([found.get(key, np.nan) for key in ids] + [np.nan] * golds)
    inside = np.clip(probability, 0.01, 0.99)
    return np.asarray(np.log(inside / (1 - inside)), np.float64)
