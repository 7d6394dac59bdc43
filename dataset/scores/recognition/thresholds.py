"""Exact thresholds among cosines that are never held together.

A survey says between which bins the wanted cosine is; the few cosines there are
collected in float64, and those above are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from icf.dataset.scores.recognition.pair_blocks import Pairs
from icf.dataset.scores.recognition.survey import FINE, Survey
from icf.dataset.scores.recognition.unit_vectors import TIE, FloatArray

#: Bins on either side by which float32 may be off, and more.
_MARGIN = 2


@dataclass(frozen=True, eq=False)
class Bracket:
    """The impostor pairs near a threshold.

    Attributes:
        low, high: From which cosine to which.
        cosines: Those within, ascending.
        above: How many are higher.
    """

    low: float
    high: float
    cosines: FloatArray
    above: int

    def accepted(self, threshold: float) -> int:
        """How many impostor pairs are above a threshold within."""
        place = np.searchsorted(self.cosines, threshold + TIE, side="right")
        return self.above + len(self.cosines) - int(place)


def bracket_bins(found: Survey, place: int) -> tuple[float, float]:
    """Between which cosines the impostor pair is that has so many above it."""
    # The last bin with more than `place` pairs in it and above.
    at = int(np.searchsorted(-found.above, -place, side="left")) - 1
    return around(found, at)


def around(found: Survey, fine_bin: int) -> tuple[float, float]:
    """A fine bin and its neighbours, as cosines; the outermost have no end."""
    low, high = fine_bin - _MARGIN, fine_bin + 1 + _MARGIN
    return (
        -np.inf if low <= 0 else found.edge(low),
        np.inf if high >= FINE else found.edge(high),
    )


def collect(pairs: Pairs, bounds: Sequence[tuple[float, float]]) -> list[Bracket]:
    """Collect the impostor pairs within each of some bounds, in float64."""
    inside: list[list[FloatArray]] = [[] for _ in bounds]
    above = [0] * len(bounds)
    lowest = min(low for low, _ in bounds)
    for block in pairs.impostors(np.float64):
        cosines = np.sort(block.cosines[block.counted & (block.cosines >= lowest)])
        places = np.searchsorted(cosines, np.array(bounds)).tolist()
        for number, (first, last) in enumerate(places):
            within = cosines[first:last].astype(np.float64)
            inside[number].append(within)
            above[number] += len(cosines) - last
    return [
        Bracket(low, high, np.sort(np.concatenate(each)), more)
        for (low, high), each, more in zip(bounds, inside, above, strict=True)
    ]


def nth_largest(bracket: Bracket, place: int) -> float:
    """The impostor cosine that has so many above it."""
    return float(bracket.cosines[len(bracket.cosines) - 1 - (place - bracket.above)])
