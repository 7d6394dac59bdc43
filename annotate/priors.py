"""What a model knew of a question before anybody answered it.

Its probability is evidence only where it means something and where it is not what the
answers are to check:

- people's answers had taught the model's curve when the question was asked;
- the question was chosen for its face. One that was drawn at random measures how well
  the probabilities hold, and must not be answered by them;
- the face is not set aside to compare models on.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from icf.catalogue.rounds.audit_set import is_set_aside
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import calibration, decision, face, question
from icf.codes import Chosen

_DRAWN = (Chosen.RANDOM.value, Chosen.DROPPED.value, Chosen.FOLLOWER.value)


def read_priors(connection: sa.Connection, ids: Sequence[int]) -> dict[int, float]:
    """The probability of those questions of which a model may say something.

    Args:
        connection: to the catalogue.
        ids: of the questions.
    """
    when_asked = sa.and_(
        decision.c.subject == "question",
        decision.c.subject_id == question.c.id,
        decision.c.step == "ask",
    )
    was_calibrated = sa.exists().where(
        calibration.c.model == decision.c.model,
        calibration.c.fitted_at <= question.c.asked_at,
    )
    query = (
        sa.select(question.c.id, question.c.probability)
        .join(face, face.c.id == question.c.face_id)
        .join(decision, when_asked)
        .where(question.c.probability.is_not(None), was_calibrated, _for_its_face())
    )
    rows = by_ids(connection, query, question.c.id, ids)
    return {row.id: float(row.probability) for row in rows}


def chosen_for_their_faces(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Those questions that measure no model, whether one was calibrated or not.

    Args:
        connection: to the catalogue.
        ids: of the questions.
    """
    query = (
        sa.select(question.c.id)
        .join(face, face.c.id == question.c.face_id)
        .where(_for_its_face())
    )
    return {row.id for row in by_ids(connection, query, question.c.id, ids)}


def _for_its_face() -> sa.ColumnElement[bool]:
    """Whether a question, joined with its face, was chosen for that face."""
    return sa.and_(
        question.c.face_id != question.c.reference_face_id,
        sa.or_(question.c.chosen.is_(None), question.c.chosen.not_in(_DRAWN)),
        sa.not_(is_set_aside()),
    )
