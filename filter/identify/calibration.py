"""Fit the curve from an embedder's cosines to probabilities to people's answers.

This is Platt scaling (1999), a line from the cosine to log odds, but not fitted to the
cosine alone. An answer is compared with the probability that identity computes with
the curve, from all it knows of the face: the cosines to the reference and the confirmed
faces, and those to the other characters of the album (`icf.filter.identify.posterior`).
Questions are chosen by this probability. The likelihood of an answer, given all that
the choice was made by, does not depend on the choice (Rubin 1976); given the cosine
alone it does, and the curve becomes much too flat.

The fit is by maximum a posteriori. The curve of the model card is the prior, so a few
answers move it little and its slope stays positive. Answers can be wrong, so one
mistake about an obvious face does not flatten the curve. How far the answers represent
all faces (`icf.catalogue.sampling`) also counts, by its square root: its full amount
would leave the curve to the few faces that were drawn at random.

What is fitted is evaluated by cross-validation over characters, with the full weights:
so by what it would do to all faces, also those that nobody was asked about. It is
adopted only if its log-loss is lower than the card's by more than chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import sqlalchemy as sa

from icf.annotator_error import AnnotatorError, estimate
from icf.catalogue import references, sampling
from icf.catalogue.calibrations import Curve
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.sampling import Asked, Mask
from icf.catalogue.schema import face
from icf.filter.identify import answer_sample
from icf.filter.identify.asked_evidence import AskedEvidence, read_comparable
from icf.filter.identify.posterior import FloatArray, IntArray
from icf.reliability import Reliability, log_losses, reliability
from icf.statistics import Interval, mean_of_clusters, share
from icf.stores.vectors import VectorStore

#: Minimum number of answers of each kind for a fit.
MIN_ANSWERS = 20
#: Minimum number of answers to questions drawn at random, where not all were asked.
MIN_RANDOM = 20
#: Number of answers that all say no, from which on a reference is doubted.
MIN_REFUSED = 5
#: Level of the interval of the gain. Chance puts it above 0 in one case of twenty.
GAIN_LEVEL = 0.9
#: Folds of the cross-validation.
FOLDS = 5

#: Scale of the prior: of the logarithm of the factor on the card's slope, and of the
#: shift of the cosine of even odds, in units of one over that slope. Near 0 it is
#: normal with this standard deviation, far from it a Cauchy distribution: in an
#: unfamiliar style the card's curve is far off.
_PRIOR_SCALE = np.array([0.5, 1.0])
_MAX_STEPS = 50
#: A smaller step changes no digit that is shown.
_CLOSE = 1e-6
_PAGE = 10_000


@dataclass(frozen=True)
class Answers:
    """Settled questions about faces that a model embedded.

    Attributes:
        evidence: what identity knows of the faces, n of them.
        same: shape (n,), whether people said that it is the character.
        characters: shape (n,), ids of the characters in the questions.
        wrong: shape (n,), the probability that the label is wrong.
        weights: shape (n,), how many faces each represents. Zeros if the questions were
            not chosen in a way that says so.
        stands_for: shape (n,), how many answers each stands for, itself and those that
            are left out (`icf.filter.identify.answer_sample`); None: for itself.
    """

    evidence: AskedEvidence
    same: Mask
    characters: IntArray
    wrong: FloatArray
    weights: FloatArray
    stands_for: FloatArray | None = None

    @property
    def counts(self) -> tuple[int, int]:
        """Number of pairs labelled the same, and of those labelled different."""
        return int(self.same.sum()), int((~self.same).sum())

    def equal(self, other: Answers) -> bool:
        """Whether the same is fitted to both."""
        return all(
            np.array_equal(one, another)
            for mine, others in ((self, other), (self.evidence, other.evidence))
            for one, another in (
                (getattr(mine, each.name), getattr(others, each.name))
                for each in fields(mine)
            )
            if isinstance(one, np.ndarray)
        )

    def take(self, which: Mask) -> Answers:
        """Some of the answers."""
        return Answers(
            self.evidence.take(which),
            self.same[which],
            self.characters[which],
            self.wrong[which],
            self.weights[which],
            None if self.stands_for is None else self.stands_for[which],
        )


@dataclass(frozen=True)
class Dropped:
    """What people said of a random part of the faces that identity dropped.

    Attributes:
        asked: number of settled questions.
        same: number that were the character after all.
        lost: the share that is, corrected for wrong answers, with its 95% interval.
    """

    asked: int
    same: int
    lost: Interval


@dataclass(frozen=True)
class Labelled:
    """All that people said of the faces of one model.

    Attributes:
        answers: the settled questions; of more than fit in memory, some of them.
        counts: number of all that are labelled the same, and of those labelled
            different.
        represented: how many faces all of them represent; 0: it is not known.
        random: number of all that were drawn at random.
        error: how often people err.
        dropped: about faces that identity had dropped; None if none was asked about.
        never_same: characters that no answer confirms, of `MIN_REFUSED` or more. Their
            reference may show somebody else.
    """

    answers: Answers
    counts: tuple[int, int]
    represented: float
    random: int
    error: AnnotatorError
    dropped: Dropped | None
    never_same: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of all answers."""
        return sum(self.counts)

    @property
    def all_asked(self) -> bool:
        """Whether all faces that they represent were asked about."""
        return 0 < self.represented < 1.1 * self.count


