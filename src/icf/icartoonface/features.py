"""Features to score: a raw file of float64, one row per picture, no header.

The rows are in the order of the recognition test's info file. Raw float32, as networks
compute it, is recognised by its bytes where nobody says how long a row is; a ``.npy``
file says itself what it holds. What a raw file holds is never guessed: where its bytes
do not decide, it is refused.
"""

from collections.abc import Iterator
from pathlib import Path
from tokenize import TokenError
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from icf.errors import BadInput
from icf.icartoonface.raw_words import Verdict, is_big_endian, judge
from icf.stores.files import replace_file

Floats = npt.NDArray[np.floating[Any]]

_DTYPE = np.dtype("<f8")
_SINGLE = np.dtype("<f4")
_RAW = (_DTYPE, _SINGLE)
#: What a .npy file begins with, and what other files begin with that people mean to be
#: features: numpy.savez and torch.save, pickle.
_ARRAY = b"\x93NUMPY"
_GZIP = b"\x1f\x8b"
_FOREIGN = {b"PK\x03\x04": "a zip archive", b"\x80\x02": "a pickle"}
_FOREIGN |= {b"\x80\x03": "a pickle", b"\x80\x04": "a pickle", b"\x80\x05": "a pickle"}
#: What numpy raises of a damaged header, which it reads as Python's text.
_DAMAGED: tuple[type[Exception], ...] = (OSError, ValueError, EOFError, TypeError)
_DAMAGED += (ArithmeticError, SyntaxError, TokenError, MemoryError, RecursionError)
_ROWS_AT_ONCE = 4096


def read_features(path: Path, rows: int, dim: int | None = None) -> Floats:
    """Map a feature file into memory, read-only.

    Args:
        path: A raw file of float64 or float32, or a ``.npy`` file.
        rows: Number of pictures in the info file.
        dim: Numbers in a row; then the size of a raw file says of which type they are.
            None: it follows from the size, and the type from the bytes.

    Returns:
        An array of shape (rows, d), of the file's own type.

    Raises:
        BadInput: The file cannot be read, does not have that many rows or numbers in a
            row, is big-endian, or its bytes do not say which type they are.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(len(_ARRAY))
    except OSError as e:
        raise BadInput(f"{path}: cannot be read: {e.strerror}") from e
    if head == _ARRAY:
        return _read_array(path, rows, dim)
    if head.startswith(_GZIP) and path.suffix == ".gz":
        raise BadInput(f"{path} is compressed by gzip; unpack it first: gunzip does it")
    for start, what in _FOREIGN.items():
        if head.startswith(start) and path.suffix in (".npz", ".pt", ".pth", ".pkl"):
            raise BadInput(f"{path}: {what}; save the features with numpy.save")
    if rows < 1 or size == 0 or size % (_SINGLE.itemsize * rows):
        _fail_size(path, rows, dim, size)
    dtype = _by_size(path, rows, dim, size) if dim else _by_bytes(path, rows, size)
    return np.memmap(path, dtype, "r", shape=(rows, size // (dtype.itemsize * rows)))


def is_raw(path: Path) -> bool:
    """Whether a file has no header that says what its numbers are.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return file.read(4) not in (_ARRAY[:4], b"PAR1")


def _by_size(path: Path, rows: int, dim: int, size: int) -> np.dtype[Any]:
    """The type with which rows have the length that was said.

    Raises:
        BadInput: There is none, or the numbers can only be of the other type.
    """
    for dtype in _RAW:
        if size == dtype.itemsize * rows * dim:
            _check_bytes(path, rows, dim, dtype)
            return dtype
    _fail_size(path, rows, dim, size)


def _check_bytes(path: Path, rows: int, dim: int, dtype: np.dtype[Any]) -> None:
    """Raise BadInput if raw numbers can only be of the other type, or byte order."""
    _refuse_big_endian(path, dtype)
    size = path.stat().st_size
    verdict = judge(path, may_be_double=size % _DTYPE.itemsize == 0)
    if verdict is Verdict.HALF:
        _fail_half(path)
    other = Verdict.SINGLE if dtype == _DTYPE else Verdict.DOUBLE
    if verdict is not other:
        return
    actual = _SINGLE if dtype == _DTYPE else _DTYPE
    raise BadInput(
        f"{path}: with {dim} numbers in a row it would be {dtype.name}, but its bytes "
        f"can only be {size // (actual.itemsize * rows)} {actual.name} in a row; leave "
        "out --dim, or correct it"
    )


