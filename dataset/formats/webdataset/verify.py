"""Read what is in the shards, as it is now."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from icf.dataset.formats.base import Task
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.packed import Packed, check_packed
from icf.dataset.formats.records import Split

_SHARD = re.compile(r"(recognition|detection)-(train|test)-\d{6}\.tar")


def check_shards(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture and its labels against the contents."""
    faults: list[Fault] = []
    yield from check_packed(files, _all(files, faults))
    yield from faults


def _all(files: ReleaseFiles, faults: list[Fault]) -> Iterator[Packed]:
    for name in sorted(files.hashes):
        if (named := _SHARD.fullmatch(name)) is None:
            continue
        task, split = cast(Task, named[1]), cast(Split, named[2])
        try:
            yield from _pictures(files.folder / name, task, split)
        except (tarfile.TarError, OSError, ValueError, KeyError, TypeError) as error:
            faults.append(Fault(name, f"cannot be read to its end: {error!r}"))


def _pictures(path: Path, task: Task, split: Split) -> Iterator[Packed]:
    """Yield each picture, which its JSON follows.

    Raises:
        ValueError: a picture has no JSON behind it, or one that is none.
    """
    with tarfile.open(path) as tar:
        members = iter(tar)
        for picture in members:
            sha256 = hashlib.sha256(_content(tar, picture)).hexdigest()
            beside = next(members, None)
            key = picture.name.rpartition(".")[0]
            if beside is None or beside.name != f"{key}.json":
                raise ValueError(f"{picture.name} has no JSON behind it")
            about: dict[str, Any] = json.loads(_content(tar, beside))
            size = int(about["width"]), int(about["height"])
            face: dict[str, Any] = {}
            if task == "recognition":
                x1, y1, x2, y2 = about["boxes"][0]
                face = {"label": about["label"], "box": (x1, y1, x2, y2)}
            yield Packed(path.name, task, split, picture.name, sha256, size, **face)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    if file is None:
        raise ValueError(f"{member.name} is no file")
    return file.read()
