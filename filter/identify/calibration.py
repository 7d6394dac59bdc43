"""Learn from answers how a model's similarity becomes a probability.

The curve is Platt's (1999): the log odds of being the same are a line over the cosine.
It is fitted to what people answered, by maximum likelihood, with two changes. The line
is drawn to the one on the model's card, as if that were a belief with a spread, so that
a few answers move it little and its slope stays positive. And an answer is taken to be
wrong with probability `ANSWER_ERROR`, so that one slip about an obvious face does not
flatten the whole curve.

Whether it is better is measured on answers that it was not fitted on, those about
other characters. A curve that is worse there than the card's is not used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue import references
from icf.catalogue.calibrations import Curve
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.merges import survivor
from icf.catalogue.schema import candidate, character, face, question
from icf.codes import Label
from icf.filter.identify.posterior import ANSWER_ERROR, Numbers, Whole
from icf.reliability import Reliability, reliability
from icf.stores.vectors import VectorStore

Mask = NDArray[np.bool_]

#: Answers of each kind without which nothing is fitted.
LEAST = 20
#: Parts that the answers are cut into; each is predicted from the others.
FOLDS = 5

#: The spread of the belief in the card: of the logarithm of how many times its slope,
#: and of what is added to its log odds.
_SPREAD = np.array([0.5, 1.0])
_STEPS = 50
_PAGE = 10_000


@dataclass(frozen=True)
class Answered:
    """Settled questions about faces that a model embedded.

    Attributes:
        cosines: shape (n,), between the face and the reference that was shown.
        same: shape (n,), what people said.
        characters: shape (n,), whom they were asked about.
    """

    cosines: Numbers
    same: Mask
    characters: Whole

    @property
    def kinds(self) -> tuple[int, int]:
        """How many said the same, and how many another."""
        return int(self.same.sum()), int((~self.same).sum())


@dataclass(frozen=True)
class Calibrated:
    """A curve that answers taught, beside the card's, on answers it had not seen.

    Attributes:
        curve: fitted on all of them.
        by_curve: how curves fitted in the same way do on the folds they had not seen.
        by_card: how the card's curve does on the same.
    """

    curve: Curve
    by_curve: Reliability
    by_card: Reliability

    @property
    def better(self) -> bool:
        """Whether it explains answers that it had not seen no worse than the card."""
        return self.by_curve.log_loss <= self.by_card.log_loss


def read_answered(catalogue: Catalogue, vectors: VectorStore, model: str) -> Answered:
    """Read the settled questions of faces that were found under the character.

    Questions about a suspicion across characters are left out: what was picked because
    it is a look-alike says nothing of how often a page's own pictures are right.
    """
    cosines, same, characters = [np.empty(0)], [np.empty(0, bool)], [np.empty(0, int)]
    for rows in _pages(catalogue, model):
        faces, shown, who = (rows[:, each] for each in range(3))
        there = vectors.has(model, faces) & vectors.has(model, shown)
        one, other = (vectors.get(model, ids[there]) for ids in (faces, shown))
        cosines.append(np.einsum("nd,nd->n", one, other).astype(np.float64))
        characters.append(who[there])
        same.append(rows[there, 3].astype(bool))
    return Answered(
        np.concatenate(cosines), np.concatenate(same), np.concatenate(characters)
    )


def fit(cosines: Numbers, same: Mask, card: Curve) -> Curve:
    """Fit a curve to answers, drawn to the card's.

    Args:
        cosines: shape (n,); with n = 0 the card's curve comes back.
        same: shape (n,), what people said.
        card: the belief before any answer; its slope is positive.
    """
    line = card.slope * cosines + card.intercept
    at = np.zeros(2)
    value = _belief(at, line, same)
    for _ in range(_STEPS):
        step = _scoring_step(at, line, same)
        # Halved until it is uphill: far from the top a full step can overshoot.
        while (higher := _belief(at + step, line, same)) < value:
            step /= 2
            if np.abs(step).max() < 1e-9:
                break
        if higher < value:
            break
        at, value = at + step, higher
        if np.abs(step).max() < 1e-9:
            break
    times, plus = math.exp(at[0]), float(at[1])
    return Curve(times * card.slope, times * card.intercept + plus)


def calibrate(answered: Answered, card: Curve) -> Calibrated:
    """Fit a curve, and measure it against the card's on what it had not seen."""
    cosines, same = answered.cosines, answered.same
    predicted = np.empty(len(cosines))
    fold = folds(answered)
    for each in range(FOLDS):
        held = fold == each
        curve = fit(cosines[~held], same[~held], card)
        predicted[held] = curve.probability(cosines[held])
    return Calibrated(
        fit(cosines, same, card),
        reliability(_answer(predicted), same),
        reliability(_answer(card.probability(cosines)), same),
    )