@dataclass(frozen=True)
class CalibrationResult:
    """A fitted curve, compared with the card's on held-out answers.

    Attributes:
        curve: fitted on all answers.
        fitted: reliability of curves fitted in the same way, on their held-out folds.
        card: reliability of the card's curve on the same answers.
        gain: by how much the log-loss is lower than the card's.
    """

    curve: Curve
    fitted: Reliability
    card: Reliability
    gain: Interval

    @property
    def improves(self) -> bool:
        """Whether its log-loss on held-out answers is lower by more than chance."""
        return self.gain.low > 0


def read_labelled(catalogue: Catalogue, vectors: VectorStore, model: str) -> Labelled:
    """Read the settled questions about faces of a model, and how far they represent.

    Args:
        catalogue: of the workspace.
        vectors: those of the faces.
        model: the SHA-256 of the embedder.
    """
    with catalogue.read() as connection:
        asked = sampling.read_asked(connection)
        error = estimate(sampling.read_repeated(connection))
        weights = sampling.read_weights(connection, asked)
        wrong = sampling.label_errors(asked.votes, error.rate)
        own = asked.settled & vectors.has(model, asked.face)
        found = read_comparable(
            connection, model, asked.face[own], asked.character[own]
        )
    known = np.flatnonzero(own)[found.rows]
    same, characters = asked.same[known], asked.character[known]
    drawn_at_random = asked.inclusion[known] < 1
    stands_for = answer_sample.draw(found.terms, drawn_at_random)
    which = stands_for > 0
    answers = Answers(
        found.evidence(vectors, model, which),
        same[which],
        characters[which],
        wrong[known][which],
        (weights[known] * stands_for)[which],
        None if which.all() else stands_for[which],
    )
    return Labelled(
        answers,
        (int(same.sum()), int((~same).sum())),
        float(weights[known].sum()),
        int(drawn_at_random.sum()),
        error,
        _dropped(asked.take(known), wrong[known]),
        _never_same(same, characters),
    )


def _dropped(asked: Asked, wrong: FloatArray) -> Dropped | None:
    some = asked.dropped
    if not some.any():
        return None
    same = int(asked.same[some].sum())
    count = int(some.sum())
    return Dropped(count, same, share(same, count, float(wrong[some].mean())))


def _never_same(same: Mask, characters: IntArray) -> tuple[int, ...]:
    about, place = np.unique(characters, return_inverse=True)
    asked = np.bincount(place, minlength=len(about))
    confirmed = np.bincount(place, same, minlength=len(about))
    return tuple(about[(asked >= MIN_REFUSED) & (confirmed == 0)].tolist())


def fit(answers: Answers, card: Curve) -> Curve:
    """Fit a curve to answers, with the card's curve as prior.

    Args:
        answers: n of them; for n = 0 the result is the card's curve.
        card: the prior; its slope is positive.
    """
    weights = _fit_weights(answers)
    found = [
        _climb(start, answers, weights, card)
        for start in (np.zeros(2), _apart(answers, card))
    ]
    return _curve(max(found, key=lambda each: each[0])[1], card)


def _climb(
    parameters: FloatArray, answers: Answers, weights: FloatArray, card: Curve
) -> tuple[float, FloatArray]:
    """The highest log posterior uphill from ``parameters``, and where it is."""
    value, step = _ascent(parameters, answers, weights, card)
    for _ in range(_MAX_STEPS):
        # Backtracking: far from the maximum a full step can overshoot.
        while True:
            higher, next_step = _ascent(parameters + step, answers, weights, card)
            if higher >= value or np.abs(step).max() < _CLOSE:
                break
            step = step / 2
        if higher < value:
            break
        done = np.abs(step).max() < _CLOSE
        parameters, value, step = parameters + step, higher, next_step
        if done:
            break
    return value, parameters


