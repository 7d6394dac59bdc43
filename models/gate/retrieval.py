"""How well embeddings find a face's character among others: each face left out once.

Every face is compared with all the others. Copies of it (the same drawing in another
picture) would be found by any model: they are not asked for. Nor is a face counted that
may show the character without anybody having said so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Rows of the matrix of cosines that are held at a time.
_BLOCK = 256
#: Steps of a cosine from -1 to 1; pairs within one count as equally similar.
_STEPS = 1 << 16
#: What a face of the same character loses to one of another that is as near: a model
#: that gives one vector for everything must not profit from the order of the faces.
_TIE = 1e-7


@dataclass(frozen=True, eq=False)
class Labels:
    """Whose the faces are; n of them.

    Attributes:
        identity: shape (n,); -1: not one of the identities, as far as people said.
        group: shape (n,): faces of one group may be copies of each other.
        not_of: shape (k, 2): a face, and an identity that people said it is not. Faces
            of no identity are compared with those of such identities alone.
    """

    identity: Ints
    group: Ints
    not_of: Ints

    @property
    def probes(self) -> Ints:
        """The faces of which another picture shows the same character: shape (p,)."""
        known = self.identity >= 0
        pairs = np.unique(
            np.stack([self.identity[known], self.group[known]], axis=1), axis=0
        )
        named, groups = np.unique(pairs[:, 0], return_counts=True)
        return np.flatnonzero(np.isin(self.identity, named[groups > 1]))


@dataclass(frozen=True, eq=False)
class Retrieval:
    """How each probe was found; p of them, in the order of `Labels.probes`.

    Attributes:
        rank1: shape (p,): 1 where the nearest other face is of the same character.
        reciprocal: shape (p,): one over the rank of the first such face.
        precision: shape (p,): the average precision over all such faces.
        auc: the probability that two faces of one character are more similar than two
            of two characters.
    """

    rank1: Floats
    reciprocal: Floats
    precision: Floats
    auc: float

    def figures(self) -> dict[str, float]:
        """The means, rounded, and the area."""
        return {
            "rank1": round(float(self.rank1.mean()), 4),
            "mrr": round(float(self.reciprocal.mean()), 4),
            "map": round(float(self.precision.mean()), 4),
            "auc": round(self.auc, 4),
        }


def retrieve(vectors: Vectors, labels: Labels) -> Retrieval:
    """Look up every probe among all the other faces.

    Args:
        vectors: shape (n, d), of unit length.
        labels: whose they are.
    """
    same, other = np.zeros(_STEPS + 1), np.zeros(_STEPS + 1)
    rows = []
    probes = labels.probes
    for start in range(0, len(probes), _BLOCK):
        some = probes[start : start + _BLOCK]
        cosines = (vectors[some] @ vectors.T).astype(np.float64)
        wanted, counted = _compared(some, labels)
        rows.append(_found(cosines, wanted, counted))
        place = np.clip((cosines + 1) / 2 * _STEPS, 0, _STEPS).astype(np.int64)
        same += np.bincount(place[wanted], minlength=_STEPS + 1)
        other += np.bincount(place[counted & ~wanted], minlength=_STEPS + 1)
    rank1, reciprocal, precision = np.concatenate(rows or [np.zeros((0, 3))]).T
    return Retrieval(rank1, reciprocal, precision, _area(same, other))


def _compared(
    some: Ints, labels: Labels
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which faces each probe should find, and which it is compared with at all."""
    own = labels.identity[some][:, None]
    alike = own == labels.identity[None]
    copies = labels.group[some][:, None] == labels.group[None]
    counted = np.broadcast_to(labels.identity >= 0, alike.shape).copy()
    counted &= ~(alike & copies)
    if len(labels.not_of):
        face, identity = labels.not_of.T
        strange = labels.identity[face] < 0
        row, pair = np.nonzero(own == identity[strange][None])
        counted[row, face[strange][pair]] = True
    return alike & counted, counted


def _found(
    cosines: Floats, wanted: NDArray[np.bool_], counted: NDArray[np.bool_]
) -> Floats:
    """Rank one, reciprocal rank and average precision of each row: shape (rows, 3)."""
    scores = np.where(counted, cosines - _TIE * wanted, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")
    hits = np.take_along_axis(wanted, order, axis=1)
    ranks = np.arange(1, hits.shape[1] + 1)
    first = hits.argmax(axis=1) + 1
    precision = np.cumsum(hits, axis=1) / ranks
    average = (precision * hits).sum(axis=1) / hits.sum(axis=1)
    return np.stack([first == 1, 1 / first, average], axis=1).astype(np.float64)


def _area(same: Floats, other: Floats) -> float:
    """Area under the ROC curve of two histograms (Mann and Whitney 1947)."""
    if not same.sum() or not other.sum():
        return float("nan")
    less = np.cumsum(other) - other
    won = float((same * (less + other / 2)).sum())
    return won / float(same.sum() * other.sum())
