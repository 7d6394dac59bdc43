"""Identification: is a picture of the same character nearer than any distractor?

The protocol of the published recognition test: for each ordered pair (a, b) of pictures
of one identity, b is ranked among all distractors by similarity to a.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from icf.dataset.scores.recognition.bootstrap import SEED
from icf.dataset.scores.recognition.groups import Grouping
from icf.dataset.scores.recognition.match_curve import MatchCurves, match_curves
from icf.dataset.scores.recognition.unit_vectors import (
    TIE,
    Features,
    FloatArray,
    check_features,
    unit,
)
from icf.errors import BadInput
from icf.icartoonface.recognition import (
    DISTRACTOR,
    IntArray,
    RecognitionTest,
    pairs_to_score,
)

_PROBES_AT_ONCE = 512
_PAIRS_AT_ONCE = 4096

#: With fewer identities, a percent has no first digit that can be trusted.
ENOUGH_IDENTITIES = 10


@dataclass(frozen=True)
class IdentificationScore:
    """The scores of the published test.

    Attributes:
        pairs: Ordered pairs scored.
        probes: Different probe pictures.
        identities: Identities of the pairs.
        distractors: Distractors that each pair was ranked against.
        rank1: Percent of pairs with rank 1, that is before every distractor.
        rank5: Percent of pairs with rank 5 or better.
        rank10: Percent of pairs with rank 10 or better.
    """

    pairs: int
    probes: int
    distractors: int
    rank1: float
    rank5: float
    rank10: float
    identities: int

    @property
    def caution(self) -> str | None:
        """Why the percents mean little; None for a test that is large enough.

        The pairs of an identity are right or wrong together, so that the identities are
        what counts. If all of n are right, the true share is with 95% confidence above
        n / (n + 1.96^2) (Wilson's interval).
        """
        if self.identities >= ENOUGH_IDENTITIES:
            return None
        least = self.identities / (self.identities + 1.96**2)
        who = "identity" if self.identities == 1 else "identities"
        return (
            f"a test of {self.identities} {who} and {self.probes:,} probes is too "
            "small to mean anything: with as few identities, even 100% only says that "
            f"the true percent is above {100 * least:.0f} (95% confidence)"
        )


def score_identification(
    info: RecognitionTest, features: Features
) -> IdentificationScore:
    """Score features by the published identification protocol.

    Args:
        info: The test's labels, with or without pairs.
        features: Shape (n, d), one row per picture in the info's order, of any length.

    Returns:
        Percents of pairs within rank 1, 5 and 10.

    Raises:
        BadInput: As ``rank_pairs``.

    Example:
        >>> info = RecognitionTest(
        ...     ("a.jpg", "b.jpg", "x.jpg"), np.zeros((3, 4), int), np.array([0, 0, -1])
        ... )
        >>> score_identification(info, np.array([[1, 0], [1, 0.1], [0.8, 1]])).rank1
        100.0
    """
    return _score(info, pairs_to_score(info), rank_pairs(info, features))


@dataclass(frozen=True, eq=False)
class Identified:
    """What `score_identification` gives, with curves and intervals.

    Attributes:
        score: The percents of the published test.
        curves: Percent by rank, of all pairs and of groups, with intervals.
        ranks: Shape (m,), the rank of each pair.
        owners: Shape (m,), the identity of each.
    """

    score: IdentificationScore
    curves: MatchCurves
    ranks: IntArray
    owners: IntArray


def identify(
    info: RecognitionTest,
    features: Features,
    groups: Mapping[str, Grouping] | None = None,
    seed: int = SEED,
) -> Identified:
    """Score features by the published protocol, with curves and intervals.

    Args:
        info: The test's labels, with or without pairs.
        features: Shape (n, d), one row per picture in the info's order, of any length.
        groups: Of the pictures; pairs are grouped by their probe.
        seed: Of the drawings of identities that the intervals are from.

    Raises:
        BadInput: As ``rank_pairs``.
    """
    pairs = pairs_to_score(info)
    ranks = rank_pairs(info, features)
    score = _score(info, pairs, ranks)
    curves = match_curves(
        ranks, pairs[:, 0], info.labels, score.distractors, groups or {}, seed
    )
    return Identified(score, curves, ranks, info.labels[pairs[:, 0]])


def _score(
    info: RecognitionTest, pairs: IntArray, ranks: IntArray
) -> IdentificationScore:
    return IdentificationScore(
        pairs=len(ranks),
        probes=len(np.unique(pairs[:, 0])),
        distractors=int(np.count_nonzero(info.labels == DISTRACTOR)),
        rank1=rank_k(ranks, 1),
        rank5=rank_k(ranks, 5),
        rank10=rank_k(ranks, 10),
        identities=len(np.unique(info.labels[pairs[:, 0]])),
    )


def rank_k(ranks: IntArray, k: int) -> float:
    """Percent of pairs with rank k or better.

    Example:
        >>> rank_k(np.array([1, 3, 7, 1]), 5)
        75.0
    """
    return 100.0 * float(np.mean(ranks <= k))


def rank_pairs(info: RecognitionTest, features: Features) -> IntArray:
    """The rank of every pair (a, b): 1 + distractors at least as similar to a as b is.

    Similarity is the cosine. The order of equal similarities in the official sort
    is undefined; here a tie with a distractor counts against the pair.

    Args:
        info: The test's labels, with or without pairs.
        features: Shape (n, d), one row per picture in the info's order.

    Returns:
        Shape (m,), in the order of ``pairs_to_score(info)``.

    Raises:
        BadInput: The features do not fit the info, hold a NaN, an infinity or a row of
            zeros, or the info has no pair or no distractor.
    """
    pairs = pairs_to_score(info)
    distractors = np.flatnonzero(info.labels == DISTRACTOR)
    _check_info(pairs, distractors)
    check_features(info.files, features)
    gallery = unit(features[distractors]).T
    order = np.argsort(pairs[:, 0], kind="stable")
    ranks = np.empty(len(pairs), np.int64)
    for chunk in _by_probe(pairs[order, 0]):
        rows = order[chunk]
        ranks[rows] = _rank_chunk(features, pairs[rows], gallery)
    return ranks


def _check_info(pairs: IntArray, distractors: IntArray) -> None:
    if not len(pairs):
        raise BadInput(
            "no pair to score: expected at least two pictures with one label"
        )
    if not len(distractors):
        raise BadInput(
            f"no distractor (label {DISTRACTOR}): every pair would have rank 1"
        )


def _by_probe(sorted_probes: IntArray) -> Iterator[slice]:
    """Yield slices of pairs with some hundred probes each, and all pairs of each."""
    starts = np.flatnonzero(np.diff(sorted_probes, prepend=-1))
    edges = [*starts[::_PROBES_AT_ONCE].tolist(), len(sorted_probes)]
    for begin, end in pairwise(edges):
        yield slice(begin, end)


def _rank_chunk(features: Features, pairs: IntArray, gallery: FloatArray) -> IntArray:
    """Rank pairs sorted by probe: one product, one sort, one search per probe."""
    probes, slot = np.unique(pairs[:, 0], return_inverse=True)
    units = unit(features[probes])
    own = _own_similarity(features, units, slot, pairs[:, 1])
    similarity = units @ gallery
    similarity.sort(axis=1)
    starts = [*np.flatnonzero(np.diff(slot, prepend=-1)).tolist(), len(slot)]
    ranks = np.empty(len(pairs), np.int64)
    for row, (begin, end) in zip(similarity, pairwise(starts), strict=True):
        ranks[begin:end] = np.searchsorted(row, own[begin:end] - TIE)
    return np.asarray(1 + gallery.shape[1] - ranks, np.int64)


def _own_similarity(
    features: Features, units: FloatArray, slot: IntArray, partners: IntArray
) -> FloatArray:
    """Compute the cosine of each pair, normalising each partner once."""
    distinct, partner = np.unique(partners, return_inverse=True)
    partner_units = unit(features[distinct])
    own = np.empty(len(partners))
    for start in range(0, len(own), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        own[part] = np.einsum(
            "ij,ij->i", units[slot[part]], partner_units[partner[part]]
        )
    return own