def folds(answered: Answered) -> Whole:
    """The part that each answer is in: whole characters, where there are enough."""
    who = np.unique(answered.characters, return_inverse=True)[1]
    if who.max(initial=0) + 1 < FOLDS:
        return np.arange(len(who)) % FOLDS
    return np.asarray(who % FOLDS)


def judge_again(catalogue: Catalogue, run_id: int, model: str) -> int:
    """Let all faces of a model that identity judged wait for it again; return how many.

    A page at a time: what is interrupted is gone on with by asking again.
    """
    sent, last = 0, 0
    query = sa.select(face.c.id).where(face.c.embedder == model, references.judged())
    while True:
        page = query.where(face.c.id > last).order_by(face.c.id).limit(_PAGE)
        with catalogue.write() as connection:
            ids = connection.execute(page).scalars().all()
            if not ids:
                return sent
            these = sa.and_(
                references.judged(),
                face.c.embedder == model,
                face.c.id.between(ids[0], ids[-1]),
            )
            references.identify_again(
                connection, run_id, these, "what answers taught is used from now on"
            )
        sent, last = sent + len(ids), ids[-1]


def _answer(probability: Numbers) -> Numbers:
    """The probability that people say "the same", who are sometimes wrong."""
    return np.asarray(ANSWER_ERROR + (1 - 2 * ANSWER_ERROR) * probability)


def _belief(at: Numbers, line: Numbers, same: Mask) -> float:
    """Log posterior of a curve: exp(at[0]) times the card's line, plus at[1]."""
    odds = np.clip(math.exp(at[0]) * line + at[1], -60, 60)
    said = _answer(1 / (1 + np.exp(-odds)))
    likelihood = np.log(np.where(same, said, 1 - said)).sum()
    return float(likelihood - ((at / _SPREAD) ** 2).sum() / 2)


def _scoring_step(at: Numbers, line: Numbers, same: Mask) -> Numbers:
    """A step of Fisher scoring, which is uphill wherever it starts."""
    times = math.exp(at[0])
    probability = 1 / (1 + np.exp(-np.clip(times * line + at[1], -60, 60)))
    said = _answer(probability)
    slope = (1 - 2 * ANSWER_ERROR) * probability * (1 - probability)
    by = np.stack([times * line, np.ones_like(line)])
    gradient = by @ (slope * (same - said) / (said * (1 - said))) - at / _SPREAD**2
    information = (by * (slope**2 / (said * (1 - said)))) @ by.T
    step = np.linalg.solve(information + np.diag(_SPREAD**-2.0), gradient)
    return np.asarray(np.clip(step, -2, 2))


def _pages(catalogue: Catalogue, model: str) -> Iterator[Whole]:
    """Face, face shown, character, and whether it is the same: shape (n, 4)."""
    filed = character.alias("filed")
    found_under_it = (
        sa.select(candidate.c.image_id)
        .join(filed, filed.c.id == candidate.c.character_id)
        .where(candidate.c.image_id == face.c.image_id, survivor(filed) == survivor())
        .correlate(face, character)
        .exists()
    )
    query = (
        sa.select(
            question.c.id,
            question.c.face_id,
            question.c.reference_face_id,
            survivor().label("stands"),
            (question.c.label == Label.SAME.value).label("same"),
        )
        .join(face, face.c.id == question.c.face_id)
        .join(character, character.c.id == question.c.character_id)
        .where(
            question.c.label.in_([Label.SAME.value, Label.DIFFERENT.value]),
            face.c.embedder == model,
            found_under_it,
        )
        .order_by(question.c.id)
        .limit(_PAGE)
    )
    last = 0
    while True:
        with catalogue.read() as connection:
            rows = connection.execute(query.where(question.c.id > last)).all()
        if not rows:
            return
        last = rows[-1].id
        yield np.array([row[1:] for row in rows], np.int64)
