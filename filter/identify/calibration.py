"""Fit the curve from an embedder's cosines to probabilities to people's answers.

This is Platt scaling (1999): the log odds of being the same character are linear in the
cosine. The line is fitted to answers by maximum a posteriori, with two changes. The
curve of the model card is the prior, so a few answers move it little and its slope
stays positive. And an answer is assumed to be wrong with probability `ANSWER_ERROR`, so
one mistake about an obvious face does not flatten the curve.

The curve is evaluated by cross-validation over characters. A curve with a worse
log-loss than the card's is not used.
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
from icf.filter.identify.posterior import ANSWER_ERROR, FloatArray, IntArray
from icf.reliability import Reliability, reliability
from icf.stores.vectors import VectorStore

Mask = NDArray[np.bool_]

#: Minimum number of answers of each kind for a fit.
MIN_ANSWERS = 20
#: Folds of the cross-validation.
FOLDS = 5

#: Standard deviations of the prior: of the logarithm of the factor on the card's slope,
#: and of the offset added to its log odds.
_PRIOR_SD = np.array([0.5, 1.0])
_MAX_STEPS = 50
_PAGE = 10_000


@dataclass(frozen=True)
class LabelledPairs:
    """Settled questions about faces that a model embedded.

    Attributes:
        cosines: shape (n,), between the face and the reference that was shown.
        same: shape (n,), whether people said that it is the character.
        characters: shape (n,), ids of the characters in the questions.
    """

    cosines: FloatArray
    same: Mask
    characters: IntArray

    @property
    def counts(self) -> tuple[int, int]:
        """Number of pairs labelled the same, and of those labelled different."""
        return int(self.same.sum()), int((~self.same).sum())


@dataclass(frozen=True)
class CalibrationResult:
    """A fitted curve, compared with the card's on held-out answers.

    Attributes:
        curve: fitted on all answers.
        fitted: reliability of curves fitted in the same way, on their held-out folds.
        card: reliability of the card's curve on the same answers.
    """

    curve: Curve
    fitted: Reliability
    card: Reliability

    @property
    def improves(self) -> bool:
        """Whether its log-loss on held-out answers is no worse than the card's."""
        return self.fitted.log_loss <= self.card.log_loss


def read_labelled_pairs(
    catalogue: Catalogue, vectors: VectorStore, model: str
) -> LabelledPairs:
    """Read the settled questions about candidates of the faces.

    Questions about suspicions across characters are left out: these faces were selected
    as look-alikes, so they do not tell how often a page's own pictures are right.
    """
    cosines, same, characters = [np.empty(0)], [np.empty(0, bool)], [np.empty(0, int)]
    for rows in _pages(catalogue, model):
        faces, shown, asked = (rows[:, each] for each in range(3))
        embedded = vectors.has(model, faces) & vectors.has(model, shown)
        one, other = (vectors.get(model, ids[embedded]) for ids in (faces, shown))
        cosines.append(np.einsum("nd,nd->n", one, other).astype(np.float64))
        characters.append(asked[embedded])
        same.append(rows[embedded, 3].astype(bool))
    return LabelledPairs(
        np.concatenate(cosines), np.concatenate(same), np.concatenate(characters)
    )


def fit(cosines: FloatArray, same: Mask, card: Curve) -> Curve:
    """Fit a curve to answers, with the card's curve as prior.

    Args:
        cosines: shape (n,); for n = 0 the result is the card's curve.
        same: shape (n,), whether people said that it is the character.
        card: the prior; its slope is positive.
    """
    line = card.slope * cosines + card.intercept
    parameters = np.zeros(2)
    value = _log_posterior(parameters, line, same)
    for _ in range(_MAX_STEPS):
        step = _scoring_step(parameters, line, same)
        # Backtracking: far from the maximum a full step can overshoot.
        while (higher := _log_posterior(parameters + step, line, same)) < value:
            step /= 2
            if np.abs(step).max() < 1e-9:
                break
        if higher < value:
            break
        parameters, value = parameters + step, higher
        if np.abs(step).max() < 1e-9:
            break
    factor, offset = math.exp(parameters[0]), float(parameters[1])
    return Curve(factor * card.slope, factor * card.intercept + offset)


