"""Features to score: a raw file of float64, one row per picture, no header.

The rows are in the order of the recognition test's info file. Raw float32, as networks
compute it, is recognised by its bytes; a ``.npy`` file says itself what it holds.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icf.errors import BadInput
from icf.stores.files import replace_file

_DTYPE = np.dtype("<f8")
_SINGLE = np.dtype("<f4")
_RAW = (_DTYPE, _SINGLE)
#: What a .npy file begins with.
_ARRAY = b"\x93NUMPY"
#: Pairs of words that are looked at, and numbers that it takes at least.
_SAMPLE, _FEWEST = 1 << 16, 32
#: Share of words that are alike in sign and exponent, from which on they are float32.
#: Measured (normal, unit length, ReLU, sparse, softmax, quantised, histograms): 0.9 and
#: more of float32; under 0.3 of float64, also where it was float32 or float16 before.
_ALIKE = 0.5
#: Bits that the magnitudes of float32 are apart, at least, read as float64.
_WIDE = 16.0
#: Magnitudes of features, and the share of them within.
_LEAST, _MOST, _USUAL = 1e-30, 1e30, 0.99
_ROWS_AT_ONCE = 4096


def read_features(path: Path, rows: int) -> npt.NDArray[np.floating[Any]]:
    """Map a feature file into memory, read-only.

    Args:
        path: A raw file of float64 or float32, or a ``.npy`` file.
        rows: Number of pictures in the info file.

    Returns:
        An array of shape (rows, d), of the file's own type; d of a raw file follows
        from its size.

    Raises:
        BadInput: The file cannot be read, or does not have that many rows.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(len(_ARRAY))
    except OSError as e:
        raise BadInput(f"{path}: cannot be read: {e.strerror}") from e
    if head == _ARRAY:
        return _read_array(path, rows)
    for dtype in _RAW:
        row_bytes = dtype.itemsize * rows
        if rows < 1 or size == 0 or size % row_bytes:
            continue
        # Half the length is as good a length, so that only the numbers tell.
        if (dtype == _SINGLE) == _is_single(path):
            return np.memmap(path, dtype, "r", shape=(rows, size // row_bytes))
    raise BadInput(
        f"{path}: expected {rows} rows of float64, that is a multiple of "
        f"{max(_DTYPE.itemsize * rows, 0)} bytes, found {size} bytes; check that it "
        "holds one row per line of the info file, as float64 and without a header, or "
        "save it with numpy.save"
    )


def _read_array(path: Path, rows: int) -> npt.NDArray[np.floating[Any]]:
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as e:
        raise BadInput(f"{path}: a damaged .npy file: {e}") from e
    if array.ndim != 2 or len(array) != rows or array.dtype.kind != "f":
        raise BadInput(
            f"{path}: expected floats of shape ({rows}, d), one row per line of the "
            f"info file, found {array.dtype} of shape {array.shape}"
        )
    return array


def _is_single(path: Path) -> bool:
    """Return whether raw numbers are float32, by a sample of them.

    As float64 is stored, every other word of 32 bits is the end of a mantissa: read as
    float32, its exponent is unlike those of the words between, or it is zero. Columns
    may differ as much; but read as float64, float32 spreads over magnitudes 8 times
    (in bits) as far as it does itself.
    """
    size = path.stat().st_size // _SINGLE.itemsize
    pairs = np.memmap(path, _SINGLE, "r", shape=(size // 2, 2))
    sample = np.array(pairs[:: max(1, len(pairs) // _SAMPLE)][:_SAMPLE])
    used = [column[column != 0] for column in sample.T]
    fewer, more = sorted(map(len, used))
    if fewer + more < _FEWEST or fewer < _ALIKE * more:
        return False
    magnitudes = np.abs(np.concatenate(used))
    usual = np.isfinite(magnitudes) & (magnitudes > _LEAST) & (magnitudes < _MOST)
    if usual.mean() < _USUAL:
        return False
    even, odd = (np.bincount(one.view("<u4") >> 23, minlength=512) for one in used)
    if np.minimum(even, odd).sum() >= _ALIKE * more:
        return True
    wide = _spread(np.abs(sample.reshape(-1).view(_DTYPE)))
    return wide > _WIDE and _spread(magnitudes) < wide / 2


def _spread(magnitudes: npt.NDArray[np.floating[Any]]) -> float:
    """Return how many bits the magnitudes of most numbers are apart."""
    bits = np.log2(magnitudes[magnitudes > 0].astype(np.float64))
    low, high = np.percentile(bits, (10, 90)) if len(bits) else (0.0, 0.0)
    return float(high - low)


def write_features(path: Path, features: npt.NDArray[np.floating[Any]]) -> None:
    """Write features as raw little-endian float64.

    Args:
        path: The file to make or to replace.
        features: Shape (rows, d), finite.

    Raises:
        BadInput: The array is not two-dimensional, is empty, or holds a NaN or an
            infinity.
    """
    if features.ndim != 2 or features.size == 0:
        raise BadInput(
            f"{path}: expected features of shape (rows, d), found {features.shape}"
        )
    replace_file(path, _chunks(path, features))


def _chunks(
    path: Path, features: npt.NDArray[np.floating[Any]]
) -> Iterator[memoryview]:
    for start in range(0, len(features), _ROWS_AT_ONCE):
        block = np.ascontiguousarray(features[start : start + _ROWS_AT_ONCE], _DTYPE)
        bad = ~np.isfinite(block).all(axis=1)
        if bad.any():
            row = start + int(bad.argmax()) + 1
            raise BadInput(f"{path}, row {row}: expected finite numbers, found NaN/inf")
        yield block.data.cast("B")
