"""Group the faces of a character by who is linked with whom.

Single linkage: two faces are linked whose cosine is at least a given one. What is known
beforehand holds: anchors are one group, faces of one track are together, two of one
frame never, and a face that people refused is never with the anchors. Where a link
would break that, the stronger links before it stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Vectors = NDArray[np.float32]
Pairs = Sequence[tuple[int, int]]

#: Faces of a character that are grouped at once; of more, all are looked at, but the
#: main group is drawn from so many, chosen at random.
MOST = 4000

_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Members:
    """The faces that are filed under one character, in the order of their ids.

    Attributes:
        vectors: unit vectors, shape (n, d).
        anchors: shape (n,), the reference and the confirmed faces.
        refused: shape (n,), of which people said that they are not the character.
        same: rows that are one identity.
        differ: rows that are two.
    """

    vectors: Vectors
    anchors: Mask
    refused: Mask
    same: Pairs = ()
    differ: Pairs = ()


def group(members: Members, cosine: float, most: int = MOST, seed: int = 1) -> Rows:
    """Number the groups of a character's faces.

    Of more than ``most`` faces, so many are grouped, all anchors that find room among
    them. Each other joins the main group if it is linked with it; those that are left,
    the ``most`` that are farthest away, are grouped among themselves.

    Returns:
        Shape (n,); anchors have the number 0.
    """
    count = len(members.vectors)
    if count <= most:
        return _linked(members, np.arange(count), cosine)
    order = np.random.default_rng(seed).permutation(count)
    order = order[np.argsort(~members.anchors[order], kind="stable")]
    first = np.sort(order[:most])
    labels = np.zeros(count, np.int64)
    labels[first] = _linked(members, first, cosine)
    best = nearest(members.vectors, members.vectors[first[labels[first] == 0]])
    apart = members.refused | ((best < cosine) & ~members.anchors)
    apart[first] = labels[first] != 0
    _heed_links(apart, members)
    left = np.flatnonzero(apart)
    left = np.sort(left[np.argsort(best[left], kind="stable")[:most]])
    labels[:] = 0
    labels[left] = 1 + _linked(members, left, cosine)
    return labels


def nearest(vectors: Vectors, others: Vectors) -> NDArray[np.float32]:
    """The greatest cosine of each vector to any of ``others``, of which one at least.

    Args:
        vectors: shape (n, d).
        others: shape (m, d).
    """
    best = [
        (vectors[start : start + _BLOCK] @ others.T).max(axis=1)
        for start in range(0, len(vectors), _BLOCK)
    ]
    return np.concatenate([np.zeros(0, np.float32), *best])


def _heed_links(apart: Mask, members: Members) -> None:
    """Set apart what is in a frame with the main group; a track is never parted."""
    for one, other in members.differ:
        if not (apart[one] or apart[other]):
            apart[one if members.anchors[other] else other] = True
    sets = _Sets(len(apart))
    for one, other in members.same:
        sets.join(one, other)
    roots = np.array([sets.root(row) for row in range(len(apart))])
    apart &= ~np.isin(roots, roots[~apart & ~members.refused])
    apart |= members.refused


class _Sets:
    """Disjoint sets of rows, some of which must not come together."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))
        self._foes: dict[int, set[int]] = {}

    def root(self, row: int) -> int:
        while self._parent[row] != row:
            self._parent[row] = self._parent[self._parent[row]]
            row = self._parent[row]
        return row

    def join(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        if one == other:
            return
        low, high = min(one, other), max(one, other)
        self._parent[high] = low
        foes = self._foes.pop(high, set())
        if foes:
            self._foes.setdefault(low, set()).update(foes)

    def part(self, one: int, other: int) -> None:
        self._foes.setdefault(self.root(one), set()).add(other)
        self._foes.setdefault(self.root(other), set()).add(one)

    def may_join(self, one: int, other: int) -> bool:
        one, other = self.root(one), self.root(other)
        return all(self.root(foe) != other for foe in self._foes.get(one, ())) and all(
            self.root(foe) != one for foe in self._foes.get(other, ())
        )


def _linked(members: Members, rows: Rows, cosine: float) -> Rows:
    """Group some rows; the anchors among them have the number 0."""
    place = {row: at for at, row in enumerate(rows.tolist())}
    sets = _Sets(len(rows))
    for one, other in members.same:
        if one in place and other in place:
            sets.join(place[one], place[other])
    anchors = np.flatnonzero(members.anchors[rows]).tolist()
    for each in anchors[1:]:
        sets.join(anchors[0], each)
    for one, other in members.differ:
        if one in place and other in place:
            sets.part(place[one], place[other])
    for each in np.flatnonzero(members.refused[rows]).tolist():
        if anchors:
            sets.part(anchors[0], each)
    for one, other in _strongest_links(members.vectors[rows], cosine):
        if sets.may_join(one, other):
            sets.join(one, other)
    roots = np.array([sets.root(at) for at in range(len(rows))], np.int64)
    first = sets.root(anchors[0]) if anchors else -1
    # The main group is numbered first, whatever its smallest row is.
    roots = np.where(roots == first, -1, roots)
    numbers = np.unique(roots, return_inverse=True)[1]
    return np.asarray(numbers, np.int64)


def _strongest_links(vectors: Vectors, cosine: float) -> list[tuple[int, int]]:
    """The links of a greatest spanning tree (Prim's), the strongest first.

    The tree links exactly the groups that all links above ``cosine`` do, and takes no
    memory for them.
    """
    count = len(vectors)
    if count < 2:
        return []
    best = vectors @ vectors[0]
    best[0] = -np.inf
    outside = np.ones(count, np.bool_)
    outside[0] = False
    via = np.zeros(count, np.int64)
    links: list[tuple[float, int, int]] = []
    for _ in range(count - 1):
        row = int(np.argmax(best))
        if best[row] >= cosine:
            links.append((-float(best[row]), int(via[row]), row))
        outside[row] = False
        cosines = vectors @ vectors[row]
        nearer = outside & (cosines > best)
        best[nearer] = cosines[nearer]
        via[nearer] = row
        best[row] = -np.inf
    return [(one, other) for _, one, other in sorted(links)]
