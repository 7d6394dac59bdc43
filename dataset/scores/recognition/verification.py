"""Verification: are two pictures of one character?

A pair is accepted if its cosine is above a threshold. The false accept rate (FAR) is
the share of impostor pairs that are accepted, the true accept rate (TAR) that of
genuine pairs; the threshold of a FAR is the lowest at which no more than that share is
accepted. A tie is not accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from icf.dataset.scores.recognition import verification_bounds
from icf.dataset.scores.recognition.bootstrap import Bounds
from icf.dataset.scores.recognition.group_shares import AtRate, group_shares
from icf.dataset.scores.recognition.groups import Grouping
from icf.dataset.scores.recognition.pair_blocks import Pairs
from icf.dataset.scores.recognition.survey import FINE, Survey, survey
from icf.dataset.scores.recognition.thresholds import (
    Bracket,
    around,
    bracket_bins,
    collect,
    nth_largest,
)
from icf.dataset.scores.recognition.unit_vectors import TIE, FloatArray
from icf.errors import BadInput

#: The rates that are reported.
FARS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
#: A rate needs so many errors expected: with 30, it is with 90% confidence within 30%
#: of the truth (the "rule of 30": Doddington et al., The NIST speaker recognition
#: evaluation, Speech Communication 31, 2000, section 4), if errors were independent.
ERRORS = 30
#: Points of the curve a decade.
_A_DECADE = 8
#: Cosines that are collected around one threshold, at most.
_MOST = 20_000_000


@dataclass(frozen=True)
class ErrorPoint:
    """A point of the detection error trade-off curve (Martin et al. 1997).

    Attributes:
        far: Share of impostor pairs accepted.
        frr: Share of genuine pairs rejected.
        bounds: The interval of `frr`.
    """

    far: float
    frr: float
    bounds: Bounds


@dataclass(frozen=True)
class Verification:
    """How well pairs are told apart.

    Attributes:
        genuine: Genuine pairs.
        impostors: Impostor pairs.
        identities: Identities of genuine pairs.
        eer: Equal error rate: the mean of FAR and the share of genuine pairs rejected,
            at the lowest cosine at which the former is not above the latter.
        eer_bounds: Its interval.
        eer_threshold: That cosine.
        operating: One for each of `FARS`.
        curve: The error trade-off, by falling rate.
        groups: The same of the pairs within each group, with thresholds of its own,
            where the group has the impostor pairs that the highest rate needs.
    """

    genuine: int
    impostors: int
    identities: int
    eer: float
    eer_bounds: Bounds
    eer_threshold: float
    operating: tuple[AtRate, ...]
    curve: tuple[ErrorPoint, ...]
    groups: Mapping[str, Mapping[str, Verification]] = field(default_factory=dict)


def verify(
    pairs: Pairs, groups: Mapping[str, Grouping] | None = None, seed: int = 0
) -> Verification:
    """Score the pairs of a test.

    Args:
        pairs: Genuine and impostor pairs.
        groups: Of the pictures.
        seed: Of the drawings of identities.

    Raises:
        BadInput: There is no genuine or no impostor pair, or the features of all
            pictures are nearly the same.
    """
    if not len(pairs.genuine):
        raise BadInput("no genuine pair: expected at least two pictures with one label")
    found = survey(pairs)
    if not found.pairs:
        raise BadInput("no impostor pair: expected pictures of different identities")
    genuine = np.sort(pairs.genuine_cosines)
    fars = [far for far in FARS if needed_for(far) <= found.pairs]
    rates = _curve_rates(found.pairs)
    places = [allowed(far, found.pairs) for far in (*fars, *rates)]
    bounds = [_crossing(found, genuine), *(bracket_bins(found, at) for at in places)]
    _check_spread(found, bounds)
    crossing, *brackets = collect(pairs, bounds)
    eer, eer_threshold = _equal_error(crossing, genuine, found.pairs)
    thresholds = [nth_largest(b, at) for b, at in zip(brackets, places, strict=True)]
    tars = [share_above(genuine, each) for each in thresholds]
    curve = tars[len(fars) :]
    drawn = verification_bounds.bounds_of(
        pairs,
        found,
        eer,
        dict(zip(fars, tars, strict=False)),
        dict(zip(rates, curve, strict=True)),
        seed,
    )
    of_pairs = {kind: _of_pairs(pairs, by) for kind, by in (groups or {}).items()}
    operating = [
        _operating(pairs, *each, of_pairs, seed)
        for each in zip(fars, thresholds, brackets, drawn.tars, strict=False)
    ]
    refused = [AtRate(far, needed_for(far)) for far in FARS[len(fars) :]]
    return Verification(
        len(genuine),
        found.pairs,
        len(np.unique(pairs.genuine_owner)),
        eer,
        drawn.eer,
        eer_threshold,
        (*operating, *refused),
        tuple(
            ErrorPoint(rate, 1 - tar, each)
            for rate, tar, each in zip(rates, curve, drawn.frrs, strict=True)
        ),
        _by_themselves(pairs, groups or {}, seed),
    )


def needed_for(far: float) -> int:
    """How many impostor pairs a rate needs.

    Example:
        >>> needed_for(1e-6)
        30000000
    """
    return round(ERRORS / far)


def allowed(far: float, pairs: int) -> int:
    """How many impostor pairs may be accepted at a rate."""
    return int(far * pairs + 1e-9)


def share_above(ascending: FloatArray, threshold: float) -> float:
    """The share of cosines above a threshold; a tie is not above."""
    below = np.searchsorted(ascending, threshold + TIE, side="right")
    return 1 - float(below) / len(ascending)


def _operating(
    pairs: Pairs,
    far: float,
    threshold: float,
    bracket: Bracket,
    bounds: Bounds,
    groups: Mapping[str, Grouping],
    seed: int,
) -> AtRate:
    right = pairs.genuine_cosines > threshold + TIE
    return AtRate(
        far,
        needed_for(far),
        float(right.mean()),
        bounds,
        threshold,
        int(right.sum()),
        bracket.accepted(threshold),
        {
            kind: group_shares(right, pairs.genuine_owner, each, seed)
            for kind, each in groups.items()
        },
    )


def _of_pairs(pairs: Pairs, by: Grouping) -> Grouping:
    """Group genuine pairs: both pictures of one have to be in the group."""
    codes = by.codes[pairs.genuine]
    same = codes[:, 0] == codes[:, 1]
    return Grouping(by.names, np.where(same, codes[:, 0], -1))


def _by_themselves(
    pairs: Pairs, groups: Mapping[str, Grouping], seed: int
) -> dict[str, dict[str, Verification]]:
    """Verify the pairs of each group that supports the highest rate."""
    made: dict[str, dict[str, Verification]] = {}
    for kind, by in groups.items():
        for code, name in enumerate(by.names):
            inside = pairs.within(by.codes == code)
            if len(inside.genuine) and inside.impostor_count >= needed_for(FARS[0]):
                made.setdefault(kind, {})[name] = verify(inside, seed=seed)
    return made


def _crossing(found: Survey, genuine: FloatArray) -> tuple[float, float]:
    """Between which cosines as many impostors are accepted as genuine rejected."""
    counts = np.bincount(found.bins_of(genuine), minlength=FINE)
    rejected = np.append(0, counts.cumsum()) / len(genuine)
    return around(found, int(np.argmax(found.above / found.pairs <= rejected)) - 1)


def _equal_error(
    near: Bracket, genuine: FloatArray, impostors: int
) -> tuple[float, float]:
    """The equal error rate and its threshold."""
    inside = genuine[(genuine >= near.low) & (genuine < near.high)]
    cosines = np.unique(np.concatenate([near.cosines, inside]))
    lower = np.searchsorted(near.cosines, cosines + TIE, side="right")
    far = (near.above + len(near.cosines) - lower) / impostors
    frr = np.searchsorted(genuine, cosines + TIE, side="right") / len(genuine)
    at = int(np.argmax(far <= frr))
    return float(far[at] + frr[at]) / 2, float(cosines[at])


def _check_spread(found: Survey, bounds: Sequence[tuple[float, float]]) -> None:
    edges = np.array([found.edge(each) for each in range(FINE)])
    for low, high in bounds:
        near = int(found.fine[(edges >= low) & (edges < high)].sum())
        if near > _MOST:
            raise BadInput(
                f"{near:,} of {found.pairs:,} impostor pairs have nearly the same "
                f"cosine, {edges[(edges >= low)][0]:.4f}: features that hardly differ "
                "tell no characters apart"
            )


def _curve_rates(impostors: int) -> list[float]:
    """The rates of the curve, from one half down to what the pairs support."""
    least = min(ERRORS / impostors, 0.5)
    count = max(2, round(_A_DECADE * np.log10(0.5 / least)) + 1)
    return list(dict.fromkeys(np.geomspace(0.5, least, count).tolist()))