def _by_bytes(path: Path, rows: int, size: int) -> np.dtype[Any]:
    """The type that the bytes can only be, of those that fit the size."""
    may_be_double = size % (_DTYPE.itemsize * rows) == 0
    for dtype in _RAW if may_be_double else (_SINGLE,):
        _refuse_big_endian(path, dtype)
    verdict = judge(path, may_be_double=may_be_double)
    if verdict is Verdict.HALF:
        _fail_half(path)
    if verdict is Verdict.UNCLEAR:
        dim = size // (_SINGLE.itemsize * rows)
        fits = f"{dim:,} float32, or of {2 * dim:,} float16, which is not read"
        say = f"--dim {dim}"
        if may_be_double:
            fits = f"{dim // 2:,} float64, or of {dim:,} float32"
            say = f"--dim {dim // 2} or {say}"
        raise BadInput(
            f"{path}: its {size:,} bytes are {rows:,} rows of {fits}, and its numbers "
            f"do not say which: say it with {say}, or save the features with numpy.save"
        )
    return _DTYPE if verdict is Verdict.DOUBLE else _SINGLE


def _refuse_big_endian(path: Path, dtype: np.dtype[Any]) -> None:
    if is_big_endian(path, dtype):
        raise BadInput(
            f"{path}: its bytes can only be {dtype.name} in the other byte order "
            f'(big-endian): write features.astype("{dtype.str}"), or save them with '
            "numpy.save"
        )


def _fail_half(path: Path) -> NoReturn:
    raise BadInput(
        f"{path}: its bytes can only be numbers of 16 bits, such as float16, and raw "
        'ones are read as float64 or float32: write features.astype("<f4"), or save '
        "them with numpy.save"
    )


def _fail_size(path: Path, rows: int, dim: int | None, size: int) -> NoReturn:
    if dim and size == np.dtype(np.float16).itemsize * rows * dim:
        _fail_half(path)
    numbers = dim or 1
    wanted = max(_DTYPE.itemsize * rows * numbers, 0)
    each = f"{rows} rows of float64" + (f", {dim} in each" if dim else "")
    raise BadInput(
        f"{path}: expected {each}, that is {'' if dim else 'a multiple of '}{wanted} "
        f"bytes{' (or half as many: float32)' if dim else ''}, found {size} bytes; "
        "check that it holds one row per line of the info file, as float64 and without "
        "a header, or save it with numpy.save"
    )


def _read_array(path: Path, rows: int, dim: int | None) -> Floats:
    try:
        with np.errstate(over="raise"):  # where a shape says more than can be
            array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except _DAMAGED as e:
        why = "Python objects" if "object" in str(e) else "a damaged .npy file"
        raise BadInput(
            f"{path}: {why}: {e}; save the features with numpy.save, as an array of "
            "floats"
        ) from e
    d = "d" if dim is None else str(dim)
    fits = array.ndim == 2 and len(array) == rows and array.shape[1] > 0
    if not fits or array.dtype.kind != "f" or dim not in (None, array.shape[1]):
        raise BadInput(
            f"{path}: expected floats of shape ({rows}, {d}), one row per line of the "
            f"info file, found {array.dtype} of shape {array.shape}"
        )
    return array


def write_features(path: Path, features: Floats) -> None:
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


def _chunks(path: Path, features: Floats) -> Iterator[memoryview]:
    for start in range(0, len(features), _ROWS_AT_ONCE):
        block = np.ascontiguousarray(features[start : start + _ROWS_AT_ONCE], _DTYPE)
        bad = ~np.isfinite(block).all(axis=1)
        if bad.any():
            row = start + int(bad.argmax()) + 1
            raise BadInput(f"{path}, row {row}: expected finite numbers, found NaN/inf")
        yield block.data.cast("B")
