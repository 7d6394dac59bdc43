"""Which faces can be asked about, and how far the answers represent them.

`icf.annotate.choosing` gives every face that can be asked about a known probability of
being chosen for a batch. A mean over answers, each weighted with one over its
probability, is then an unbiased estimate of the mean over all these faces (Horvitz and
Thompson 1952), however the others were chosen.

After several batches: what was asked before a batch represents itself, and the batch
represents everything that was left. So each batch is an unbiased estimate of its own,
and `weights` is the mean of them, each counted by its answers. Questions of an earlier
version, chosen with no recorded probability, therefore count as what they are: faces
that are known. They represent no others.

Within a batch, the answered questions of each kind stand for the unanswered ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue import reviews
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.confirmations import is_confirmed
from icf.catalogue.merges import survivor
from icf.catalogue.rows import has_rows
from icf.catalogue.schema import answer, candidate, character, decision, face, question
from icf.codes import Choice, Chosen, FaceReason, Label, Verdict

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]

_PAGE = 10_000
#: What shows no face is not the character, either.
_SETTLED = (Label.SAME.value, Label.DIFFERENT.value, Label.NOT_A_FACE.value)


def kept_frame(*, confirmed: bool = True) -> sa.Select[Any]:
    """Kept faces that were never compared with their character's reference.

    Duplicates are dropped already, so each face represents its whole group. References
    themselves are not asked about.

    Args:
        confirmed: only faces of characters whose reference people confirmed.
    """
    return _unasked(confirmed=confirmed).where(face.c.verdict == Verdict.KEPT.value)


def dropped_frame(*, confirmed: bool = True) -> sa.Select[Any]:
    """Faces that identity dropped, with the likeliest of their characters."""
    return _unasked(confirmed=confirmed).where(
        face.c.reason == FaceReason.NOT_THIS_CHARACTER.value
    )


@cache
def _unasked(*, confirmed: bool) -> sa.Select[Any]:
    reference_id = character.c.reference_face_id
    query = (
        sa.select(
            face.c.id,
            face.c.character_id,
            reference_id,
            face.c.probability,
            face.c.embedder,
        )
        .join(character, character.c.id == face.c.character_id)
        .where(
            face.c.awaits.is_(None),
            face.c.probability.is_not(None),
            character.c.merged_into.is_(None),
            reference_id.is_not(None),
            reference_id != face.c.id,
            ~reviews.asked_before(face.c.id, character.c.id),
        )
    )
    if not confirmed:
        return query
    return query.where(character.c.id.in_(confirmed_characters()))


@cache
def confirmed_characters() -> sa.Select[Any]:
    """Characters whose reference people confirmed; depends on no other row."""
    one = character.alias("confirmed")
    return sa.select(one.c.id).where(is_confirmed(one.c.reference_face_id, one.c.id))


@dataclass(frozen=True)
class Asked:
    """Questions about the character that identity had chosen, in the order of asking.

    Attributes:
        face, character: ids, shape (n,); of merged characters the one that stays.
        batch: shape (n,), the number of the batch, from 0.
        inclusion: shape (n,), probability of being chosen; NaN where it is not known.
        probability: shape (n,), that it is the character, when asked; NaN likewise.
        model: shape (n,), the embedder behind it; "" where it is not known.
        settled: shape (n,), whether people agree on yes or no.
        same: shape (n,), whether they say that it is the character.
        votes: shape (n,), the answers for the label less those against it.
        dropped: shape (n,), whether identity had dropped the face.
    """

    face: IntArray
    character: IntArray
    batch: IntArray
    inclusion: FloatArray
    probability: FloatArray
    model: NDArray[np.str_]
    settled: Mask
    same: Mask
    votes: IntArray
    dropped: Mask

    def take(self, which: Mask | IntArray) -> Asked:
        """Some of the questions."""
        return Asked(**{name: each[which] for name, each in vars(self).items()})


def read_asked(connection: sa.Connection) -> Asked:
    """Read all questions about the character that identity had chosen.

    Questions about suspicions across characters are left out: these faces were chosen
    as look-alikes, so they do not tell how often a page's own pictures are right. Of an
    earlier version, whatever is not about a candidate of the picture is left out.
    """
    rows = list(_rows(connection))
    batches = {
        each: n for n, each in enumerate(dict.fromkeys(r.batch_id for r in rows))
    }
    column: Mapping[str, Sequence[Any]] = dict.fromkeys(_COLUMNS, ())
    if rows:  # by columns: there are hundreds of thousands of rows
        column = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
    label = np.array(column["label"], np.str_)
    votes = np.array(column["yes"], np.int64) - np.array(column["no"], np.int64)
    same = label == Label.SAME.value
    return Asked(
        face=np.array(column["face_id"], np.int64),
        character=np.array(column["survivor_id"], np.int64),
        batch=np.array([batches[row.batch_id] for row in rows], np.int64),
        inclusion=np.array(column["inclusion"], np.float64),
        probability=np.array(column["known_probability"], np.float64),
        model=np.array([each or "" for each in column["model"]], np.str_),
        settled=np.isin(label, _SETTLED),
        same=same,
        votes=np.where(same, votes, -votes),
        dropped=np.array(column["dropped"], bool),
    )


def read_weights(connection: sa.Connection, asked: Asked) -> FloatArray:
    """How many faces each settled question represents, as far as it is known.

    All are 0 if no answered batch has a random part, unless every kept face was asked
    about.
    """
    made = weights(asked)
    if not made.any() and not has_rows(connection, kept_frame(confirmed=False)):
        return asked.settled.astype(np.float64)
    return made


def weights(asked: Asked) -> FloatArray:
    """How many faces each settled question represents; 0 for the others.

    All are 0 if no answered batch has a random part.
    """
    groups: dict[tuple[int, float, bool], list[int]] = {}
    keys = zip(
        asked.batch.tolist(),
        np.nan_to_num(asked.inclusion, nan=-1.0).tolist(),
        asked.dropped.tolist(),
        strict=True,
    )
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    known = ~np.isnan(asked.inclusion)
    count = int(asked.batch.max(initial=-1)) + 1
    # Each batch's own estimate, counted by its answers.
    share = np.bincount(asked.batch[known & asked.settled], minlength=count)
    later = share.sum() - np.cumsum(share)
    made = np.zeros(len(asked.face))
    for (batch, inclusion, _), rows in groups.items():
        settled = [row for row in rows if asked.settled[row]]
        if not settled or not share.sum():
            continue
        itself = share[batch] / inclusion if inclusion > 0 else 0
        each = (itself + later[batch]) / share.sum()
        made[settled] = each * len(rows) / len(settled)
    return made


def label_errors(votes: IntArray, error: float) -> FloatArray:
    """The probability that each label is wrong, given how many answers lead.

    Args:
        votes: shape (n,), the answers for the label less those against it.
        error: the probability that one answer is wrong, under 0.5.
    """
    return np.asarray(1 / (1 + ((1 - error) / error) ** np.maximum(votes, 1)))


_COLUMNS = (
    "face_id",
    "survivor_id",
    "inclusion",
    "known_probability",
    "model",
    "label",
    "yes",
    "no",
    "dropped",
)


def read_repeated(connection: sa.Connection) -> IntArray:
    """Answers to the questions that several people answered with yes or no.

    Returns:
        Shape (n, 2): how many said yes, and how many said no.
    """
    yes, no = _count(Choice.TRUE), _count(Choice.FALSE)
    query = (
        sa.select(yes, no)
        .select_from(answer)
        .where(counts())
        .group_by(answer.c.question_id)
        .having(yes + no > 1)
    )
    rows = [tuple(row) for row in connection.execute(query)]
    return np.array(rows, np.int64).reshape(-1, 2)


def _count(choice: Choice) -> sa.ColumnElement[int]:
    one = sa.case((answer.c.choice == choice.value, 1), else_=0)
    return sa.func.coalesce(sa.func.sum(one), 0)


def _given() -> sa.Subquery:
    """How many people say yes and no to each question."""
    return (
        sa.select(
            answer.c.question_id,
            _count(Choice.TRUE).label("yes"),
            _count(Choice.FALSE).label("no"),
        )
        .where(counts())
        .group_by(answer.c.question_id)
        .subquery()
    )


def _is_candidate() -> sa.ColumnElement[bool]:
    """Of faces and characters: the face's picture is filed under the character."""
    other = character.alias("other")
    return (
        sa.select(candidate.c.image_id)
        .join(other, other.c.id == candidate.c.character_id)
        .where(candidate.c.image_id == face.c.image_id, survivor(other) == survivor())
        .correlate(face, character)
        .exists()
    )


