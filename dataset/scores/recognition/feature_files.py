"""Features to score, from whatever kind of file: raw, ``.npy`` or Parquet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.scores.recognition.unit_vectors import Features, check_features
from icf.errors import BadInput
from icf.icartoonface.features import read_features
from icf.names import normal_name

_PARQUET = b"PAR1"
#: What columns of picture names, and of features, are called.
_NAMES = ("file", "file_name", "filename", "name", "path", "picture", "image")
_FEATURES = ("features", "feature", "embedding", "embeddings", "vector")
#: Rows of a column that only might hold names, at once: it might hold pictures.
_ROWS_AT_ONCE = 1024


def read_feature_file(
    path: Path, files: Sequence[str], dim: int | None = None
) -> Features:
    """Read features, a row per picture, in the order of the list.

    A Parquet file has one column of lists of floats; where it also has a column of
    picture names, of whatever type, its rows may be in any order.

    Args:
        path: The file.
        files: The pictures of the list.
        dim: Numbers in a row; None: as many as the file has.

    Returns:
        Shape (n, d), of the file's own type.

    Raises:
        BadInput: The file cannot be read, does not fit the list, or is ambiguous; a row
            holds a NaN, an infinity or nothing but zeros.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(_PARQUET))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    if head != _PARQUET:
        found = read_features(path, len(files), dim)
        check_features(files, found, path)
        return found
    try:
        return _read_parquet(path, files, dim)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path}: a damaged Parquet file: {error}") from error


def _read_parquet(path: Path, files: Sequence[str], dim: int | None) -> Features:
    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    column = _one_of(path, schema, [f for f in schema if _is_list(f.type)], _FEATURES)
    named = _named(path, schema, column)
    if file.metadata.num_rows != len(files):
        raise BadInput(
            f"{path}: expected {len(files)} rows, one per picture of the list, found "
            f"{file.metadata.num_rows}"
        )
    if named is None:
        _refuse_other_names(path, file, files)
    wanted = [column.name] if named is None else [column.name, named.name]
    matrix: Features | None = None
    names: list[str | None] = []
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
        if named is not None:
            names += _texts(path, named, batch.column(named.name))
    if matrix is None or dim not in (None, matrix.shape[1]):
        found = 0 if matrix is None else matrix.shape[1]
        raise BadInput(f"{path}: expected {dim or 'some'} numbers a row, found {found}")
    order = slice(None) if named is None else _order(path, names, files)
    check_features(files if named is None else names, matrix, path)
    return matrix[order]


def _named(path: Path, schema: pa.Schema, features: pa.Field) -> pa.Field | None:
    """The column of picture names, by its name; None: there is none."""
    twice = [name for name, number in Counter(schema.names).items() if number > 1]
    if twice:
        raise BadInput(f"{path}: several columns are called {', '.join(twice)}")
    called = [each for each in schema if each.name.lower() in _NAMES]
    called = [each for each in called if each.name != features.name]
    # Beside names there may be a picture's bytes, in a column called so.
    names = [each for each in called if _is_text(each.type, of_bytes=False)]
    named = names or [each for each in called if _is_text(each.type)] or called
    if len(named) > 1:
        shown = ", ".join(each.name for each in named)
        raise BadInput(f"{path}: several columns name pictures: {shown}; keep one")
    return named[0] if named else None


def _is_text(kind: pa.DataType, *, of_bytes: bool = True) -> bool:
    """Whether a column is of text, also as a pandas category, or in bytes."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    is_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    is_data = (
        *(pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view),
        pa.types.is_fixed_size_binary,
    )
    return any(each(kind) for each in (*is_text, *(is_data if of_bytes else ())))


def _texts(path: Path, field: pa.Field, values: pa.Array) -> list[str | None]:
    """Picture names as text."""
    try:
        texts: list[str | None] = values.cast(pa.large_string()).to_pylist()
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise BadInput(
            f"{path}: expected picture names in the column {field.name}, found "
            f"{field.type}: {error}"
        ) from error
    return texts


def _refuse_other_names(path: Path, file: pq.ParquetFile, files: Sequence[str]) -> None:
    """Raise BadInput if a column that is not called so names pictures of other rows."""
    wanted = dict.fromkeys(map(normal_name, files))
    for field in file.schema_arrow:
        if not _is_text(field.type):
            continue
        keys: list[str] = []
        hits = 0
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=[field.name]):
            try:
                found = _texts(path, field, batch.column(field.name))
            except BadInput:  # bytes of something else
                break
            new = [_key(each, wanted) for each in found]
            keys += new
            hits += sum(key in wanted for key in new)
            if 2 * hits < len(keys):
                break
        else:
            if keys != list(wanted):
                raise BadInput(
                    f"{path}: the column {field.name} names pictures of the list in "
                    f"another order than the list: rename it to {_NAMES[0]}, so that "
                    "rows are taken by it, or leave it out"
                )


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
    path: Path, names: Sequence[str | None], files: Sequence[str]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The file's row of each picture of the list."""
    wanted = {normal_name(each): each for each in files}
    by_name: dict[str, int] = {}
    for row, name in enumerate(names):
        key = _key(name, wanted)
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


def _key(name: str | None, wanted: Container[str]) -> str:
    """A picture's name as the list has it: whole, or without its folder."""
    text = normal_name(name or "")
    return text if text in wanted else text.replace("\\", "/").rpartition("/")[2]
