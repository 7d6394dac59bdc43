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
from icf.dataset.formats.checked import UNEXPECTED, Fault, ReleaseFiles
from icf.dataset.formats.checks.columns import said_by
from icf.dataset.formats.checks.known import PARTS, Known
from icf.dataset.formats.checks.listed import Layout, Listed, check_listed
from icf.dataset.formats.records import Split

_FILE = re.compile(r"(recognition|detection)/(train|test)-\d{5}-of-\d{5}\.parquet")
#: Rows that are in memory at a time.
_ROWS = 100


def check_files(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture and its labels against the contents."""
    layout = Layout({part: f"{'/'.join(part)}-*.parquet" for part in PARTS})
    return check_listed(Known(files), layout, _all(files))


def _all(files: ReleaseFiles) -> Iterator[Listed | Fault]:
    for name in sorted(files.hashes):
        if (named := _FILE.fullmatch(name)) is None:
            continue
        task, split = cast(Task, named[1]), cast(Split, named[2])
        try:
            for row in _rows(files.folder / name):
                yield _listed(name, task, split, row)
        except (pa.ArrowException, OSError, *UNEXPECTED) as error:
            yield Fault(name, f"cannot be read to its end: {error!r}")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS):
            yield from batch.to_pylist()


def _listed(file: str, task: Task, split: Split, row: dict[str, Any]) -> Listed:
    picture = row["image"]
    sha256 = hashlib.sha256(picture["bytes"]).hexdigest()
    said = said_by(task, row)
    return Listed(file, task, split, picture["path"], sha256=sha256, **said)
