"""64-bit hashes sorted by 16-bit bands, so that near ones share a bucket."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
WordArray = npt.NDArray[np.uint64]
Pairs = tuple[IntArray, IntArray]

BANDS, BITS = 4, 16


def as_words(hashes: IntArray) -> WordArray:
    """The same bits, unsigned."""
    return np.ascontiguousarray(hashes, np.int64).view(np.uint64)


def band_keys(words: WordArray, number: int) -> npt.NDArray[np.uint16]:
    """The bits of one band, from 0 at the lowest, of each hash."""
    return (words >> np.uint64(BITS * number)).astype(np.uint16)


@dataclass(frozen=True, eq=False)
class Band:
    """Hashes sorted by one of their bands.

    Attributes:
        number: which band, from 0 at the lowest bits.
        order: row of each place.
        words: hash of each place.
        starts: first place of each key, and the number of places.
    """

    number: int
    order: IntArray
    words: WordArray
    starts: IntArray

    @classmethod
    def of(cls, hashes: IntArray, number: int) -> Band:
        """Sort hashes by one of their bands."""
        words = as_words(hashes)
        keys = band_keys(words, number)
        # A stable sort of 16 bits is a radix sort.
        order = np.argsort(keys, kind="stable")
        return cls(number, order, words[order], starts_of(keys))

    def bucket(self, keys: IntArray) -> tuple[IntArray, IntArray]:
        """The first place of each key, and the place after its last."""
        return self.starts[keys], self.starts[keys + 1]


def starts_of(keys: npt.NDArray[np.uint16]) -> IntArray:
    """The first place of each key once hashes are sorted, and how many there are."""
    sizes = np.bincount(keys, minlength=1 << BITS)
    return np.concatenate([[0], np.cumsum(sizes)])
