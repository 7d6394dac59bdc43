"""Find pairs of characters that may be the same character."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.catalogue.calibrations import Curve
from icf.filter.review.cleaning import linking_cosine
from icf.filter.review.groups import Rows, Vectors
from icf.search.neighbours import Neighbours

#: Minimum similarity of two characters, relative to that of the faces of each. For
#: random halves of 40 characters it is at least .97 in 99% of cases and always at least
#: .92; for pairs of different characters it is at most .74 in 99% of cases and never
#: over .85.
MIN_RELATIVE_SIMILARITY = 0.9


@dataclass(frozen=True, eq=False)
class CharacterMeans:
    """The mean embeddings of k characters, over the faces of their main groups.

    Attributes:
        ids: shape (k,), ids of the characters, ascending.
        means: mean of each character's unit vectors, shape (k, d); the more the vectors
            vary, the shorter it is.
        counts: shape (k,), number of faces.
    """

    ids: Rows
    means: Vectors
    counts: Rows

    def within(self) -> NDArray[np.float64]:
        """Mean cosine of two faces of each character, shape (k,).

        For a character with one face, the median of the others.
        """
        squares = (self.means.astype(np.float64) ** 2).sum(axis=1)
        several = self.counts > 1
        cosines = (self.counts * squares - 1) / np.maximum(self.counts - 1, 1)
        default = float(np.median(cosines[several])) if several.any() else 1.0
        return np.where(several, cosines, default)


@dataclass(frozen=True)
class SimilarCharacters:
    """Two characters that may be the same one.

    Attributes:
        one: the smaller id.
        other: the greater id.
        score: strength of the suspicion, from 0 to 1.
    """

    one: int
    other: int
    score: float


def find_similar(characters: CharacterMeans, curve: Curve) -> list[SimilarCharacters]:
    """Find pairs of characters that are about as similar as the faces of one character.

    The mean cosine between the faces of both must reach the linking cosine, and
    `MIN_RELATIVE_SIMILARITY` of that within the less consistent character.
    """
    threshold = linking_cosine(curve)
    if len(characters.ids) < 2 or threshold > 1:
        return []
    place = {each: row for row, each in enumerate(characters.ids.tolist())}
    own = characters.within()
    index = Neighbours(characters.ids, _directions(characters, place))
    found = []
    for ones, others, _ in index.pairs(threshold):
        for one, other in zip(ones.tolist(), others.tolist(), strict=True):
            rows = place[one], place[other]
            across = float(characters.means[rows[0]] @ characters.means[rows[1]])
            within = min(own[rows[0]], own[rows[1]])
            if across >= max(threshold, MIN_RELATIVE_SIMILARITY * within):
                score = float(curve.probability(across)) * min(1.0, across / within)
                found.append(SimilarCharacters(one, other, score))
    return sorted(found, key=lambda pair: (-pair.score, pair.one, pair.other))


def _directions(
    characters: CharacterMeans, place: dict[int, int]
) -> Callable[[Rows], Vectors]:
    def read(ids: Rows) -> Vectors:
        means = characters.means[[place[each] for each in ids.tolist()]]
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        return np.asarray(means / np.maximum(lengths, 1e-12), np.float32)

    return read
