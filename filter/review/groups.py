"""Cluster the faces of a character by constrained single linkage.

Two faces are linked if their cosine reaches a threshold. Known constraints hold:
anchors are one group, and so are the faces of one track; two faces of one frame are
never in one group, nor is a refused face in the group of the anchors. Links are applied
from the strongest to the weakest, and a link that breaks a constraint is skipped.
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

#: Maximum number of faces that are clustered at once. Of a larger character, a random
#: sample of this size defines the main group.
MAX_GROUPED = 4000

_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Members:
    """The faces assigned to one character, in the order of their ids.

    Attributes:
        vectors: unit vectors, shape (n, d).
        anchors: shape (n,), the reference and the confirmed faces.
        refused: shape (n,), faces that people said are not the character.
        must_link: pairs of rows that are one identity.
        cannot_link: pairs of rows that are two identities.
    """

    vectors: Vectors
    anchors: Mask
    refused: Mask
    must_link: Pairs = ()
    cannot_link: Pairs = ()


def group(members: Members, cosine: float, limit: int = MAX_GROUPED) -> Rows:
    """Label the groups of a character's faces.

    Of more than ``limit`` faces, a random sample of ``limit`` is clustered, with as
    many anchors as fit. Each other face joins the main group if it is linked with it.
    Of the remaining faces, the ``limit`` farthest from the main group are clustered
    among themselves.

    Args:
        members: the faces.
        cosine: minimum cosine of linked faces.
        limit: maximum number of faces to cluster at once.

    Returns:
        Shape (n,); anchors have the label 0.
    """
    count = len(members.vectors)
    if count <= limit:
        return _cluster(members, np.arange(count), cosine)
    order = np.random.default_rng(1).permutation(count)
    order = order[np.argsort(~members.anchors[order], kind="stable")]
    sample = np.sort(order[:limit])
    labels = np.zeros(count, np.int64)
    labels[sample] = _cluster(members, sample, cosine)
    best = highest_cosine(members.vectors, members.vectors[sample[labels[sample] == 0]])
    outside = members.refused | ((best < cosine) & ~members.anchors)
    outside[sample] = labels[sample] != 0
    _apply_links(outside, members)
    rest = np.flatnonzero(outside)
    rest = np.sort(rest[np.argsort(best[rest], kind="stable")[:limit]])
    labels[:] = 0
    labels[rest] = 1 + _cluster(members, rest, cosine)
    return labels


def highest_cosine(vectors: Vectors, others: Vectors) -> NDArray[np.float32]:
    """The highest cosine of each vector to any of ``others``; m is at least 1.

    Args:
        vectors: shape (n, d).
        others: shape (m, d).
    """
    best = [
        (vectors[start : start + _BLOCK] @ others.T).max(axis=1)
        for start in range(0, len(vectors), _BLOCK)
    ]
    return np.concatenate([np.zeros(0, np.float32), *best])


def _apply_links(outside: Mask, members: Members) -> None:
    """Make the main group respect the links: one face per frame, whole tracks."""
    for one, other in members.cannot_link:
        if not (outside[one] or outside[other]):
            outside[one if members.anchors[other] else other] = True
    sets = _DisjointSets(len(outside))
    for one, other in members.must_link:
        sets.join(one, other)
    roots = np.array([sets.root(row) for row in range(len(outside))])
    outside &= ~np.isin(roots, roots[~outside & ~members.refused])
    outside |= members.refused


class _DisjointSets:
    """Disjoint sets of rows (union-find) with cannot-link constraints."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))
        self._cannot_link: dict[int, set[int]] = {}

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
        excluded = self._cannot_link.pop(high, set())
        if excluded:
            self._cannot_link.setdefault(low, set()).update(excluded)

    def forbid(self, one: int, other: int) -> None:
        self._cannot_link.setdefault(self.root(one), set()).add(other)
        self._cannot_link.setdefault(self.root(other), set()).add(one)

    def can_join(self, one: int, other: int) -> bool:
        # Constraints are symmetric, so those of one side suffice.
        one, other = self.root(one), self.root(other)
        return all(self.root(row) != other for row in self._cannot_link.get(one, ()))


def _cluster(members: Members, rows: Rows, cosine: float) -> Rows:
    """Cluster some rows; the anchors among them get the label 0."""
    place = {row: at for at, row in enumerate(rows.tolist())}
    sets = _DisjointSets(len(rows))
    for one, other in members.must_link:
        if one in place and other in place:
            sets.join(place[one], place[other])
    anchors = np.flatnonzero(members.anchors[rows]).tolist()
    for each in anchors[1:]:
        sets.join(anchors[0], each)
    for one, other in members.cannot_link:
        if one in place and other in place:
            sets.forbid(place[one], place[other])
    for each in np.flatnonzero(members.refused[rows]).tolist():
        if anchors:
            sets.forbid(anchors[0], each)
    for one, other in _strongest_links(members.vectors[rows], cosine):
        if sets.can_join(one, other):
            sets.join(one, other)
    roots = np.array([sets.root(at) for at in range(len(rows))], np.int64)
    first = sets.root(anchors[0]) if anchors else -1
    # The main group gets the label 0, whatever its smallest row is.
    roots = np.where(roots == first, -1, roots)
    labels = np.unique(roots, return_inverse=True)[1]
    return np.asarray(labels, np.int64)


def _strongest_links(vectors: Vectors, cosine: float) -> list[tuple[int, int]]:
    """The links of a maximum spanning tree (Prim 1957), the strongest first.

    They connect the same groups as all links above ``cosine``, in linear memory.
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