def _apart(answers: Answers, card: Curve) -> FloatArray:
    """The curve that tells the two kinds of answers apart by their mean cosines.

    In a style that is far from the card's there can be no way up from the card's curve.
    """
    cosines, same = answers.evidence.mean_cosine(), answers.same
    if min(answers.counts) < 2:
        return np.zeros(2)
    kinds = cosines[same], cosines[~same]
    between = kinds[0].mean() - kinds[1].mean()
    within = max(float(np.mean([each.var() for each in kinds])), 1e-4)
    slope = np.clip(between / within / card.slope, 0.1, 20)
    even = (kinds[0].mean() + kinds[1].mean()) / 2
    return np.array([math.log(slope), (even - card.even) * card.slope])


def calibrate(answers: Answers, card: Curve) -> CalibrationResult:
    """Fit a curve, and compare it with the card's by cross-validation."""
    predicted = np.empty(len(answers.same))
    fold = folds(answers.characters)
    for each in range(FOLDS):
        held_out = fold == each
        if held_out.any():
            curve = fit(answers.take(~held_out), card)
            rows = answers.evidence.take(held_out)
            predicted[held_out] = rows.probability(curve)
    weights = answers.weights if answers.weights.any() else np.ones(len(predicted))
    both = predicted, answers.evidence.probability(card)
    fitted, before = (
        reliability(each, answers.same, weights, answers.wrong) for each in both
    )
    losses, old = (log_losses(each, answers.same, answers.wrong) for each in both)
    many = len(np.unique(answers.characters)) >= FOLDS
    clusters = answers.characters if many else np.arange(len(predicted))
    counted = weights > 0
    gain = mean_of_clusters(
        (old - losses)[counted], weights[counted], clusters[counted], GAIN_LEVEL
    )
    return CalibrationResult(fit(answers, card), fitted, before, gain)


def folds(characters: IntArray) -> IntArray:
    """The fold of each answer; if there are enough characters, folds share none."""
    group = np.unique(characters, return_inverse=True)[1]
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


def _fit_weights(answers: Answers) -> FloatArray:
    """Square roots of the weights, scaled so that they sum to the effective number.

    An answer that represents no known number of faces counts like the least of those
    that do.
    """
    count = len(answers.same)
    stands_for = np.ones(count) if answers.stands_for is None else answers.stands_for
    weights, made = answers.weights / stands_for, stands_for
    if weights.any():
        made = made * np.sqrt(np.maximum(weights, weights[weights > 0].min()))
    return np.asarray(made * made.sum() / (made @ made))


def _curve(parameters: FloatArray, card: Curve) -> Curve:
    factor, shift = math.exp(parameters[0]), float(parameters[1])
    return Curve(factor * card.slope, factor * (card.intercept - shift))


def _ascent(
    parameters: FloatArray, answers: Answers, weights: FloatArray, card: Curve
) -> tuple[float, FloatArray]:
    """The log posterior, and a step of Fisher scoring: an ascent direction everywhere.

    Args:
        parameters: logarithm of the factor on the card's slope, and the shift.
        answers: n of them.
        weights: shape (n,).
        card: the prior.
    """
    curve = _curve(parameters, card)
    probability, jacobian = answers.evidence.gradient(curve)
    jacobian[1] *= -curve.slope / card.slope
    right = 1 - 2 * answers.wrong
    expected = np.clip(answers.wrong + right * probability, 1e-12, 1 - 1e-12)
    given = np.where(answers.same, expected, 1 - expected)
    prior_precision = 1 / (_PRIOR_SCALE**2 + parameters**2 / 2)
    prior = -np.log1p((parameters / _PRIOR_SCALE) ** 2 / 2).sum()
    value = float(weights @ np.log(given) + prior)
    jacobian = jacobian * right
    variance = expected * (1 - expected)
    gradient = jacobian @ (weights * (answers.same - expected) / variance)
    gradient -= parameters * prior_precision
    information = (jacobian * (weights / variance)) @ jacobian.T
    step = np.linalg.solve(information + np.diag(prior_precision), gradient)
    return value, np.asarray(np.clip(step, -2, 2))
