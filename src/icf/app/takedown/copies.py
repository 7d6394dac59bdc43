"""Copies of withdrawn pictures outside the workspace's stores: releases, batches.

What is below the workspace is its own, wherever the workspace was moved or copied to.
What the catalogue names elsewhere may belong to somebody else, and is touched only when
a person names it. What is not where it should be is reported, never passed over.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from icf.catalogue.rows import by_ids
from icf.catalogue.schema import batch, image, release
from icf.dataset.formats.registry import DEFAULT, format_folders
from icf.dataset.licences import FILE as LICENCES
from icf.dataset.release.files import SUMMARY
from icf.errors import WrongUse
from icf.stores.files import is_being_written, replace_file, sweep
from icf.workspace import Workspace

#: The file in a release that lists the pictures deleted from it.
NOTE = "taken_down.json"

#: Folders of a workspace that have no releases, and may have very many files.
_STORES = {"blobs", "vectors", "hashes", "models", "warc"}

RELEASE, BATCH = "release", "batch"


@dataclass(frozen=True)
class HeldCopies:
    """A release or batch on this disk that contains withdrawn pictures.

    Attributes:
        folder: where it is.
        kind: `RELEASE` or `BATCH`.
        inside: whether it is in the workspace.
        files: the copies, relative to the folder.
        seed: the random seed that a release was made with.
        formats: the formats that a release was made in.
        crops: the rate at which its faces were cut out; None: it has whole pictures.
    """

    folder: Path
    kind: str
    inside: bool
    files: tuple[str, ...]
    seed: int = 0
    formats: tuple[str, ...] = ()
    crops: float | None = None

    @property
    def remedy(self) -> str:
        """The command that makes a release again without them."""
        again = self.folder.with_name(f"{self.folder.name}-without")
        words = ["icf-build-splits", str(again), "--seed", str(self.seed)]
        if self.formats != (DEFAULT,):
            words += [word for name in self.formats for word in ("--format", name)]
        if self.crops is not None:
            words += ["--crops", f"{self.crops:g}"]
        return " ".join(words)


@dataclass(frozen=True)
class Unreached:
    """A release or batch that may contain withdrawn pictures, and cannot be looked at.

    Attributes:
        kind: `RELEASE` or `BATCH`.
        path: where it should be.
        why: why it cannot be looked at.
    """

    kind: str
    path: str
    why: str


@dataclass(frozen=True)
class Copies:
    """What was found, and what was not.

    Attributes:
        held: the copies.
        unreached: where there may be more.
        moved: the table, the key and the new place of what was moved.
    """

    held: list[HeldCopies] = field(default_factory=list)
    unreached: list[Unreached] = field(default_factory=list)
    moved: list[tuple[sa.Table, object, Path]] = field(default_factory=list)


def find_copies(
    workspace: Workspace,
    hashes: Collection[str],
    faces: Collection[int],
    moved: Collection[Path] = (),
) -> Copies:
    """Find the releases and batches with withdrawn pictures.

    Args:
        workspace: whose catalogue names them.
        hashes: SHA-256 of the pictures.
        faces: ids of the faces.
        moved: other folders to look into: releases and batches that were moved.

    Raises:
        WrongUse: one of ``moved`` is neither a release nor a batch of this workspace.
    """
    with workspace.catalogue.read() as connection:
        since = _first_stored(connection, hashes)
        releases = connection.execute(sa.select(release).order_by(release.c.id)).all()
        batches = connection.execute(sa.select(batch).order_by(batch.c.id)).all()
    found = Copies()
    folders = {each.resolve() for each in moved}
    for known in ("releases", "batches"):
        sweep(workspace.root / known)
    seen = _find_in_releases(workspace, releases, folders, set(hashes), since, found)
    seen |= _find_in_batches(workspace, batches, folders, set(faces), since, found)
    for folder in sorted(folders - seen):
        raise WrongUse(
            f"{folder} is no release and no batch of this workspace; name the folder "
            f"that has the release's {SUMMARY}, or the batch's questions"
        )
    return found


def store_moved(workspace: Workspace, found: Copies) -> None:
    """Store where releases and batches are now."""
    with workspace.catalogue.write() as connection:
        for table, key, folder in found.moved:
            path = workspace.stored_path(folder)
            moved = sa.update(table).where(table.c.id == key).values(path=path)
            connection.execute(moved)


def remove_copies(held: HeldCopies, reason: str) -> Unreached | None:
    """Delete the copies; list those of a release in its `NOTE`.

    Returns:
        Why they cannot be deleted, or None.
    """
    try:
        if held.kind == RELEASE:
            _write_note(held, reason)
        for name in held.files:
            _inside(held.folder, name).unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        why = f"its copies cannot be deleted: {error}"
        return Unreached(held.kind, str(held.folder), why)
    return None


def forget(workspace: Workspace, gone: Collection[Path]) -> None:
    """Forget releases and batches that do not exist any more.

    Raises:
        WrongUse: one of them exists, or the catalogue does not name it.
    """
    for path in gone:
        names = {workspace.stored_path(path), str(path), str(path.absolute())}
        if path.exists():
            raise WrongUse(f"{path} exists; --gone is for what was deleted everywhere")
        with workspace.catalogue.write() as connection:
            of_releases = sa.delete(release).where(release.c.path.in_(names))
            of_batches = (
                sa.update(batch).where(batch.c.path.in_(names)).values(path=NOWHERE)
            )
            statements = (of_releases, of_batches)
            if not sum(connection.execute(each).rowcount for each in statements):
                raise WrongUse(
                    f"the catalogue names no release and no batch {path}; give the "
                    "path that the takedown named"
                )


#: The path of a batch whose folder does not exist any more.
NOWHERE = ""


def find_reports(workspace: Workspace) -> list[Path]:
    """Return the reports of this workspace; each may show thumbnails of anything."""
    return sorted((workspace.root / "reports").glob("*.html"))


def _first_stored(connection: sa.Connection, hashes: Collection[str]) -> float:
    """When the first of the pictures came; what is older cannot have a copy."""
    stored = sa.select(image.c.stored_at)
    rows = by_ids(connection, stored, image.c.sha256, sorted(hashes))
    return min((row.stored_at for row in rows), default=float("inf"))


# --- releases -------------------------------------------------------------------------


def _find_in_releases(
    workspace: Workspace,
    rows: Collection[sa.Row[tuple[object, ...]]],
    moved: Collection[Path],
    hashes: Collection[str],
    since: float,
    found: Copies,
) -> set[Path]:
    """Look into every release; return those of ``moved`` that are releases.

    A release is known by its `SUMMARY`, so one that was renamed is found, too.
    """
    own = {folder: _summary(folder) for folder in _own_releases(workspace.root)}
    named = {folder: _summary(folder) for folder in moved}
    own |= {folder: text for folder, text in named.items() if text is not None}
    for row in rows:
        folder = workspace.root / row.path
        if (folder / LICENCES).is_file() and folder.resolve() not in own:
            own[folder.resolve()] = row.summary
        if folder.resolve() in own:
            continue
        again = next((each for each, text in own.items() if text == row.summary), None)
        if again is not None:
            found.moved.append((release, row.id, again))
        elif row.created_at >= since:
            why = "it has no list of its pictures" if folder.is_dir() else NOT_THERE
            found.unreached.append(Unreached(RELEASE, str(folder), why))
    for folder, text in own.items():
        try:
            files = _copies_in(folder, hashes)
            made = _made_by(text or "")
        except (OSError, ValueError, KeyError, TypeError) as error:
            found.unreached.append(Unreached(RELEASE, str(folder), f"{error}"))
            continue
        if files:
            inside = folder.is_relative_to(workspace.root)
            found.held.append(HeldCopies(folder, RELEASE, inside, files, *made))
    return {folder for folder, text in named.items() if text is not None}


NOT_THERE = "it is not there"


def _own_releases(root: Path) -> Iterator[Path]:
    """The releases in a workspace, up to two folders deep."""
    for folder in _own_folders(root):
        for text in (*folder.glob(SUMMARY), *folder.glob(f"*/{SUMMARY}")):
            resolved = text.parent.resolve()
            if not text.parent.name.startswith(".") and resolved.is_relative_to(root):
                yield resolved


def _own_folders(root: Path) -> Iterator[Path]:
    for folder in sorted(root.iterdir()):
        hidden = folder.name.startswith(".") or folder.is_symlink()
        if folder.is_dir() and not hidden and folder.name not in _STORES:
            yield folder


def _summary(folder: Path) -> str | None:
    try:
        return (folder / SUMMARY).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _made_by(summary: str) -> tuple[int, tuple[str, ...], float | None]:
    """The seed, the formats and the rate of the crops of a release."""
    read = json.loads(summary)
    crops = read.get("settings", {}).get("crops")
    rate = None if crops is None else float(crops["rate"])
    return int(read["seed"]), tuple(format_folders(read)), rate


def _copies_in(folder: Path, hashes: Collection[str]) -> tuple[str, ...]:
    with (folder / LICENCES).open(encoding="utf-8", newline="") as file:
        rows = {(row["file"], row["sha256"]) for row in csv.DictReader(file)}
    return tuple(
        name
        for name, sha256 in sorted(rows)
        if sha256 in hashes and _inside(folder, name).is_file()
    )


def _write_note(held: HeldCopies, reason: str) -> None:
    note = held.folder / NOTE
    known = json.loads(note.read_text(encoding="utf-8")) if note.exists() else []
    entry = {"files": list(held.files), "reason": reason, "taken_at": time.time()}
    text = json.dumps([*known, entry], indent=2) + "\n"
    replace_file(note, [text.encode("utf-8")])


# --- batches --------------------------------------------------------------------------


def _find_in_batches(
    workspace: Workspace,
    rows: Collection[sa.Row[tuple[object, ...]]],
    moved: Collection[Path],
    faces: Collection[int],
    since: float,
    found: Copies,
) -> set[Path]:
    """Look into every batch; return those of ``moved`` that are batches."""
    seen = set()
    for row in rows:
        if row.path == NOWHERE:
            continue
        folder = (workspace.root / row.path).resolve()
        inside = folder.is_relative_to(workspace.root)
        if not (folder.is_dir() if inside else _is_batch(folder, row.id)):
            places = [*moved, *_own_batches(workspace.root)]
            again = next((each for each in places if _is_batch(each, row.id)), None)
            if again is not None:
                found.moved.append((batch, row.id, again))
            elif row.created_at >= since and not is_being_written(folder):
                found.unreached.append(Unreached(BATCH, str(folder), NOT_THERE))
            if again is None:
                continue
            folder, inside = again, again.is_relative_to(workspace.root)
        if folder in moved:
            seen.add(folder)
        if files := tuple(sorted(_crops(folder, faces))):
            found.held.append(HeldCopies(folder, BATCH, inside, files))
    return seen


def _own_batches(root: Path) -> Iterator[Path]:
    """What may be a batch in a workspace, up to two folders deep."""
    for folder in _own_folders(root):
        for pictures in (*folder.glob("pictures"), *folder.glob("*/pictures")):
            # A hidden one is being written: whoever does so looks at tombstones.
            if not pictures.parent.name.startswith("."):
                yield pictures.parent.resolve()


def _is_batch(folder: Path, batch_id: str) -> bool:
    """Whether a file of questions in a folder names the batch."""
    return any(
        batch_id.encode() in path.read_bytes()
        for pattern in ("*.csv", "*.json")
        for path in folder.glob(pattern)
    )


def _crops(folder: Path, faces: Collection[int]) -> Iterator[str]:
    """The crops of faces in a batch folder; see `icf.annotate.batch.picture_path`."""
    for crop in (folder / "pictures").glob("face-*.jpg"):
        number = crop.stem.removeprefix("face-")
        if number.isdecimal() and int(number) in faces:
            yield f"pictures/{crop.name}"


def _inside(folder: Path, name: str) -> Path:
    """Resolve a file of a release; never one outside of the release."""
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) else folder / LICENCES / "no"
