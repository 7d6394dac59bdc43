"""Read what is in the Parquet files, as it is now."""

from __future__ import annotations

import hashlib
import json
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
from icf.dataset.formats.parquet.columns import IMAGE, columns_of
from icf.dataset.formats.records import Split

_FILE = re.compile(r"(recognition|detection)/(train|test)-\d{5}-of-\d{5}\.parquet")
#: What a reader of all files of a set would read too.
_BESIDE = re.compile(r"(recognition|detection)/.*\.parquet")
#: Rows that are in memory at a time.
_ROWS = 100


def check_files(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture and its labels against the contents."""
    layout = Layout({part: f"{'/'.join(part)}-*.parquet" for part in PARTS})
    return check_listed(Known(files), layout, _all(files))


def _all(files: ReleaseFiles) -> Iterator[Listed | Fault | Unread]:
    for name in sorted(files.hashes):
        if (named := _FILE.fullmatch(name)) is None:
            if _BESIDE.fullmatch(name):
                yield Fault(name, "is none of the files of its set")
            continue
        task, split = cast(Task, named[1]), cast(Split, named[2])
        try:
            with pq.ParquetFile(files.folder / name) as file:
                yield from _columns(file.schema_arrow, name, task)
                for number, row in enumerate(_rows(file), 1):
                    yield from _listed(name, number, task, split, row)
        except (pa.ArrowException, OSError, *UNEXPECTED) as error:
            fault = Fault(name, f"cannot be read to its end: {error!r}")
            yield Unread(fault, (task, split))


def _columns(found: pa.Schema, file: str, task: Task) -> Iterator[Fault]:
    """Yield that a file has further columns, or does not say what they are.

    Raises:
        ValueError: it lacks one.
    """
    meant = [IMAGE, *(each.name for each in columns_of(task, ()))]
    missing = [name for name in meant if name not in found.names]
    if missing:
        raise ValueError(f"no column {missing[0]}")
    if len(found.names) > len(meant):
        further = list(found.names)
        for name in meant:
            further.remove(name)
        yield Fault(file, f"has further columns: {', '.join(further)}")
    about = (found.metadata or {}).get(b"huggingface", b"null")
    try:
        said = list(json.loads(about)["info"]["features"])
    except UNEXPECTED:
        said = []
    if said != meant:
        yield Fault(file, "does not say to `datasets` what its columns are")


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
