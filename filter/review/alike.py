"""Find characters that look like one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.catalogue.calibrations import Curve
from icf.filter.review.cleaning import linking_cosine
from icf.filter.review.groups import Rows, Vectors
from icf.search.neighbours import Neighbours

#: How alike the faces of two characters are, at least, against those of each. Of random
#: halves of 40 characters 99% came to .97 and all to .92; of the pairs of two of them
#: 99% came to .74 at most, and none over .85.
AS_ALIKE = 0.9


@dataclass(frozen=True, eq=False)
class Portraits:
    """What k characters look like, by the faces of their main groups.

    Attributes:
        ids: shape (k,), the characters, ascending.
        means: the mean of each one's unit vectors, shape (k, d); shorter the less alike
            they are.
        counts: shape (k,), how many they are.
    """

    ids: Rows
    means: Vectors
    counts: Rows

    def own(self) -> NDArray[np.float64]:
        """The mean cosine of two faces of each; of one face, what is usual."""
        squares = (self.means.astype(np.float64) ** 2).sum(axis=1)
        several = self.counts > 1
        made = (self.counts * squares - 1) / np.maximum(self.counts - 1, 1)
        usual = float(np.median(made[several])) if several.any() else 1.0
        return np.where(several, made, usual)


@dataclass(frozen=True)
class Alike:
    """Two characters whose faces look like one.

    Attributes:
        one, other: their ids, the smaller first.
        score: how strongly it is suspected, from 0 to 1.
    """

    one: int
    other: int
    score: float


def find_alike(portraits: Portraits, curve: Curve) -> list[Alike]:
    """Find characters that are as alike as the faces of one.

    The mean cosine of two faces, one of each, must link them, and be nearly that of two
    faces of the character that is the less like itself.
    """
    least = linking_cosine(curve)
    if len(portraits.ids) < 2 or least > 1:
        return []
    place = {each: row for row, each in enumerate(portraits.ids.tolist())}
    own = portraits.own()
    index = Neighbours(portraits.ids, _directions(portraits, place))
    found = []
    for ones, others, _ in index.pairs(least):
        for one, other in zip(ones.tolist(), others.tolist(), strict=True):
            rows = place[one], place[other]
            across = float(portraits.means[rows[0]] @ portraits.means[rows[1]])
            within = min(own[rows[0]], own[rows[1]])
            if across >= max(least, AS_ALIKE * within):
                score = float(curve.probability(across)) * min(1.0, across / within)
                found.append(Alike(one, other, score))
    return sorted(found, key=lambda pair: (-pair.score, pair.one, pair.other))


def _directions(
    portraits: Portraits, place: dict[int, int]
) -> Callable[[Rows], Vectors]:
    def read(ids: Rows) -> Vectors:
        means = portraits.means[[place[each] for each in ids.tolist()]]
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        return np.asarray(means / np.maximum(lengths, 1e-12), np.float32)

    return read
