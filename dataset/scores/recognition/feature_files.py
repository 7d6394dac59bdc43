"""Features to score, from whatever kind of file: raw, ``.npy`` or Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.scores.recognition.unit_vectors import Features
from icf.errors import BadInput
from icf.icartoonface.features import read_features
from icf.names import normal_name

_PARQUET = b"PAR1"
#: What columns of picture names, and of features, are called.
_NAMES = ("file", "file_name", "filename", "name", "path", "picture", "image")
_FEATURES = ("features", "feature", "embedding", "embeddings", "vector")


def read_feature_file(
    path: Path, files: Sequence[str], dim: int | None = None
) -> Features:
    """Read features, a row per picture, in the order of the list.

    A Parquet file has one column of lists of floats; where it also has a column of
    picture names, its rows may be in any order.

    Args:
        path: The file.
        files: The pictures of the list.
        dim: Numbers in a row; None: as many as the file has.

    Returns:
        Shape (n, d), of the file's own type.

    Raises:
        BadInput: The file cannot be read, does not fit the list, or is ambiguous.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(_PARQUET))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    if head != _PARQUET:
        return read_features(path, len(files), dim)
    try:
        return _read_parquet(path, files, dim)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path}: a damaged Parquet file: {error}") from error


def _read_parquet(path: Path, files: Sequence[str], dim: int | None) -> Features:
    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    column = _one_of(path, schema, [f for f in schema if _is_list(f.type)], _FEATURES)
    text = [f for f in schema if pa.types.is_string(f.type)] + [
        f for f in schema if pa.types.is_large_string(f.type)
    ]
    named = [each for each in text if each.name.lower() in _NAMES]
    if len(named) > 1:
        shown = ", ".join(each.name for each in named)
        raise BadInput(f"{path}: several columns name pictures: {shown}; keep one")
    if file.metadata.num_rows != len(files):
        raise BadInput(
            f"{path}: expected {len(files)} rows, one per picture of the list, found "
            f"{file.metadata.num_rows}"
        )
    wanted = [column.name, *(each.name for each in named)]
    matrix: Features | None = None
    names: list[object] = []
    done = 0
    for batch in file.iter_batches(columns=wanted):
        block = _block(path, batch.column(column.name), done)
        if matrix is None:
            matrix = np.empty((len(files), block.shape[1]), block.dtype)
        if block.shape[1] != matrix.shape[1]:
            raise BadInput(
                f"{path}, row {done + 1}: expected {matrix.shape[1]} numbers as in the "
                f"rows before, found {block.shape[1]}"
            )
        matrix[done : done + len(block)] = block
        done += len(block)
        if named:
            names += batch.column(named[0].name).to_pylist()
    if matrix is None or dim not in (None, matrix.shape[1]):
        found = 0 if matrix is None else matrix.shape[1]
        raise BadInput(f"{path}: expected {dim or 'some'} numbers a row, found {found}")
    return matrix[_order(path, names, files)] if named else matrix


def _is_list(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    is_list = any(each(kind) for each in lists)
    return is_list and pa.types.is_floating(kind.value_type)


def _one_of(
    path: Path, schema: pa.Schema, found: list[pa.Field], names: Sequence[str]
) -> pa.Field:
    """The only column of a kind, or the only one with one of some names."""
    called = [each for each in found if each.name.lower() in names]
    if len(found) == 1:
        return found[0]
    if len(called) == 1:
        return called[0]
    has = ", ".join(f"{each.name} ({each.type})" for each in schema)
    raise BadInput(
        f"{path}: expected one column of lists of floats, or one of them called "
        f"{' or '.join(names[:3])}; found {has or 'no column'}"
    )


def _block(path: Path, lists: pa.Array, done: int) -> Features:
    """Some rows as a matrix; ``done`` rows came before."""
    if lists.null_count or lists.flatten().null_count:
        nulls = np.asarray(lists.is_null())
        row = done + int(nulls.argmax()) + 1 if lists.null_count else done + 1
        raise BadInput(f"{path}, row {row} or after: expected numbers, found null")
    lengths = np.asarray(lists.value_lengths())
    width = int(lengths[0]) if len(lengths) else 0
    if (lengths != width).any():
        row = int((lengths != width).argmax())
        raise BadInput(
            f"{path}, row {done + row + 1}: expected {width} numbers as in the rows "
            f"before, found {lengths[row]}"
        )
    numbers: Features = lists.flatten().to_numpy(zero_copy_only=False)
    return numbers.reshape(len(lists), width)


def _order(
    path: Path, names: Sequence[object], files: Sequence[str]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The file's row of each picture of the list."""
    wanted = {normal_name(each): each for each in files}
    by_name: dict[str, int] = {}
    for row, name in enumerate(names):
        text = normal_name(str(name or ""))
        key = text if text in wanted else text.replace("\\", "/").rpartition("/")[2]
        if key not in wanted:
            raise BadInput(
                f"{path}, row {row + 1}: expected a picture of the list, found {name!r}"
            )
        if by_name.setdefault(key, row) != row:
            raise BadInput(
                f"{path}, row {row + 1}: {name!r} again, as in row {by_name[key] + 1}"
            )
    # As many rows as pictures, each once: none is missing.
    return np.array([by_name[each] for each in wanted], np.int64)
