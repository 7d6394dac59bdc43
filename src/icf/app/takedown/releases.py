"""Releases that have withdrawn pictures, or faces of pictures that stay.

They are deleted as `icf release clean` does it. What that cannot change, because it is
of an earlier version or was changed, loses at least the files that are such pictures.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.app.takedown.held import (
    NOT_THERE,
    RELEASE,
    Copies,
    HeldCopies,
    Unreached,
    inside,
    own_folders,
)
from icf.catalogue.schema import release
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.contents import Contents, read_contents
from icf.dataset.formats.icartoonface.check import FOLDERS
from icf.dataset.formats.registry import DEFAULT, RELINK, format_folders
from icf.dataset.licences import FILE as LICENCES
from icf.dataset.licences import MEMBER
from icf.dataset.release.files import CLEANING, SUMMARY, TAKEN_DOWN
from icf.dataset.release.known import is_same_release, summary_text
from icf.errors import BrokenMachine, IcfError
from icf.stores.files import replace_file
from icf.workspace import Workspace

#: Formats that have each face as a file that is named like its row.
_BY_NAME = (DEFAULT, RELINK)
#: What a summary raises that somebody wrote by hand, or cut off.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class Gone:
    """What was withdrawn.

    Attributes:
        hashes: SHA-256 of the pictures.
        faces: SHA-256 of the pixels of the faces.
        since: when the first of the pictures came; what is older has no copy.
    """

    hashes: frozenset[str]
    faces: frozenset[str]
    since: float


def find_in_releases(
    workspace: Workspace,
    rows: Collection[sa.Row[tuple[object, ...]]],
    moved: Collection[Path],
    gone: Gone,
    found: Copies,
) -> set[Path]:
    """Look into every release; return those of ``moved`` that are releases.

    A release is known by its `SUMMARY`, so one that was renamed is found, too.
    """
    own = {folder: summary_text(folder) for folder in _own_releases(workspace.root)}
    named = {folder: summary_text(folder) for folder in moved}
    own |= {folder: text for folder, text in named.items() if text is not None}
    for row in rows:
        folder = workspace.root / row.path
        if (folder / LICENCES).is_file() and folder.resolve() not in own:
            own[folder.resolve()] = row.summary
        if folder.resolve() in own:
            continue
        same = (each for each, text in own.items() if is_same_release(text, row))
        again = next(same, None)
        if again is not None:
            found.moved.append((release, row.id, again))
        elif row.created_at >= gone.since:
            why = "it has no list of its pictures" if folder.is_dir() else NOT_THERE
            found.unreached.append(Unreached(RELEASE, str(folder), why))
    folders = _by_inputs(own)
    now = workspace.settings.dataset.model_dump(mode="json")
    for folder, text in own.items():
        try:
            summary = json.loads(text or "")
            options = tuple(_options(summary, folders, now))
            held = _held_in(folder, summary, options, workspace.root, gone)
        except (*_UNREADABLE, OSError, IcfError) as error:
            found.unreached.append(Unreached(RELEASE, str(folder), f"{error}"))
            continue
        if held is not None:
            found.held.append(held)
    return {folder for folder, text in named.items() if text is not None}


def remove_from_release(
    workspace: Workspace, held: HeldCopies, reason: str
) -> Unreached | None:
    """Delete what was withdrawn from a release; list the files in its `TAKEN_DOWN`.

    Returns:
        Why it cannot be deleted, or None.

    Raises:
        OSError, IcfError: the disk is full or fails; the same again goes on.
    """
    # Imported here: they take long, and most takedowns leave releases as they are.
    from icf.dataset.takedowns.clean import clean
    from icf.dataset.takedowns.note import note_with
    from icf.dataset.takedowns.signed import withdrawn_from

    try:
        clean(held.folder, withdrawn_from(workspace), reason)
    except (FileNotFoundError, IcfError, ValueError) as error:
        if isinstance(error, BrokenMachine) or (held.folder / CLEANING).is_dir():
            raise  # it is not the release: the same again can do it
        if not held.members:
            note = note_with(held.folder, held.files, reason)
            replace_file(held.folder / TAKEN_DOWN, [note])
            for name in held.files:
                inside(held.folder, name).unlink(missing_ok=True)
        if held.members or (held.faces and not set(held.formats).issubset(_BY_NAME)):
            why = (
                f"{held.size} cannot be deleted from it: {error}. For other copies of "
                "it: `icf release takedowns` and `icf release clean`"
            )
            return Unreached(RELEASE, str(held.folder), why)
    return None


def _own_releases(root: Path) -> Iterator[Path]:
    """The releases in a workspace, up to two folders deep."""
    for folder in own_folders(root):
        for text in (*folder.glob(SUMMARY), *folder.glob(f"*/{SUMMARY}")):
            resolved = text.parent.resolve()
            if not text.parent.name.startswith(".") and resolved.is_relative_to(root):
                yield resolved


def _by_inputs(own: Mapping[Path, str | None]) -> dict[str, Path]:
    """The folder of each release by the hash of its inputs."""
    found: dict[str, Path] = {}
    for folder, text in own.items():
        with suppress(*_UNREADABLE):
            found[str(json.loads(text or "")["inputs"])] = folder
    return found


def _options(
    summary: Mapping[str, Any], folders: Mapping[str, Path], now: Mapping[str, Any]
) -> list[str]:
    """What a release was made with, beside its seed, formats and crops.

    Args:
        summary: its `SUMMARY`.
        folders: of the releases on this disk, by the hash of their inputs.
        now: the workspace's settings of its section ``dataset``.
    """
    words: list[str] = []
    if summary.get("detection_boxes") == "proposed":
        words += ["--boxes", "proposed"]
    if "after" in summary:
        earlier = folders.get(summary["after"]["inputs"])
        words += ["--after", "RELEASE" if earlier is None else str(earlier)]
    if "protocol" in summary:
        words += ["--protocol", "FILE"]
    made = summary.get("settings", {}).get("dataset", {})
    for name in sorted(now.keys() & made.keys() - {"boxes"}):
        if made[name] != now[name]:
            words += ["--set", f"dataset.{name}={json.dumps(made[name])}"]
    return words


def _held_in(
    folder: Path,
    read: dict[str, Any],
    options: tuple[str, ...],
    root: Path,
    gone: Gone,
) -> HeldCopies | None:
    """What a release has of it; None: nothing.

    A picture that is withdrawn goes with its faces, which are not counted once more.
    """
    with (folder / LICENCES).open(encoding="utf-8", newline="") as file:
        rows = {
            (row["file"], row["sha256"], bool(row.get(MEMBER)))
            for row in csv.DictReader(file)
        }
    hits = [
        row
        for row in rows
        if row[1] in gone.hashes and inside(folder, row[0]).is_file()
    ]
    faces, of_faces = _faces_in(folder, read, gone)
    pictures = len({sha256 for _, sha256, _ in hits})
    cut_short = (folder / CLEANING).is_dir()
    if not pictures and not faces and not cut_short:
        return None
    settings = read.get("settings", {}).get("crops")
    return HeldCopies(
        folder,
        RELEASE,
        folder.is_relative_to(root),
        tuple(sorted({*(name for name, _, _ in hits), *of_faces})),
        pictures,
        faces,
        any(is_member for _, _, is_member in hits),
        int(read["seed"]),
        tuple(format_folders(read)),
        None if settings is None else float(settings["rate"]),
        options,
        cut_short,
    )


def _faces_in(
    folder: Path, summary: dict[str, object], gone: Gone
) -> tuple[int, list[str]]:
    """How many withdrawn faces a release has of pictures that stay, and their files.

    Releases of earlier versions do not tell their faces.
    """
    if not gone.faces or not (folder / CONTENTS).is_file():
        return 0, []
    contents = read_contents(folder / CONTENTS)
    is_gone = np.isin(contents.face_pixel_hash, _column(gone.faces))
    stays = ~np.isin(contents.sha256, _column(gone.hashes))
    hits = contents.take(is_gone & stays)
    names = _files_of(hits, summary)
    there = [name for name in names if inside(folder, name).is_file()]
    if not there and set(format_folders(summary)).issubset(_BY_NAME):
        return 0, []  # an earlier takedown deleted the files
    return len(set(hits.face_pixel_hash.tolist())), there


def _column(hashes: Collection[str]) -> np.ndarray[tuple[int], np.dtype[np.bytes_]]:
    return np.array([each.encode() for each in sorted(hashes)], "S64")


def _files_of(contents: Contents, summary: dict[str, object]) -> list[str]:
    """The files of rows in the formats that name them like the row."""
    return [
        (Path(place) / FOLDERS[part] / name).as_posix()
        for kind, place in format_folders(summary).items()
        if kind in _BY_NAME
        for part, name in zip(
            contents.part.tolist(), contents.name.tolist(), strict=True
        )
    ]