def _rows(connection: sa.Connection) -> Iterator[Any]:
    """The questions by id, of which a page at a time is in memory."""
    given = _given()
    # Questions about suspicions have no model in the ledger: the value is a score.
    when_asked = sa.case((decision.c.model.is_not(None), decision.c.value))
    query = (
        sa.select(
            question.c.id,
            question.c.batch_id,
            question.c.face_id,
            survivor().label("survivor_id"),
            question.c.inclusion,
            sa.func.coalesce(question.c.probability, when_asked).label(
                "known_probability"
            ),
            sa.func.coalesce(decision.c.model, face.c.embedder).label("model"),
            question.c.label,
            sa.func.coalesce(given.c.yes, 0).label("yes"),
            sa.func.coalesce(given.c.no, 0).label("no"),
            sa.func.coalesce(question.c.chosen == Chosen.DROPPED.value, False).label(
                "dropped"
            ),
        )
        .join(face, face.c.id == question.c.face_id)
        .join(character, character.c.id == question.c.character_id)
        .outerjoin(given, given.c.question_id == question.c.id)
        .outerjoin(
            decision,
            sa.and_(
                decision.c.subject == "question",
                decision.c.subject_id == question.c.id,
                decision.c.step == "ask",
            ),
        )
        .where(
            sa.or_(
                question.c.probability.is_not(None),
                sa.and_(
                    question.c.chosen.is_(None),
                    _is_candidate(),
                    # A question about a reference compares it with nothing.
                    question.c.face_id != question.c.reference_face_id,
                ),
            )
        )
        .order_by(question.c.id)
    )
    # One statement: with pages, the answers would be counted again for each.
    yield from connection.execute(query, execution_options={"yield_per": _PAGE})
