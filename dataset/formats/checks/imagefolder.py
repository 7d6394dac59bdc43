"""Read the metadata of the format ImageFolder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from icf.dataset.formats.base import Task
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault, ReleaseFiles
from icf.dataset.formats.checks.columns import said_by
from icf.dataset.formats.checks.identities import check_identities
from icf.dataset.formats.checks.known import PARTS, Known
from icf.dataset.formats.checks.listed import Layout, Listed, Unread, check_listed
from icf.dataset.formats.layouts import METADATA, identity_folder
from icf.dataset.formats.records import Split


def check_imagefolder(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture, label and box against the contents."""
    layout = Layout({part: f"{'/'.join(part)}/{METADATA}" for part in PARTS})
    known = Known(files)
    yield from check_listed(known, layout, _all(files, known))
    yield from check_identities(files)


def _all(files: ReleaseFiles, known: Known) -> Iterator[Listed | Fault | Unread]:
    for task, split in PARTS:
        above = f"{task}/{split}/"
        file = f"{above}{METADATA}"
        if file not in files.hashes:
            yield Fault(file, MISSING)
            continue
        pictures = set()
        try:
            for each in _rows(files, file, task, split):
                if isinstance(each, Fault):
                    yield each
                    continue
                pictures.add(each.picture)
                yield from _in_its_folder(each, known)
                yield each
        except OSError as error:
            fault = Fault(file, f"cannot be read to its end: {error!r}")
            yield Unread(fault, (task, split))
            continue
        for name in files.hashes:
            if name.startswith(above) and name != file and name not in pictures:
                yield Fault(name, f"is in no row of {file}")


def _in_its_folder(each: Listed, known: Known) -> Iterator[Fault]:
    """Hold the folder against the identity: many loaders take it for the label."""
    row = known.row(each.task, each.split, each.name)
    if each.task == "recognition" and row is not None:
        meant = identity_folder(known.label(row))
        if each.picture.split("/")[2] != meant:
            yield Fault(each.picture, f"is in another folder than that of {meant}")


def _rows(
    files: ReleaseFiles, file: str, task: Task, split: Split
) -> Iterator[Listed | Fault]:
    with (files.folder / file).open("rb") as opened:
        for number, line in enumerate(opened, 1):
            try:
                row = json.loads(line.decode("utf-8"))
                inside = str(row["file_name"])
            except UNEXPECTED as error:
                what = f"line {number}: cannot be read to its end: {error!r:.200}"
                yield Fault(file, what)
                continue
            said: dict[str, Any] = {}
            try:
                said = said_by(task, row)
            except UNEXPECTED as error:
                yield Fault(file, f"line {number}: cannot be read: {error!r:.200}")
            yield Listed(
                file,
                task,
                split,
                inside.rpartition("/")[2],
                place=f"line {number}",
                picture=f"{task}/{split}/{inside}",
                **said,
            )
