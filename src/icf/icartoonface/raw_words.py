"""Whether raw numbers without a header are float64 or float32, where bytes can tell.

A float64 is two words of 32 bits, on disk the end of its mantissa first. Read as
float32, that first word is one of three things that features are not: a number of any
magnitude, since the mantissa's bits are as good as random (half of all words are
outside `_USUAL`); one of eight words, where the number was float32 before; zero, where
it was float16 or a whole number. The second word has sign and exponent, and is never
zero where the first is not. Read as float32, real float32 is of usual magnitude in both
words, and zero as often in the one as in the other.
"""

from enum import Enum, auto
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

#: Pairs of words that are looked at.
_SAMPLE = 1 << 16
#: Magnitudes of features. A random word is within with probability 0.52: its exponent
#: is one of 133 of 256.
_USUAL = (1e-20, 1e20)
#: Share of first words that no feature would be: from which on it is float64 (where
#: 0.48 is expected), and up to which it is float32.
_MANY, _FEW = 0.25, 0.02
#: So many different usual first words by chance: 0.52 ** 32 is less than one in a
#: thousand million.
_ENOUGH = 32
#: So many zeros in second words and none in first words by chance: 0.5 ** 20.
_ZEROS = 20
#: Ends of mantissas of what was float32 before, but for those that are 2, -2 and -0.
_WAS_SINGLE = np.array([0x20000000, 0x60000000, 0xA0000000, 0xE0000000], np.uint32)
#: Second words of what is not finite, as float64 has it; float32 has others.
_NOT_FINITE = np.array([0x7FF00000, 0xFFF00000, 0x7FF80000, 0xFFF80000], np.uint32)
#: All bits but the sign's: both zeros are zero.
_MAGNITUDE = np.uint32(0x7FFFFFFF)


class Verdict(Enum):
    """What raw numbers are."""

    DOUBLE = auto()
    SINGLE = auto()
    UNCLEAR = auto()


def judge(path: Path) -> Verdict:
    """Judge a raw file whose size is a multiple of eight bytes, by a sample of it."""
    pairs = np.memmap(path, "<u4", "r", shape=(path.stat().st_size // 8, 2))
    return judge_words(np.array(pairs[:: max(1, len(pairs) // _SAMPLE)][:_SAMPLE]))


def judge_words(pairs: npt.NDArray[np.uint32]) -> Verdict:
    """Judge pairs of words.

    Args:
        pairs: Shape (n, 2), in the file's order.

    Example:
        >>> words = np.linspace(0.1, 0.9, 64).astype("<f4").view("<u4").reshape(-1, 2)
        >>> judge_words(words).name
        'SINGLE'
    """
    first, second = pairs.T
    has_first, has_second = first & _MAGNITUDE != 0, second & _MAGNITUDE != 0
    if not has_first.any() and not has_second.any():
        return Verdict.DOUBLE  # every reading is the same zeros
    only_first = np.count_nonzero(has_first & ~has_second)
    only_second = np.count_nonzero(has_second & ~has_first)
    # Float32 has its zeros in either word; they then say nothing.
    zeros_tell = only_second >= _ZEROS and only_first <= _FEW * only_second
    words = first[has_first | has_second if zeros_tell else has_first]
    others = second[has_second & ~np.isin(second, _NOT_FINITE)]
    if not len(words) or _is_unusual(others).sum() > _FEW * len(words):
        return Verdict.UNCLEAR
    ends = (words & _MAGNITUDE == 0) | np.isin(words, _WAS_SINGLE)
    share = float(np.mean(ends | _is_unusual(words)))
    if share >= _MANY:
        return Verdict.DOUBLE
    # Equal words say no more than one of them; a float64 without sign and exponent
    # would be far smaller than any feature.
    enough = len(np.unique(words)) >= _ENOUGH or only_first >= _ZEROS
    is_single = share <= _FEW and enough
    return Verdict.SINGLE if is_single else Verdict.UNCLEAR


def _is_unusual(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Whether words, read as float32, are no numbers that features have."""
    numbers: npt.NDArray[Any] = np.abs(words.view(np.float32))
    with np.errstate(invalid="ignore"):
        return ~((numbers >= _USUAL[0]) & (numbers <= _USUAL[1]))
