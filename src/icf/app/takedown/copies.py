"""Copies of withdrawn pictures outside the workspace's stores: releases, exports.

What is below the workspace is its own, wherever the workspace was moved or copied to.
What the catalogue names elsewhere may belong to somebody else, and is touched only when
a person names it. What is not where it should be is reported, never passed over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import sqlalchemy as sa

from icf.annotate.ask import PAGE
from icf.annotate.batch import PICTURE_FOLDER
from icf.app.takedown.exports import Exported, find_in_exports
from icf.app.takedown.held import (
    BATCH,
    NOT_THERE,
    RELEASE,
    Copies,
    HeldCopies,
    Unreached,
    inside,
    own_folders,
)
from icf.app.takedown.releases import Gone, find_in_releases, remove_from_release
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import batch, face, image, release
from icf.dataset.release.files import SUMMARY
from icf.errors import IcfError, WrongUse
from icf.stores.files import is_being_written, sweep
from icf.workspace import Workspace


def find_copies(
    workspace: Workspace,
    hashes: Collection[str],
    faces: Collection[int],
    moved: Collection[Path] = (),
) -> Copies:
    """Find the releases, batches and other exports with withdrawn pictures.

    Args:
        workspace: whose catalogue names them.
        hashes: SHA-256 of the pictures.
        faces: ids of the faces.
        moved: other folders to look into: releases and batches that were moved.

    Raises:
        WrongUse: one of ``moved`` is neither a release nor a batch of this workspace.
    """
    with workspace.catalogue.read() as connection:
        exported = Exported(_images(connection, hashes), set(faces))
        gone = _gone(connection, hashes, faces)
        releases = connection.execute(sa.select(release).order_by(release.c.id)).all()
        batches = connection.execute(sa.select(batch).order_by(batch.c.id)).all()
    found = Copies()
    folders = {each.resolve() for each in moved}
    for known in ("releases", "batches"):
        sweep(workspace.root / known)
    seen = find_in_releases(workspace, releases, folders, gone, found)
    seen |= _find_in_batches(workspace, batches, folders, exported, gone.since, found)
    seen |= find_in_exports(workspace.root, folders, exported, found)
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


def remove_copies(
    workspace: Workspace, held: HeldCopies, reason: str
) -> Unreached | None:
    """Delete the copies; list those of a release in it.

    Returns:
        Why they cannot be deleted, or None.
    """
    try:
        if held.kind == RELEASE:
            return remove_from_release(workspace, held, reason)
        for name in held.files:
            inside(held.folder, name).unlink(missing_ok=True)
    except (OSError, ValueError, IcfError) as error:
        why = (
            f"its copies cannot be deleted: {error}. When that is mended, run the same "
            "command again"
        )
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


def find_warc(workspace: Workspace) -> list[Path]:
    """Return the files of what this workspace fetched; each may have any bytes."""
    return sorted((workspace.root / "warc").glob("*.warc.gz*"))


def _images(connection: sa.Connection, hashes: Collection[str]) -> dict[int, str]:
    query = sa.select(image.c.id, image.c.sha256)
    rows = by_ids(connection, query, image.c.sha256, sorted(hashes))
    return {row.id: row.sha256 for row in rows}


def _gone(
    connection: sa.Connection, hashes: Collection[str], faces: Collection[int]
) -> Gone:
    """What to look for in releases; none is older than the first of the pictures."""
    stored = sa.select(image.c.stored_at)
    shown = (
        sa.select(face.c.pixel_hash, image.c.stored_at)
        .select_from(face)
        .join(image, image.c.id == face.c.image_id)
    )
    of_faces = list(by_ids(connection, shown, face.c.id, sorted(faces)))
    rows = [*by_ids(connection, stored, image.c.sha256, sorted(hashes)), *of_faces]
    return Gone(
        frozenset(hashes),
        frozenset(row.pixel_hash for row in of_faces if row.pixel_hash),
        min((row.stored_at for row in rows), default=float("inf")),
    )


# --- batches --------------------------------------------------------------------------


def _find_in_batches(
    workspace: Workspace,
    rows: Collection[sa.Row[tuple[object, ...]]],
    moved: Collection[Path],
    exported: Exported,
    since: float,
    found: Copies,
) -> set[Path]:
    """Look into every batch; return those of ``moved`` that are batches."""
    seen = set()
    for row in rows:
        # What the page asks has no folder.
        if row.path == NOWHERE or row.format == PAGE:
            continue
        folder = (workspace.root / row.path).resolve()
        is_own = folder.is_relative_to(workspace.root)
        if not (folder.is_dir() if is_own else _is_batch(folder, row.id)):
            places = [*moved, *_own_batches(workspace.root)]
            again = next((each for each in places if _is_batch(each, row.id)), None)
            if again is not None:
                found.moved.append((batch, row.id, again))
            elif row.created_at >= since and not is_being_written(folder):
                found.unreached.append(Unreached(BATCH, str(folder), NOT_THERE))
            if again is None:
                continue
            folder, is_own = again, again.is_relative_to(workspace.root)
        if folder in moved:
            seen.add(folder)
        if files := tuple(sorted(_crops(folder, exported))):
            found.held.append(HeldCopies(folder, BATCH, is_own, files))
    return seen


def _own_batches(root: Path) -> Iterator[Path]:
    """What may be a batch in a workspace, up to two folders deep."""
    for folder in own_folders(root):
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


def _crops(folder: Path, exported: Exported) -> Iterator[str]:
    """The pictures in a batch folder; see `icf.annotate.batch.picture_path`."""
    pictures = folder / PICTURE_FOLDER
    if pictures.is_dir():
        for name in (*exported.crops(pictures), *exported.pictures(pictures)):
            yield f"{PICTURE_FOLDER}/{name}"
