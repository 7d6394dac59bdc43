"""Parquet files with the pictures in them, each of at most half a gigabyte.

::

    recognition/train-00000-of-00003.parquet
    recognition/test-00000-of-00001.parquet
    detection/train-00000-of-00002.parquet
    detection/test-00000-of-00001.parquet

A file says what its columns are to Hugging Face's ``datasets``: pictures come as
pictures, labels with their names. The order of the pictures is that of `in_shards`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.formats.base import ReleaseData, Task, WrittenPicture
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.parquet.columns import (
    IMAGE,
    Column,
    columns_of,
    schema_of,
)
from icf.dataset.formats.parquet.verify import check_files
from icf.dataset.formats.records import (
    SPLITS,
    TASKS,
    Record,
    Records,
    Split,
    in_shards,
)
from icf.dataset.plan import Placed
from icf.stores.memory import Memory

#: A file is closed when it has so many bytes of pictures, as the Hub's own are.
BYTES = 500_000_000
#: So many are written at a time, and can be read alone.
GROUP_BYTES, GROUP_PICTURES = 8_000_000, 1_000
#: So many pictures are encoded, and pages of so many bytes written, at a time: what is
#: larger than the processor's caches takes up to four times as long.
_BATCH, _PAGE = 16, 1 << 18
#: The picture that ends a group is seldom larger.
_LAST = 500_000


class ParquetWriter:
    """Pictures and labels in Parquet."""

    name: ClassVar[str] = "parquet"
    help: ClassVar[str] = "Parquet files with the pictures in them."

    def write(self, data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
        """Write the files of both sets.

        Raises:
            BrokenMachine: a picture's bytes are missing.
        """
        return write_parquet(data, folder)

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every picture, label and box in the files against the contents."""
        return check_files(files)


def write_parquet(data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
    """Write Parquet files into a folder; yield each picture with its file."""
    records = Records(data)
    for task in TASKS:
        columns = columns_of(task, records.names)
        (folder / task).mkdir()
        for split in SPLITS:
            shards = _Shards(data, folder, task, split, columns)
            for each in in_shards(data.plan, task, split):
                shards.add(records.record(each, split))
            yield from shards.close()


class _Shards:
    """The files of one set and split; they get their names when all are written."""

    def __init__(
        self,
        data: ReleaseData,
        folder: Path,
        task: Task,
        split: Split,
        columns: Sequence[Column],
    ) -> None:
        self._data = data
        self._folder = folder
        self._place = Path(task)
        self._split = split
        self._columns = columns
        self._schema = schema_of(columns)
        #: Of each file, its pictures.
        self._files: list[list[Record]] = []
        self._writer: pq.ParquetWriter | None = None
        self._in_file = 0
        self._group: list[Record] = []
        self._contents = _Contents()

    def add(self, record: Record) -> None:
        self._contents.add(self._data, record.placed)
        self._group.append(record)
        full = self._contents.size >= GROUP_BYTES
        if full or len(self._group) >= GROUP_PICTURES:
            self._write_group()

    def close(self) -> Iterator[WrittenPicture]:
        """Write the rest, and name the files; yield their pictures."""
        self._write_group()
        self._end_file()
        count = len(self._files)
        for number, records in enumerate(self._files):
            file = self._place / f"{self._split}-{number:05d}-of-{count:05d}.parquet"
            self._temporary(number).rename(self._folder / file)
            for each in records:
                yield WrittenPicture(
                    file, each.placed, each.name, self._data.crop(each.placed)
                )

    def _write_group(self) -> None:
        if not self._group:
            return
        if self._writer is None:
            self._files.append([])
            self._writer = _opened(self._temporary(len(self._files) - 1), self._schema)
        pictures = pa.StructArray.from_arrays(
            [
                self._contents.array(),
                pa.array([record.name for record in self._group], pa.string()),
            ],
            ["bytes", "path"],
        )
        others = [
            pa.array([each.value(record) for record in self._group], each.type)
            for each in self._columns
        ]
        table = pa.Table.from_arrays([pictures, *others], schema=self._schema)
        self._writer.write_table(table, row_group_size=len(table))
        self._files[-1] += self._group
        self._in_file += self._contents.size
        self._group = []
        self._contents.clear()
        if self._in_file >= BYTES:
            self._end_file()

    def _end_file(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._in_file = None, 0

    def _temporary(self, number: int) -> Path:
        return self._folder / self._place / f"{self._split}-{number:05d}"


class _Contents:
    """The bytes of a group's pictures."""

    def __init__(self) -> None:
        self._memory = Memory(GROUP_BYTES + _LAST)
        self._ends = [0]

    @property
    def size(self) -> int:
        return self._memory.size

    def add(self, data: ReleaseData, each: Placed) -> None:
        data.read_to(self._memory, each)
        self._ends.append(self.size)

    def array(self) -> pa.Array:
        """Return the pictures; they change with what is added after `clear`."""
        ends = pa.py_buffer(np.array(self._ends, np.int32))
        buffers = [None, ends, pa.py_buffer(self._memory.content())]
        return pa.Array.from_buffers(pa.binary(), len(self._ends) - 1, buffers)

    def clear(self) -> None:
        self._memory.clear()
        self._ends = [0]


def _opened(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a file; nothing is spent on compressing or comparing pictures."""
    others = [name for name in schema.names if name != IMAGE]
    return pq.ParquetWriter(
        path,
        schema,
        compression={name: "snappy" for name in others},
        use_dictionary=others,
        write_statistics=others,
        write_batch_size=_BATCH,
        data_page_size=_PAGE,
    )
