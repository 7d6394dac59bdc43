"""How well photographs are told from drawings of sources that were not trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Of the drawings that were held out, fewer than this share may be thrown away.
MOST_LOST = 0.005


@dataclass(frozen=True)
class Judged:
    """Examples that were held out, and what the judge says.

    Attributes:
        collections: where each is from, n names.
        photographs: whether each is a photograph, shape (n,).
        probabilities: of being one, shape (n,).
    """

    collections: Sequence[str]
    photographs: NDArray[np.bool_]
    probabilities: NDArray[np.float64]

    def threshold(self) -> float:
        """The least probability, in thousandths, over which few enough drawings lie.

        >>> drawings = np.linspace(0, 0.999, 1000)
        >>> Judged(["a"] * 1000, np.zeros(1000, bool), drawings).threshold()
        0.995
        """
        drawings = np.sort(self.probabilities[~self.photographs])
        lost = math.ceil(MOST_LOST * len(drawings)) - 1
        highest = drawings[len(drawings) - 1 - lost]
        return math.ceil(round(float(highest) * 1000, 6)) / 1000

    def by_collection(self, threshold: float) -> Mapping[str, Mapping[str, float]]:
        """For each source, its examples and the share that a threshold drops.

        Of drawings that share is ``lost``, of photographs it is ``caught``.
        """
        names = np.array(self.collections)
        figures: dict[str, Mapping[str, float]] = {}
        for name in dict.fromkeys(self.collections):
            here = names == name
            word = "caught" if self.photographs[here].all() else "lost"
            figures[name] = self._share(here, word, threshold)
        figures["all photographs"] = self._share(self.photographs, "caught", threshold)
        figures["all drawings"] = self._share(~self.photographs, "lost", threshold)
        return figures

    def area(self) -> float:
        """Area under the ROC curve: how often a photograph is judged likelier.

        Source: Hanley & McNeil 1982, by ranks; equal probabilities share theirs.
        """
        _, places, numbers = np.unique(
            self.probabilities, return_inverse=True, return_counts=True
        )
        ranks = (np.cumsum(numbers) - (numbers - 1) / 2)[places]
        photographs = int(self.photographs.sum())
        drawings = len(self.photographs) - photographs
        above = ranks[self.photographs].sum() - photographs * (photographs + 1) / 2
        return float(above / (photographs * drawings))

    def _share(
        self, here: NDArray[np.bool_], word: str, threshold: float
    ) -> Mapping[str, float]:
        over = self.probabilities[here] > threshold
        return {"examples": int(here.sum()), word: round(float(over.mean()), 4)}
