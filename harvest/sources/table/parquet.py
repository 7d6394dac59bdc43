"""Lists in Parquet: read a batch of rows at a time, behind whole row groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from icf.errors import WrongUse
from icf.harvest.sources.table.rows import (
    OPTIONAL,
    REQUIRED,
    Row,
    check_columns,
    checked,
    list_column,
    texts_of,
)

_AT_ONCE = 1000


class ParquetRows:
    """The rows of a Parquet file, numbered from 1; its columns in any case."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """See that it is a Parquet file with the columns."""
        try:
            with pq.ParquetFile(self._path) as file:
                names = file.schema_arrow.names
        except pa.ArrowInvalid as error:
            raise WrongUse(f"{self._path} is not a Parquet file: {error}") from error
        check_columns(f"{self._path}: its schema", names)

    def rows(self, start: int) -> Iterator[Row]:
        """Yield the rows but the first ``start``."""
        with pq.ParquetFile(self._path) as file:
            groups, number = _groups_from(file, start)
            wanted = {*REQUIRED, *OPTIONAL}
            columns = [n for n in file.schema_arrow.names if list_column(n) in wanted]
            try:
                for batch in file.iter_batches(_AT_ONCE, groups, columns=columns):
                    names = [list_column(name) for name in batch.schema.names]
                    columns_of_it = [column.to_pylist() for column in batch.columns]
                    for cells in zip(*columns_of_it, strict=True):
                        number += 1
                        if number > start:
                            row = texts_of(dict(zip(names, cells, strict=True)))
                            yield number, row if isinstance(row, str) else checked(row)
            except (pa.ArrowException, OSError) as error:
                yield number + 1, f"bad_row: damaged from here on: {error}"


def _groups_from(file: pq.ParquetFile, start: int) -> tuple[list[int], int]:
    """Return the row groups with rows behind ``start``, and the rows before them."""
    before = 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if before + rows > start:
            return list(range(group, file.num_row_groups)), before
        before += rows
    return [], before
