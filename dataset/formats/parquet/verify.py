"""Read what is in the Parquet files, as it is now."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.formats.base import Task
from icf.dataset.formats.checked import UNEXPECTED, Fault, ReleaseFiles
from icf.dataset.formats.checks.columns import said_by
from icf.dataset.formats.checks.known import PARTS, Known
from icf.dataset.formats.checks.listed import Layout, Listed, Unread, check_listed
from icf.dataset.formats.parquet.columns import IMAGE
from icf.dataset.formats.records import Split

_FILE = re.compile(r"(recognition|detection)/(train|test)-\d{5}-of-\d{5}\.parquet")
#: Rows that are in memory at a time.
_ROWS = 100


def check_files(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture and its labels against the contents."""
    layout = Layout({part: f"{'/'.join(part)}-*.parquet" for part in PARTS})
    return check_listed(Known(files), layout, _all(files))


def _all(files: ReleaseFiles) -> Iterator[Listed | Fault | Unread]:
    for name in sorted(files.hashes):
        if (named := _FILE.fullmatch(name)) is None:
            continue
        task, split = cast(Task, named[1]), cast(Split, named[2])
        try:
            with pq.ParquetFile(files.folder / name) as file:
                for number, row in enumerate(_rows(file), 1):
                    yield from _listed(name, number, task, split, row)
        except (pa.ArrowException, OSError, *UNEXPECTED) as error:
            fault = Fault(name, f"cannot be read to its end: {error!r}")
            yield Unread(fault, (task, split))


def _rows(file: pq.ParquetFile) -> Iterator[dict[str, Any]]:
    for batch in file.iter_batches(_ROWS):
        yield from batch.to_pylist()


def _listed(
    file: str, number: int, task: Task, split: Split, row: dict[str, Any]
) -> Iterator[Listed | Fault]:
    said: dict[str, Any] = {}
    try:
        picture = row[IMAGE]
        name = str(picture["path"])
        said["sha256"] = hashlib.sha256(picture["bytes"]).hexdigest()
        said |= said_by(task, row)
    except UNEXPECTED as error:
        yield Fault(file, f"row {number}: cannot be read: {error!r:.200}")
        if "sha256" not in said:
            return
    yield Listed(file, task, split, name, **said)
