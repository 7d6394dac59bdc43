"""Read what is in the Parquet files, as it is now."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.formats.base import Task
from icf.dataset.formats.checked import UNEXPECTED, Fault, ReleaseFiles
from icf.dataset.formats.checks.columns import said_by
from icf.dataset.formats.checks.known import PARTS, Known
from icf.dataset.formats.checks.listed import Layout, Listed, Unread, check_listed
from icf.dataset.formats.checks.turned import orientation
from icf.dataset.formats.parquet.columns import IMAGE, columns_of, features_of
from icf.dataset.formats.records import Split

FILE = re.compile(r"(recognition|detection)/(train|test)-\d{5}-of-\d{5}\.parquet")
#: What a reader of all files of a set would read too.
_BESIDE = re.compile(r"(recognition|detection)/.*\.parquet")
#: Rows that are in memory at a time.
_ROWS = 100


def check_files(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture and its labels against the contents."""
    layout = Layout({part: f"{'/'.join(part)}-*.parquet" for part in PARTS})
    known = Known(files)
    return check_listed(known, layout, _all(files, known.label_names()))


def _all(
    files: ReleaseFiles, labels: Sequence[str]
) -> Iterator[Listed | Fault | Unread]:
    for name in sorted(files.hashes):
        if (named := FILE.fullmatch(name)) is None:
            if _BESIDE.fullmatch(name):
                yield Fault(name, "is none of the files of its set")
            continue
        task, split = cast(Task, named[1]), cast(Split, named[2])
        try:
            with pq.ParquetFile(files.folder / name) as file:
                meant = features_of(columns_of(task, labels))
                yield from _columns(file.schema_arrow, name, meant)
                for number, row in enumerate(_rows(file), 1):
                    yield from _listed(name, number, task, split, row)
        except (pa.ArrowException, OSError, *UNEXPECTED) as error:
            fault = Fault(name, f"cannot be read to its end: {error!r}")
            yield Unread(fault, (task, split))


def _columns(
    found: pa.Schema, file: str, features: Mapping[str, Any]
) -> Iterator[Fault]:
    """Yield that a file has further columns, or does not say what they are.

    Args:
        found: its columns.
        file: its name.
        features: what it should say of them.

    Raises:
        ValueError: it lacks one.
    """
    meant = list(features)
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
        said = dict(json.loads(about)["info"]["features"])
    except UNEXPECTED:
        said = {}
    if list(said) != meant:
        yield Fault(file, "does not say to `datasets` what its columns are")
        return
    for name, feature in features.items():
        if said[name] != feature:
            what = f"does not say to `datasets` what the column {name} is"
            yield Fault(file, f"{what}: {_differing(said[name], feature)}")


def _differing(said: Any, meant: Mapping[str, Any]) -> str:
    """What a file says of a column, or the first names of labels that differ."""
    names = said.get("names") if isinstance(said, dict) else None
    if isinstance(names, list) and isinstance(meant.get("names"), list):
        for label, (one, other) in enumerate(zip_longest(names, meant["names"])):
            if one != other:
                return f"the label {label} is {other!r}, and not {one!r}"
    return f"{said!r:.200}"


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
        said["turned"] = orientation(picture["bytes"])
        said |= said_by(task, row)
    except UNEXPECTED as error:
        yield Fault(file, f"row {number}: cannot be read: {error!r:.200}")
        if "sha256" not in said:
            return
    yield Listed(file, task, split, name, **said)
