"""The cumulative match curve of identification, of all pairs and of groups of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from icf.dataset.scores.recognition.bootstrap import (
    Bounds,
    draw_weights,
    ratio_bounds,
    rising,
)
from icf.dataset.scores.recognition.groups import Grouping
from icf.dataset.scores.recognition.unit_vectors import FloatArray
from icf.icartoonface.recognition import IntArray

#: Largest rank of a curve, as in figure 6 of the paper.
RANKS = 50


@dataclass(frozen=True)
class MatchCurve:
    """What share of some pairs is within each rank.

    Attributes:
        pairs: Ordered pairs.
        identities: Different identities of them.
        percent: Of pairs within rank 1, 2, ...
        bounds: The interval of each, in percent; identities are resampled.
    """

    pairs: int
    identities: int
    percent: tuple[float, ...]
    bounds: tuple[Bounds, ...]

    def at(self, rank: int) -> tuple[float, Bounds]:
        """The percent within a rank and its interval; beyond the curve all is in."""
        place = min(rank, len(self.percent)) - 1
        return self.percent[place], self.bounds[place]


@dataclass(frozen=True)
class MatchCurves:
    """The curve of all pairs, and those of groups.

    Attributes:
        all: Of every pair.
        groups: By what the probes are grouped by, then by the group's name.
    """

    all: MatchCurve
    groups: Mapping[str, Mapping[str, MatchCurve]] = field(default_factory=dict)


def match_curves(
    ranks: IntArray,
    probes: IntArray,
    labels: IntArray,
    distractors: int,
    groups: Mapping[str, Grouping],
    seed: int,
) -> MatchCurves:
    """Make the curves of ranked pairs.

    Args:
        ranks: Shape (m,), the rank of each pair, from 1.
        probes: Shape (m,), the picture that each pair starts from.
        labels: Shape (n,), the identity of each picture.
        distractors: How many each pair was ranked against.
        groups: Of pictures, by what they are grouped by; a pair is in the group of its
            probe.
        seed: Of the drawings of identities.
    """
    owners, codes = np.unique(labels[probes], return_inverse=True)
    weights = draw_weights(len(owners), seed)
    last = min(RANKS, distractors + 1)
    made = {
        kind: {
            name: _curve(ranks[rows], codes[rows], len(owners), weights, last)
            for name, rows in grouping.rows(probes)
        }
        for kind, grouping in groups.items()
    }
    whole = _curve(ranks, codes, len(owners), weights, last)
    return MatchCurves(whole, {kind: each for kind, each in made.items() if each})


def _curve(
    ranks: IntArray,
    codes: IntArray,
    owners: int,
    weights: FloatArray,
    last: int,
) -> MatchCurve:
    """Count pairs by identity and rank; ranks beyond the last are counted as one."""
    capped = np.minimum(ranks, last + 1) - 1
    table = np.bincount(codes * (last + 1) + capped, minlength=owners * (last + 1))
    counts = table.reshape(owners, last + 1).astype(np.float64)
    within = counts.cumsum(axis=1)[:, :last]
    wholes = counts.sum(axis=1)
    bounds = rising(ratio_bounds(within, wholes, weights))
    percent = 100 * within.sum(axis=0) / len(ranks)
    return MatchCurve(
        len(ranks),
        int(np.count_nonzero(wholes)),
        tuple(percent.tolist()),
        tuple(each.percent() for each in bounds),
    )