def calibrate(answered: LabelledPairs, card: Curve) -> CalibrationResult:
    """Fit a curve, and compare it with the card's by cross-validation."""
    cosines, same = answered.cosines, answered.same
    predicted = np.empty(len(cosines))
    fold = folds(answered)
    for each in range(FOLDS):
        held_out = fold == each
        curve = fit(cosines[~held_out], same[~held_out], card)
        predicted[held_out] = curve.probability(cosines[held_out])
    return CalibrationResult(
        fit(cosines, same, card),
        reliability(_answer_probability(predicted), same),
        reliability(_answer_probability(card.probability(cosines)), same),
    )


def folds(answered: LabelledPairs) -> IntArray:
    """The fold of each answer; if there are enough characters, folds share none."""
    group = np.unique(answered.characters, return_inverse=True)[1]
    if group.max(initial=0) + 1 < FOLDS:
        return np.arange(len(group)) % FOLDS
    return np.asarray(group % FOLDS)


def requeue_faces(catalogue: Catalogue, run_id: int, model: str) -> int:
    """Send all judged faces of a model back to the step identity; return how many.

    Each page is one transaction. After an interruption, the same call sends the rest.
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
                connection, run_id, these, "the calibration changed"
            )
        sent, last = sent + len(ids), ids[-1]


def _answer_probability(probability: FloatArray) -> FloatArray:
    """The probability of the answer "same", given the answer error."""
    return np.asarray(ANSWER_ERROR + (1 - 2 * ANSWER_ERROR) * probability)


def _log_posterior(parameters: FloatArray, line: FloatArray, same: Mask) -> float:
    """Log posterior of the line exp(parameters[0]) * line + parameters[1]."""
    odds = np.clip(math.exp(parameters[0]) * line + parameters[1], -60, 60)
    expected = _answer_probability(1 / (1 + np.exp(-odds)))
    likelihood = np.log(np.where(same, expected, 1 - expected)).sum()
    return float(likelihood - ((parameters / _PRIOR_SD) ** 2).sum() / 2)


def _scoring_step(parameters: FloatArray, line: FloatArray, same: Mask) -> FloatArray:
    """A step of Fisher scoring, which is an ascent direction everywhere."""
    scaled = math.exp(parameters[0]) * line
    probability = 1 / (1 + np.exp(-np.clip(scaled + parameters[1], -60, 60)))
    expected = _answer_probability(probability)
    variance = expected * (1 - expected)
    slope = (1 - 2 * ANSWER_ERROR) * probability * (1 - probability)
    jacobian = np.stack([scaled, np.ones_like(line)])
    gradient = jacobian @ (slope * (same - expected) / variance)
    gradient -= parameters / _PRIOR_SD**2
    information = (jacobian * (slope**2 / variance)) @ jacobian.T
    step = np.linalg.solve(information + np.diag(_PRIOR_SD**-2.0), gradient)
    return np.asarray(np.clip(step, -2, 2))


def _pages(catalogue: Catalogue, model: str) -> Iterator[IntArray]:
    """Face, shown face, character and whether it is the same, shape (n, 4)."""
    other = character.alias("other")
    is_candidate = (
        sa.select(candidate.c.image_id)
        .join(other, other.c.id == candidate.c.character_id)
        .where(candidate.c.image_id == face.c.image_id, survivor(other) == survivor())
        .correlate(face, character)
        .exists()
    )
    query = (
        sa.select(
            question.c.id,
            question.c.face_id,
            question.c.reference_face_id,
            survivor().label("character_id"),
            (question.c.label == Label.SAME.value).label("same"),
        )
        .join(face, face.c.id == question.c.face_id)
        .join(character, character.c.id == question.c.character_id)
        .where(
            question.c.label.in_([Label.SAME.value, Label.DIFFERENT.value]),
            # A question about a reference compares it with nothing.
            question.c.face_id != question.c.reference_face_id,
            face.c.embedder == model,
            is_candidate,
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
