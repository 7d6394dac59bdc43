"""Pairs of pictures to verify, genuine and impostor, and their cosines in blocks.

All pairs of a test of 22,500 pictures are 253 million: their cosines are never held
together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
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

BoolArray = npt.NDArray[np.bool_]

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
    """The pairs of a test."""

    @property
    def owners(self) -> int:
        """How many identities there are; every distractor is one of its own."""
        ...

    @property
    def genuine(self) -> IntArray:
        """Pictures of the g genuine pairs, shape (g, 2)."""
        ...

    @property
    def genuine_owner(self) -> IntArray:
        """The identity of each genuine pair, from 0."""
        ...

    @property
    def genuine_cosines(self) -> FloatArray:
        """The cosine of each genuine pair, in float64."""
        ...

    @property
    def impostor_count(self) -> int:
        """How many impostor pairs there are."""
        ...

    def impostors(self, kind: type[np.floating[Any]]) -> Iterator[Block]:
        """Yield the impostor pairs, with cosines computed in a type of float."""
        ...

    def within(self, pictures: BoolArray) -> Pairs:
        """The pairs both of whose pictures are among some, shape (n,)."""
        ...


@dataclass(frozen=True, eq=False)
class AllPairs:
    """Every pair of pictures of a test, but for those of two distractors.

    Nobody says that two distractors are two characters. Genuine pairs are those that
    the info file lists, or all of them, each in one order.

    Attributes:
        labels: Shape (n,): the label of each picture.
        units: Shape (n, d): unit vectors, a row per picture.
        genuine, genuine_cosines: As in `Pairs`.
    """

    labels: IntArray
    units: FloatArray
    genuine: IntArray
    genuine_cosines: FloatArray

    @classmethod
    def of(cls, info: RecognitionTest, units: FloatArray) -> AllPairs:
        """Take all pairs of a test."""
        genuine = np.unique(np.sort(pairs_to_score(info), axis=1), axis=0)
        return cls(info.labels, units, genuine, pair_cosines(units, genuine))

    @cached_property
    def _owner(self) -> IntArray:
        return owners_of(self.labels)[0]

    @property
    def owners(self) -> int:
        """How many identities and distractors there are."""
        return int(self._owner.max(initial=-1)) + 1

    @property
    def genuine_owner(self) -> IntArray:
        """The identity of each genuine pair."""
        return self._owner[self.genuine[:, 0]]

    @property
    def impostor_count(self) -> int:
        """How many impostor pairs there are."""
        of_each = np.unique(self.labels[self.labels != DISTRACTOR], return_counts=True)
        labelled = int(of_each[1].sum())
        others = len(self.labels) - labelled
        same = int((of_each[1] ** 2).sum())
        return (labelled**2 - same) // 2 + labelled * others

    def impostors(self, kind: type[np.floating[Any]]) -> Iterator[Block]:
        """Yield some rows at a time, each with the pictures that follow it."""
        # Pictures of an identity one after the other, distractors last.
        order = np.argsort(self._owner, kind="stable")
        owner, units = self._owner[order], self.units[order].astype(kind, copy=False)
        labelled = int(np.count_nonzero(self.labels != DISTRACTOR))
        for start in range(0, labelled, _ROWS):
            end = min(start + _ROWS, labelled)
            left, right = owner[start:end, None], owner[None, start:]
            # Owners ascend: this is both "another identity" and "each pair once".
            yield Block(units[start:end] @ units[start:].T, left, right, left < right)

    def within(self, pictures: BoolArray) -> AllPairs:
        """The pairs both of whose pictures are among some, shape (n,)."""
        kept = pictures[self.genuine].all(axis=1)
        place = np.cumsum(pictures) - 1
        return AllPairs(
            self.labels[pictures],
            self.units[pictures],
            place[self.genuine[kept]],
            self.genuine_cosines[kept],
        )


class ListedPairs:
    """Pairs that a file lists."""

    def __init__(self, labels: IntArray, units: FloatArray, pairs: IntArray) -> None:
        """Take pairs of rows, shape (m, 2); labels tell which are genuine."""
        owner, self.owners = owners_of(labels)
        same = owner[pairs[:, 0]] == owner[pairs[:, 1]]
        self.genuine, self._others = pairs[same], pairs[~same]
        self.genuine_owner = owner[self.genuine[:, 0]]
        self.genuine_cosines = pair_cosines(units, self.genuine)
        self._owner, self._labels, self._units = owner, labels, units

    @property
    def impostor_count(self) -> int:
        """How many impostor pairs there are."""
        return len(self._others)

    def impostors(self, kind: type[np.floating[Any]]) -> Iterator[Block]:
        """Yield some pairs at a time."""
        for start in range(0, len(self._others), _PAIRS):
            pairs = self._others[start : start + _PAIRS]
            cosines = pair_cosines(self._units, pairs).astype(kind, copy=False)
            left, right = self._owner[pairs.T]
            yield Block(cosines, left, right, np.ones(len(pairs), np.bool_))

    def within(self, pictures: BoolArray) -> ListedPairs:
        """The pairs both of whose pictures are among some, shape (n,)."""
        every = np.concatenate((self.genuine, self._others))
        inside = every[pictures[every].all(axis=1)]
        place = np.cumsum(pictures) - 1
        return ListedPairs(self._labels[pictures], self._units[pictures], place[inside])


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
