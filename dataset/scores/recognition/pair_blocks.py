"""Pairs of pictures to verify, genuine and impostor, and their cosines in blocks.

All pairs of a test of 22,500 pictures are 253 million: their cosines are never held
together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from icf.dataset.scores.recognition.unit_vectors import FloatArray
from icf.icartoonface.recognition import (
    DISTRACTOR,
    IntArray,
    RecognitionTest,
    pairs_to_score,
)

#: Rows of a block of all pairs, and pairs of a block of listed ones.
_ROWS, _PAIRS = 256, 1 << 16


@dataclass(frozen=True, eq=False)
class Block:
    """Cosines of some impostor pairs.

    Attributes:
        cosines: Of any shape.
        left, right: The owner of each picture of the pairs; they broadcast to the shape
            of `cosines`.
        counted: Which of them are pairs of the test; broadcasts too.
    """

    cosines: npt.NDArray[np.floating[Any]]
    left: IntArray
    right: IntArray
    counted: npt.NDArray[np.bool_]


class Pairs(Protocol):
    """The pairs of a test.

    Attributes:
        owners: How many identities there are; every distractor is one of its own.
        genuine: Shape (g, 2): pictures of genuine pairs.
        genuine_owner: Shape (g,): the identity of each, from 0.
        genuine_cosines: Shape (g,), float64.
    """

    owners: int
    genuine: IntArray
    genuine_owner: IntArray
    genuine_cosines: FloatArray

    def impostors(self, kind: type[np.floating[Any]]) -> Iterator[Block]:
        """Yield the impostor pairs, with cosines computed in a type of float."""
        ...


class AllPairs:
    """Every pair of pictures of a test, but for those of two distractors.

    Nobody says that two distractors are two characters. Genuine pairs are those that
    the info file lists, or all of them, each in one order.
    """

    def __init__(self, info: RecognitionTest, units: FloatArray) -> None:
        """Take unit vectors, shape (n, d), a row per picture."""
        owner, self.owners = owners_of(info.labels)
        self.genuine = np.unique(np.sort(pairs_to_score(info), axis=1), axis=0)
        self.genuine_owner = owner[self.genuine[:, 0]]
        self.genuine_cosines = pair_cosines(units, self.genuine)
        # Pictures of an identity one after the other, distractors last.
        order = np.argsort(owner, kind="stable")
        self._owner, self._units = owner[order], units[order]
        self._labelled = int(np.count_nonzero(info.labels != DISTRACTOR))

    def impostors(self, kind: type[np.floating[Any]]) -> Iterator[Block]:
        """Yield some rows at a time, each with the pictures that follow it."""
        units = self._units.astype(kind, copy=False)
        for start in range(0, self._labelled, _ROWS):
            end = min(start + _ROWS, self._labelled)
            left, right = self._owner[start:end, None], self._owner[None, start:]
            # Owners ascend: this is both "another identity" and "each pair once".
            yield Block(units[start:end] @ units[start:].T, left, right, left < right)


class ListedPairs:
    """Pairs that a file lists."""

    def __init__(
        self, info: RecognitionTest, units: FloatArray, pairs: IntArray
    ) -> None:
        """Take pairs of rows, shape (m, 2); labels tell which are genuine."""
        owner, self.owners = owners_of(info.labels)
        same = owner[pairs[:, 0]] == owner[pairs[:, 1]]
        self.genuine, self._others = pairs[same], pairs[~same]
        self.genuine_owner = owner[self.genuine[:, 0]]
        self.genuine_cosines = pair_cosines(units, self.genuine)
        self._owner, self._units = owner, units

    def impostors(self, kind: type[np.floating[Any]]) -> Iterator[Block]:
        """Yield some pairs at a time."""
        for start in range(0, len(self._others), _PAIRS):
            pairs = self._others[start : start + _PAIRS]
            cosines = pair_cosines(self._units, pairs).astype(kind, copy=False)
            left, right = self._owner[pairs.T]
            yield Block(cosines, left, right, np.ones(len(pairs), np.bool_))


def owners_of(labels: IntArray) -> tuple[IntArray, int]:
    """Number the identities, then the distractors, each of which is one of its own.

    Returns:
        Shape (n,), from 0; and how many there are.
    """
    owner = np.empty(len(labels), np.int64)
    labelled = labels != DISTRACTOR
    known, owner[labelled] = np.unique(labels[labelled], return_inverse=True)
    others = np.count_nonzero(~labelled)
    owner[~labelled] = len(known) + np.arange(others)
    return owner, len(known) + int(others)


def pair_cosines(units: FloatArray, pairs: IntArray) -> FloatArray:
    """Return the cosine of each pair of rows."""
    cosines = np.empty(len(pairs))
    for start in range(0, len(pairs), _PAIRS // 16):
        part = slice(start, start + _PAIRS // 16)
        left, right = units[pairs[part, 0]], units[pairs[part, 1]]
        cosines[part] = np.einsum("ij,ij->i", left, right)
    return cosines
