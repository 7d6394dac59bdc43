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

from icf.catalogue.tombstones import full_name
from icf.dataset.formats.base import Task
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault, ReleaseFiles
from icf.dataset.formats.checks.columns import TRAIL
from icf.dataset.formats.checks.identities import check_identities
from icf.dataset.formats.checks.known import PARTS, Known
from icf.dataset.formats.checks.listed import (
    UNSAID,
    Layout,
    Listed,
    Unread,
    check_listed,
)
from icf.dataset.formats.checks.turned import orientation
from icf.dataset.formats.records import Split

_SHARD = re.compile(r"(recognition|detection)-(train|test)-\d{6}\.tar")
_DAMAGED = (tarfile.TarError, OSError, *UNEXPECTED)
#: Columns of an index that say where something is in its shard.
_PLACE = ("key", "file", "offset", "bytes", "sha256", "label")
#: Of the same row, what else its JSON says.
_FURTHER = ("width", "height", "boxes", "role")
_INDEX = (*_PLACE, *_FURTHER, "identity")
#: What ends an archive is this, and zeros.
_END, _AT_ONCE = 1024, 1 << 20
_Row = dict[str, Any]


def check_shards(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture and its labels against the contents."""
    layout = Layout({part: f"{'-'.join(part)}-*.tar" for part in PARTS})
    yield from check_listed(Known(files), layout, _all(files))
    yield from check_identities(files)


def _all(files: ReleaseFiles) -> Iterator[Listed | Fault | Unread]:
    for name in sorted(files.hashes):
        if (named := _SHARD.fullmatch(name)) is None:
            continue
        task, split = cast(Task, named[1]), cast(Split, named[2])
        rows: list[_Row] = []
        try:
            yield from _pictures(files.folder / name, task, split, rows)
        except _DAMAGED as error:
            fault = Fault(name, f"cannot be read to its end: {error!r}")
            yield Unread(fault, (task, split))
        else:
            yield from _index(files, f"{name.removesuffix('.tar')}.parquet", rows)


def _pictures(
    path: Path, task: Task, split: Split, rows: list[_Row]
) -> Iterator[Listed | Fault]:
    """Yield each picture, which its JSON follows; note what the index should say.

    Raises:
        TarError, ValueError: the archive is cut off, or is none.
    """
    with tarfile.open(path, "r:") as tar:
        members = iter(tar)
        following = next(members, None)
        while following is not None:
            picture, following = following, next(members, None)
            key = picture.name.rpartition(".")[0]
            if following is None or following.name != f"{key}.json":
                yield Fault(path.name, f"{picture.name} has no JSON behind it")
                continue
            beside, following = following, next(members, None)
            try:
                content = _content(tar, picture)
            except UNEXPECTED as error:
                yield Fault(path.name, str(error))
                continue
            row: _Row = {"key": key, "file": picture.name}
            row |= {"offset": picture.offset_data, "bytes": len(content)}
            rows.append(row)
            said: dict[str, Any] = {}
            try:
                about = json.loads(_content(tar, beside))
                said = _said(task, about)
                row |= {each: about.get(each) for each in (*_FURTHER, "label")}
                row |= {"sha256": about["sha256"], "identity": _names(about)}
                if about["key"] != key:
                    yield Fault(path.name, f"{beside.name} has the key {about['key']}")
            except UNEXPECTED as error:
                what = f"{beside.name}: cannot be read: {error!r:.200}"
                yield Fault(path.name, what)
            said["sha256"] = hashlib.sha256(content).hexdigest()
            said["turned"] = orientation(content)
            yield Listed(path.name, task, split, picture.name, **said)
        yield from _end(path, tar.offset)


def _said(task: Task, about: dict[str, Any]) -> dict[str, Any]:
    """Return what the JSON beside a picture says, by the names of `Listed`."""
    is_face = task == "recognition"
    names = ("role", "album", "character") if is_face else ()
    further = (*TRAIL, "exif_orientation")
    return {
        "size": (about["width"], about["height"]),
        "boxes": tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in about["boxes"]),
        "label": about["label"] if is_face else UNSAID,
        "says": {
            **{each: about[each] for each in ("sha256", *names)},
            **{each: about.get(each) for each in further},
        },
    }


def _names(about: dict[str, Any]) -> tuple[str | None, ...]:
    """What an identity may be called in an index: by its label too, where two are."""
    if "character" not in about:
        return (None,)
    name = full_name(about["album"], about["character"])
    return name, f"{name} ({about['label']})"


def _end(path: Path, offset: int) -> Iterator[Fault]:
    """Look at what is behind the last member; nothing that is read says it.

    Raises:
        ValueError: the archive does not end there.
    """
    with path.open("rb") as file:
        file.seek(offset)
        if file.read(_END) != bytes(_END):
            raise ValueError(f"no member and no end at byte {offset}")
        while rest := file.read(_AT_ONCE):
            if any(rest):
                yield Fault(path.name, "has something behind its end")
                return


def _index(files: ReleaseFiles, name: str, rows: list[_Row]) -> Iterator[Fault]:
    """Yield how the index beside a shard differs from it."""
    if name not in files.hashes:
        yield Fault(name, MISSING)
        return
    try:
        table = pq.read_table(files.folder / name, columns=list(_INDEX))
        found = {str(each["file"]): each for each in table.to_pylist()}
    except (pa.ArrowException, *_DAMAGED) as error:
        yield Fault(name, f"cannot be read: {error!r}")
        return
    for row in rows:
        file = row["file"]
        there = found.get(file, {})
        other = [each for each in row if not _is_in(each, there, row)]
        if not there or not set(_PLACE).isdisjoint(other):
            yield Fault(name, f"has another place or label of {file} than the shard")
        elif other:
            yield Fault(name, f"has another {other[0]} of {file} than the shard")
    if len(table) > len(rows):
        yield Fault(name, f"has {len(table):,} rows, and its shard {len(rows):,}")


def _is_in(column: str, there: _Row, row: _Row) -> bool:
    value = there.get(column)
    return value in row[column] if column == "identity" else value == row[column]


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    if file is None:
        raise ValueError(f"{member.name} is no file")
    if member.issparse():  # it may say that it is larger than any memory
        raise ValueError(f"{member.name} has holes")
    return file.read()
