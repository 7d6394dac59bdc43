"""Whether raw numbers without a header are float64, float32 or shorter, by their bytes.

A float64 is two words of 32 bits, on disk the end of its mantissa first. Read as
float32, that first word is one of three things that features are not: a number of any
magnitude, since the mantissa's bits are as good as random (half of all words are
outside `_USUAL`); one of eight words, where the number was float32 before; zero, where
it was float16 or a whole number. The second word has sign and exponent, and is never
zero where the first is not. Read as float32, real float32 is of usual magnitude in both
words, and zero as often in the one as in the other.

A float32 is two halves of 16 bits, the end of its mantissa first. Read as float16, that
first half has any of 32 exponents alike, or is a power of two, where the number was
short. Real numbers of 16 bits have few exponents in both halves.
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
#: Share of different first halves whose exponents, as float16, are within 16 of all 32.
#: From which on it is float16 (half of all ends of mantissas are there, and 29 of 32 by
#: chance less than once in a hundred thousand times), and up to which it is none.
_ALIKE, _ANY = 0.9, 0.8
#: Between the quartiles of features' magnitudes are at most so many octaves; of random
#: words, whole numbers and other byte orders there are 128 or so.
_OCTAVES = 64
#: Share of numbers of usual magnitude up to which they may be of another byte order:
#: of float32 the wrong way round, 0.52 are.
_HARDLY = 0.75
#: All bits but the sign's: both zeros are zero.
_MAGNITUDE = np.uint32(0x7FFFFFFF)


class Verdict(Enum):
    """What raw numbers are."""

    DOUBLE = auto()
    SINGLE = auto()
    HALF = auto()
    UNCLEAR = auto()


def judge(path: Path, *, may_be_double: bool = True) -> Verdict:
    """Judge a raw file by a sample of it.

    Args:
        path: The file; its size is a multiple of four bytes.
        may_be_double: Whether it is a multiple of eight, too, and rows are.
    """
    width = 2 if may_be_double else 1
    shape = path.stat().st_size // (4 * width), width
    some = np.memmap(path, "<u4", "r", shape=shape)
    words = np.array(some[:: max(1, len(some) // _SAMPLE)][:_SAMPLE])
    if may_be_double:
        return judge_words(words)
    verdict = judge_halves(words[:, 0])
    scattered = verdict is Verdict.SINGLE and _is_scattered(words[:, 0])
    return Verdict.UNCLEAR if scattered else verdict


def is_big_endian(path: Path, dtype: np.dtype[Any]) -> bool:
    """Whether raw numbers of a type are features only with their bytes turned round.

    Bytes the wrong way round have the ends of mantissas for exponents: numbers of any
    magnitude, or smaller than any feature where the number was shorter before. Features
    of whatever magnitude, turned round, are never all usual ones.
    """
    numbers = np.memmap(path, dtype, "r")
    some = np.array(numbers[:: max(1, len(numbers) // _SAMPLE)][:_SAMPLE])
    some = some[(some != 0) & (some.byteswap() != 0)]  # no zero of either sign
    if len(some) < _ENOUGH or _usual_share(some) > _HARDLY:
        return False
    turned = some.byteswap()
    if _usual_share(turned) < 1 - _FEW:
        return False
    pairs = turned.view(np.uint32)
    # Two float32 in a row are a usual float64, too.
    is_single = dtype.itemsize == pairs.itemsize
    return is_single or judge_words(pairs.reshape(-1, 2)) is Verdict.DOUBLE


def judge_halves(words: npt.NDArray[np.uint32]) -> Verdict:
    """Judge whether words are two numbers of 16 bits each.

    Args:
        words: Shape (n,), in the file's order.

    Returns:
        ``HALF``, ``UNCLEAR``, or ``SINGLE`` for all that is longer.

    Example:
        >>> words = np.linspace(0.1, 0.9, 640).astype("<f2").view("<u4")
        >>> judge_halves(words).name
        'HALF'
    """
    first, second = words & 0xFFFF, words >> 16
    has_first, has_second = first & 0x7FFF != 0, second & 0x7FFF != 0
    found = first[has_first]
    if not len(found):
        return Verdict.SINGLE  # short ones, or nothing but zeros
    only_first = np.count_nonzero(has_first & ~has_second)
    is_split = only_first >= _ZEROS and only_first > _FEW * len(found)
    longer = Verdict.UNCLEAR if is_split else Verdict.SINGLE
    if np.mean(found & 0x3FF != 0) <= _FEW:  # powers of two
        return longer
    exponents = np.unique(found) >> 12 & 7
    if len(exponents) < _ENOUGH:
        both = np.array_equal(has_first, has_second)
        is_whole = both and _ZEROS <= len(found) <= len(words) - _ZEROS
        return longer if is_whole or _are_repeated(words) else Verdict.UNCLEAR
    most = np.convolve(np.bincount(exponents, minlength=8), np.ones(4), "valid").max()
    most /= len(exponents)
    if most >= _ALIKE:
        return Verdict.HALF
    return longer if most <= _ANY else Verdict.UNCLEAR


def _is_scattered(words: npt.NDArray[np.uint32]) -> bool:
    """Whether words, read as float32, are of too many magnitudes to be features."""
    exponents = words[words & _MAGNITUDE != 0] >> 23 & 0xFF
    if not len(exponents):
        return False
    low, high = np.percentile(exponents, (25, 75))
    return bool(high - low > _OCTAVES)


def _are_repeated(words: npt.NDArray[np.uint32]) -> bool:
    """Whether few words come again and again, far fewer than their halves could make.

    Decimals do: of hundredths, one first half has many second ones.
    """
    words = words[words & _MAGNITUDE != 0]
    kinds = len(np.unique(words))
    halves = len(np.unique(words & 0xFFFF)) * len(np.unique(words >> 16))
    return 4 * kinds <= min(len(words), halves)


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
    known = len(words) > 0 and _is_unusual(others).sum() <= _FEW * len(words)
    ends = (words & _MAGNITUDE == 0) | np.isin(words, _WAS_SINGLE)
    share = float(np.mean(ends | _is_unusual(words))) if known else 0.0
    if share >= _MANY:
        return Verdict.DOUBLE
    longer = judge_halves(pairs.ravel())
    # Equal words say no more than one of them; a float64 without sign and exponent
    # would be far smaller than any feature.
    enough = len(np.unique(words)) >= _ENOUGH or only_first >= _ZEROS
    if longer is Verdict.SINGLE and not (known and share <= _FEW and enough):
        return Verdict.UNCLEAR
    return longer


def _is_unusual(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Whether words, read as float32, are no numbers that features have."""
    return ~_is_usual(words.view(np.float32))


def _usual_share(numbers: npt.NDArray[np.floating[Any]]) -> float:
    return float(np.mean(_is_usual(numbers)))


def _is_usual(numbers: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
    magnitude: npt.NDArray[Any] = np.abs(numbers)
    with np.errstate(invalid="ignore"):
        return (magnitude >= _USUAL[0]) & (magnitude <= _USUAL[1])
