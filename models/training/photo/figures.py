"""Measure the judge of photographs on held-out collections."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Fewer than this share of the held-out drawings may be dropped.
MAX_LOST = 0.005


@dataclass(frozen=True)
class Scored:
    """Held-out examples and their probabilities.

    Attributes:
        collections: the collection of each, n names.
        photographs: whether each is a photograph, shape (n,).
        probabilities: of being one, shape (n,).
    """

    collections: Sequence[str]
    photographs: NDArray[np.bool_]
    probabilities: NDArray[np.float64]

    def threshold(self) -> float:
        """The lowest threshold, in thousandths, that drops few enough drawings.

        >>> drawings = np.linspace(0, 0.999, 1000)
        >>> Scored(["a"] * 1000, np.zeros(1000, bool), drawings).threshold()
        0.995
        """
        drawings = np.sort(self.probabilities[~self.photographs])
        lost = math.ceil(MAX_LOST * len(drawings)) - 1
        highest = drawings[len(drawings) - 1 - lost]
        return math.ceil(round(float(highest) * 1000, 6)) / 1000

    def shifted(self, logits: float) -> Scored:
        """The same examples, with so much added to the logits of all.

        >>> Scored(["a"], np.zeros(1, bool), np.array([0.5])).shifted(np.log(3))
        Scored(collections=['a'], photographs=array([False]), \
probabilities=array([0.75]))
        """
        odds = self.probabilities * math.exp(logits)
        moved = odds / (1 - self.probabilities + odds)
        return dataclasses.replace(self, probabilities=moved)

    def by_collection(self, threshold: float) -> Mapping[str, Mapping[str, float]]:
        """For each collection, its examples and the share that a threshold drops.

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
        """Area under the ROC curve: how often a photograph is scored likelier.

        Source: Hanley & McNeil 1982, by ranks; ties share theirs.
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
