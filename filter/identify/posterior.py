"""The probability of each character that a face may be, and of none of these.

Of a face with vector x, and of the characters k of its albums::

    P(k | x) = w_k L_k(x) / (1 + sum over all characters j of w_j L_j(x))
    P(none of these | x) = 1 / (1 + the same sum)

``L_k(x)`` is how many times likelier x is as a face of k than as anybody's: the
calibration (`icf.catalogue.calibrations.Curve`) turns the cosine to a known face of k
into odds, and the odds of all known faces of k are *averaged*: half for the reference,
half for the faces that people confirmed. Averaged and not multiplied, because known
faces are like one another: an average of likelihood ratios has expectation 1 when the
face is somebody else's, however much they depend on each other, while a product counts
one piece of evidence many times. And because a character has several looks, of which a
face shows one: a single known face that is near is enough, and those that are far can
take no more than half of what the reference gives.

``w_k`` is what is believed before the face is looked at. None of these (another
character, nobody, no face) has weight 1, and so has each character that the picture was
found under. Any other character of the albums has `OTHER_WEIGHT`, all of them together
at most 1: a page's own pictures show its character far more often than any one other.
So another character that is equally like, a twin, takes a twentieth of the odds away,
and one must be some two hundred times as likely before a face is not even asked about.

What people said about the very face multiplies or divides ``w_k`` by the odds that a
settled answer is right (`ANSWER_ERROR`): people err, so an answer moves the probability
far and does not make it certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.catalogue.calibrations import Curve

Numbers = NDArray[np.float64]
Vectors = NDArray[np.float32]
Whole = NDArray[np.int64]

#: What a character that a picture was not found under weighs, against one that it was.
OTHER_WEIGHT = 1 / 20
#: How often a settled answer is wrong.
ANSWER_ERROR = 0.03
#: The share of a character's reference, where people confirmed other faces too.
REFERENCE_SHARE = 0.5


@dataclass(frozen=True)
class Posterior:
    """Probabilities that sum to one in each row.

    Attributes:
        characters: shape (n, k), of being each of the characters.
        none: shape (n,), of being none of these.
    """

    characters: Numbers
    none: Numbers


@dataclass(frozen=True)
class KnownFaces:
    """Faces of k characters of which it is known whom they show.

    Attributes:
        vectors: unit vectors, shape (m, d).
        owner: shape (m,), the column of each one's character, from 0 to k - 1.
        reference: shape (k,), the row of each character's reference.
    """

    vectors: Vectors
    owner: Whole
    reference: Whole

    def shares(self) -> Numbers:
        """What each known face counts for each character; columns sum to one.

        >>> known = KnownFaces(np.eye(3), np.array([0, 1, 1]), np.array([0, 2]))
        >>> known.shares().tolist()
        [[1.0, 0.0], [0.0, 0.5], [0.0, 0.5]]
        """
        others = np.bincount(self.owner, minlength=len(self.reference)) - 1
        each = (1 - REFERENCE_SHARE) / np.maximum(others, 1)
        made = np.zeros((len(self.owner), len(self.reference)))
        made[np.arange(len(self.owner)), self.owner] = each[self.owner]
        columns = np.arange(len(self.reference))
        made[self.reference, columns] = np.where(others > 0, REFERENCE_SHARE, 1.0)
        return made


@dataclass(frozen=True)
class Compared:
    """How some faces compare with the known faces of k characters.

    Attributes:
        cosines: to each character's reference, shape (n, k).
        ratios: how many times likelier the face is as that character's than as
            anybody's, shape (n, k).
    """

    cosines: Vectors
    ratios: Numbers


def compare(
    faces: Vectors, known: KnownFaces, curve: Curve, itself: Whole | None = None
) -> Compared:
    """Compare faces with known faces.

    Args:
        faces: unit vectors, shape (n, d).
        known: the known faces.
        curve: from the cosine of two faces to odds.
        itself: shape (n,), the row of ``known`` that is this very face, or -1. A
            confirmed face is no evidence for itself: its reference is asked instead.
    """
    cosines = faces @ known.vectors.T
    odds = np.exp(curve.log_odds(cosines))
    if itself is not None:
        rows = np.flatnonzero(itself >= 0)
        own = itself[rows]
        odds[rows, own] = odds[rows, known.reference[known.owner[own]]]
    return Compared(cosines[:, known.reference], odds @ known.shares())


def weights(candidates: NDArray[np.bool_]) -> Numbers:
    """What is believed of each character before a face is looked at.

    Args:
        candidates: shape (n, k), whether the picture was found under the character.

    Returns:
        Shape (n, k); none of these has weight 1.

    >>> weights(np.array([[True, False, False]])).tolist()
    [[1.0, 0.05, 0.05]]
    """
    others = (~candidates).sum(axis=1, keepdims=True)
    other = np.minimum(OTHER_WEIGHT, 1 / np.maximum(others, 1))
    return np.where(candidates, 1.0, other)


def posterior(joint: Numbers) -> Posterior:
    """Turn weight times likelihood ratio into probabilities.

    Args:
        joint: shape (n, k), none of it negative.
    """
    total = 1 + joint.sum(axis=1, keepdims=True)
    return Posterior(joint / total, 1 / total[:, 0])
