"""Features to score: a raw file of float64, one row per picture, no header.

The rows are in the order of the recognition test's info file.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icf.errors import BadInput
from icf.stores.files import replace_file

_DTYPE = np.dtype("<f8")
_ROWS_AT_ONCE = 4096


def read_features(path: Path, rows: int) -> npt.NDArray[np.float64]:
    """Map a feature file into memory, read-only.

    Args:
        path: The raw file.
        rows: Number of pictures in the info file.

    Returns:
        An array of shape (rows, d); d follows from the file's size.

    Raises:
        BadInput: The file cannot be read, or its size is not a multiple of
            8 bytes x rows.
    """
    try:
        size = path.stat().st_size
    except OSError as e:
        raise BadInput(f"{path}: cannot be read: {e.strerror}") from e
    row_bytes = _DTYPE.itemsize * rows
    if rows < 1 or size == 0 or size % row_bytes:
        raise BadInput(
            f"{path}: expected {rows} rows of float64, that is a multiple of "
            f"{max(row_bytes, 0)} bytes, found {size} bytes; check that it holds one "
            "row per line of the info file, as float64 and without a header"
        )
    return np.memmap(path, _DTYPE, "r", shape=(rows, size // row_bytes))


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
