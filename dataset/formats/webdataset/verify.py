"""Read what is in the shards, as it is now."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.formats.base import Task
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault, ReleaseFiles
from icf.dataset.formats.checks.identities import check_identities
from icf.dataset.formats.checks.known import PARTS, Known
from icf.dataset.formats.checks.listed import UNSAID, Layout, Listed, check_listed
from icf.dataset.formats.records import Split

_SHARD = re.compile(r"(recognition|detection)-(train|test)-\d{6}\.tar")
_DAMAGED = (tarfile.TarError, OSError, *UNEXPECTED)
#: Columns of an index that say where something is in its shard.
_PLACE = ("key", "file", "offset", "bytes", "sha256", "label")
_Row = tuple[Any, ...]


def check_shards(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture and its labels against the contents."""
    layout = Layout({part: f"{'-'.join(part)}-*.tar" for part in PARTS})
    yield from check_listed(Known(files), layout, _all(files))
    yield from check_identities(files)


def _all(files: ReleaseFiles) -> Iterator[Listed | Fault]:
    for name in sorted(files.hashes):
        if (named := _SHARD.fullmatch(name)) is None:
            continue
        task, split = cast(Task, named[1]), cast(Split, named[2])
        places: list[_Row] = []
        try:
            yield from _pictures(files.folder / name, task, split, places)
        except _DAMAGED as error:
            yield Fault(name, f"cannot be read to its end: {error!r}")
        else:
            yield from _index(files, f"{name.removesuffix('.tar')}.parquet", places)


def _pictures(
    path: Path, task: Task, split: Split, places: list[_Row]
) -> Iterator[Listed]:
    """Yield each picture, which its JSON follows; note where it is.

    Raises:
        ValueError: a picture has no JSON behind it, or one that is none.
    """
    with tarfile.open(path) as tar:
        members = iter(tar)
        for picture in members:
            content = _content(tar, picture)
            beside = next(members, None)
            key = picture.name.rpartition(".")[0]
            if beside is None or beside.name != f"{key}.json":
                raise ValueError(f"{picture.name} has no JSON behind it")
            about: dict[str, Any] = json.loads(_content(tar, beside))
            row = (key, picture.name, picture.offset_data, len(content))
            places.append((*row, about["sha256"], about.get("label")))
            yield _listed(path.name, task, split, picture.name, content, about)


def _listed(
    file: str,
    task: Task,
    split: Split,
    name: str,
    content: bytes,
    about: dict[str, Any],
) -> Listed:
    names = ("role", "album", "character") if task == "recognition" else ()
    return Listed(
        file,
        task,
        split,
        name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=(int(about["width"]), int(about["height"])),
        boxes=tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in about["boxes"]),
        label=about["label"] if task == "recognition" else UNSAID,
        says={each: about[each] for each in ("sha256", *names)},
    )


def _index(files: ReleaseFiles, name: str, places: list[_Row]) -> Iterator[Fault]:
    """Yield how the index beside a shard differs from it."""
    if name not in files.hashes:
        yield Fault(name, MISSING)
        return
    try:
        table = pq.read_table(files.folder / name, columns=list(_PLACE))
        rows = set(zip(*(table[each].to_pylist() for each in _PLACE), strict=True))
    except (pa.ArrowException, *_DAMAGED) as error:
        yield Fault(name, f"cannot be read: {error!r}")
        return
    for row in places:
        if row not in rows:
            yield Fault(name, f"has another place or label of {row[1]} than the shard")
    if len(rows) > len(places):
        yield Fault(name, f"has {len(rows):,} rows, and its shard {len(places):,}")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    if file is None:
        raise ValueError(f"{member.name} is no file")
    return file.read()
