"""Keyed hashes of what a thing is: the source of all chance in a split.

A key is a 64-bit number that depends on content alone: the bytes of a picture, the
corners of a face, the names of a character and its album. `chances` turns keys into
numbers from 0 to 1, by a seed and a purpose. Nothing depends on what else there is,
so one more face changes nobody else's chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

WordArray = npt.NDArray[np.uint64]
FloatArray = npt.NDArray[np.float64]

#: Constants of splitmix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
#: Generators", OOPSLA 2014).
_STEP, _FIRST, _SECOND = (
    np.uint64(each)
    for each in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
#: 64 characters are so many words.
_WORDS = 8


def keys_of_texts(texts: Iterable[str]) -> WordArray:
    """Hash texts, by BLAKE2b."""
    words = (
        hashlib.blake2b(each.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for each in texts
    )
    return np.frombuffer(b"".join(words), np.dtype("<u8")).astype(np.uint64)


def keys_of_digests(digests: npt.NDArray[np.bytes_]) -> WordArray:
    """Hash SHA-256 sums in hex.

    Args:
        digests: shape (n,), ASCII, at most 64 digits.
    """
    ascii_codes = np.ascontiguousarray(digests.astype("S64"))
    words = ascii_codes.view(np.uint64).reshape(-1, _WORDS)
    return _folded(np.zeros(len(digests), np.uint64), words)


def keys_of_faces(pictures: WordArray, corners: npt.NDArray[np.float64]) -> WordArray:
    """Combine the key of a face's picture with its corners, shape (n, 4)."""
    # Adding 0.0 makes one zero of both.
    words = np.ascontiguousarray(corners + 0.0).view(np.uint64).reshape(-1, 4)
    return _folded(pictures, words)


def chances(keys: WordArray, seed: int, purpose: str) -> FloatArray:
    """Draw a number for each key: uniform in [0, 1), by seed and purpose.

    Args:
        keys: shape (n,).
        seed: of the split.
        purpose: what is decided; numbers for different purposes are independent.

    Example:
        >>> some = keys_of_texts(["Moon Rabbit/Luna", "Moon Rabbit/Sol"])
        >>> both = chances(some, 1, "seen")
        >>> bool(both[1] == chances(some[1:], 1, "seen")[0])
        True
    """
    salt = keys_of_texts([f"{seed} {purpose}"])[0]
    words = _mixed(_mixed(keys ^ salt))
    return np.asarray((words >> np.uint64(11)) * 2.0**-53, np.float64)


def _folded(keys: WordArray, words: WordArray) -> WordArray:
    """Mix the words of each row, shape (n, k), into its key."""
    for place in range(words.shape[1]):
        keys = _mixed(keys ^ words[:, place])
    return keys


def _mixed(words: WordArray) -> WordArray:
    """The finaliser of splitmix64: a bijection that spreads every bit over all."""
    words = words + _STEP
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return np.asarray(words ^ (words >> np.uint64(31)), np.uint64)
