"""The probabilities that a face is each of some characters, or none of them.

For a face with vector x and the characters k of its albums::

    P(k | x) = w_k L_k(x) / (1 + sum over all characters j of w_j L_j(x))
    P(none of these | x) = 1 / (1 + the same sum)

``L_k(x)`` is a likelihood ratio: how many times likelier x is as a face of k than as
any face. The calibration (`icf.catalogue.calibrations.Curve`) turns the cosine to each
gallery face of k into odds. The odds are *averaged*: one half for the reference, one
half for the confirmed faces. They are not multiplied, because gallery faces are not
independent. An average of likelihood ratios has expectation 1 for a face of somebody
else, however dependent they are, while a product counts the same evidence many times.
The average also suits a character with several looks: one close gallery face is enough,
and distant ones reduce the ratio of the reference by half at most.

``w_k`` is the prior weight. None of these (another character, nobody, no face) has
weight 1, and so has each candidate, i.e. character that the picture was found under.
Any other character of the albums has `OTHER_WEIGHT`, all of them together at most 1,
because a page's own pictures show its character far more often than any other one. An
equally similar other character therefore takes one twentieth of the odds, and must be
about two hundred times as likely before a face is dropped.

An answer about the face multiplies or divides ``w_k`` by the odds that a settled answer
is right (`ANSWER_ERROR`). People err, so an answer changes the probability a lot but
does not make it certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.catalogue.calibrations import Curve

FloatArray = NDArray[np.float64]
Vectors = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: Prior weight of a character that is not a candidate, relative to a candidate.
OTHER_WEIGHT = 1 / 20
#: Probability that a settled answer is wrong.
ANSWER_ERROR = 0.03
#: Weight of the reference in a gallery that also has confirmed faces.
REFERENCE_SHARE = 0.5


@dataclass(frozen=True)
class Posterior:
    """Probabilities that sum to one in each row.

    Attributes:
        characters: shape (n, k), of being each of the characters.
        none: shape (n,), of being none of these.
    """

    characters: FloatArray
    none: FloatArray


@dataclass(frozen=True)
class Gallery:
    """Labelled faces of k characters.

    Attributes:
        vectors: unit vectors, shape (m, d).
        owner: shape (m,), the column of each face's character, from 0 to k - 1,
            ascending.
        reference: shape (k,), the row of each character's reference.
    """

    vectors: Vectors
    owner: IntArray
    reference: IntArray

    def shares(self) -> FloatArray:
        """The weight of each face for its character, shape (m,).

        Those of a character sum to one.

        >>> gallery = Gallery(np.eye(3), np.array([0, 1, 1]), np.array([0, 2]))
        >>> gallery.shares().tolist()
        [1.0, 0.5, 0.5]
        """
        others = np.bincount(self.owner, minlength=len(self.reference)) - 1
        each = (1 - REFERENCE_SHARE) / np.maximum(others, 1)
        made = each[self.owner]
        made[self.reference] = np.where(others > 0, REFERENCE_SHARE, 1.0)
        return np.asarray(made)


@dataclass(frozen=True)
class Comparison:
    """The similarity of n faces to k characters.

    Attributes:
        cosines: to each character's reference, shape (n, k).
        ratios: likelihood ratios of being that character, shape (n, k).
    """

    cosines: Vectors
    ratios: FloatArray


def compare(
    probes: Vectors, gallery: Gallery, curve: Curve, itself: IntArray | None = None
) -> Comparison:
    """Compare faces with a gallery.

    Args:
        probes: unit vectors, shape (n, d).
        gallery: labelled faces.
        curve: from the cosine of two faces to odds.
        itself: shape (n,), the row of the gallery that is the probe itself, or -1. A
            confirmed face is no evidence for itself: the reference is used instead.
    """
    cosines = probes @ gallery.vectors.T
    odds = np.exp(curve.log_odds(cosines))
    if itself is not None:
        rows = np.flatnonzero(itself >= 0)
        own = itself[rows]
        odds[rows, own] = odds[rows, gallery.reference[gallery.owner[own]]]
    # Summed by character: of a matrix (m, k) of the shares all but m would be zeros.
    first = np.searchsorted(gallery.owner, np.arange(len(gallery.reference)))
    ratios = np.add.reduceat(odds * gallery.shares(), first, axis=1)
    return Comparison(cosines[:, gallery.reference], ratios)


def prior_weights(candidates: NDArray[np.bool_]) -> FloatArray:
    """The prior weights of characters.

    Args:
        candidates: shape (n, k), whether the character is a candidate of the face.

    Returns:
        Shape (n, k); none of these has weight 1.

    >>> prior_weights(np.array([[True, False, False]])).tolist()
    [[1.0, 0.05, 0.05]]
    """
    others = (~candidates).sum(axis=1, keepdims=True)
    other = np.minimum(OTHER_WEIGHT, 1 / np.maximum(others, 1))
    return np.where(candidates, 1.0, other)


def posterior(joint: FloatArray) -> Posterior:
    """Turn weight times likelihood ratio into probabilities.

    Args:
        joint: shape (n, k), not negative.
    """
    total = 1 + joint.sum(axis=1, keepdims=True)
    return Posterior(joint / total, 1 / total[:, 0])
