"""Read what is in the Parquet files, as it is now."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.formats.base import Task
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.packed import Packed, check_packed
from icf.dataset.formats.records import Split

_FILE = re.compile(r"(recognition|detection)/(train|test)-\d{5}-of-\d{5}\.parquet")
#: Rows that are in memory at a time.
_ROWS = 100


def check_files(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture and its labels against the contents."""
    faults: list[Fault] = []
    yield from check_packed(files, _all(files, faults))
    yield from faults


def _all(files: ReleaseFiles, faults: list[Fault]) -> Iterator[Packed]:
    for name in sorted(files.hashes):
        if (named := _FILE.fullmatch(name)) is None:
            continue
        task, split = cast(Task, named[1]), cast(Split, named[2])
        try:
            for row in _rows(files.folder / name):
                yield _packed(name, task, split, row)
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
            faults.append(Fault(name, f"cannot be read to its end: {error!r}"))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS):
            yield from batch.to_pylist()


def _packed(file: str, task: Task, split: Split, row: dict[str, Any]) -> Packed:
    face: dict[str, Any] = {}
    if task == "recognition":
        x, y, width, height = row["bbox"]
        face = {"label": row["label"], "box": (x, y, x + width, y + height)}
    sha256 = hashlib.sha256(row["image"]["bytes"]).hexdigest()
    size = row["width"], row["height"]
    return Packed(file, task, split, row["image"]["path"], sha256, size, **face)
