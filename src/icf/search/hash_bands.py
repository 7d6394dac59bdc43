"""64-bit hashes sorted by 16-bit bands, so that similar ones share a bucket."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
WordArray = npt.NDArray[np.uint64]
Pairs = tuple[IntArray, IntArray]

BANDS, BITS = 4, 16


def as_words(hashes: IntArray) -> WordArray:
    """View the same bits as unsigned integers."""
    return np.ascontiguousarray(hashes, np.int64).view(np.uint64)


def band_keys(words: WordArray, number: int) -> npt.NDArray[np.uint16]:
    """Return the bits of one band of each hash; band 0 has the lowest bits."""
    return (words >> np.uint64(BITS * number)).astype(np.uint16)


@dataclass(frozen=True, eq=False)
class Band:
    """Hashes sorted by one of their bands.

    Attributes:
        number: which band, from 0 at the lowest bits.
        order: the row at each place of the sorted order.
        words: the hash at each place.
        starts: the first place of each key, then the number of places.
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
        """Return the first place of each key, and the one after its last."""
        return self.starts[keys], self.starts[keys + 1]


def starts_of(keys: npt.NDArray[np.uint16]) -> IntArray:
    """Return the first place of each key in sorted order, then the number of keys."""
    sizes = np.bincount(keys, minlength=1 << BITS)
    return np.concatenate([[0], np.cumsum(sizes)])
