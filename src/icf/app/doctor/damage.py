"""Find what the disk has lost or changed: catalogue, pictures, embeddings, crops.

The quick look compares what should be there with what is: files and their sizes, and
the checksum of each embedding. The full one reads every byte that has a hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.annotate.batch import PICTURE_FOLDER, picture_path
from icf.annotate.export import SUMS, read_sums
from icf.catalogue import tombstones
from icf.catalogue.catalogue import DamagedCatalogue
from icf.catalogue.rows import by_ids, count_rows
from icf.catalogue.schema import batch, decision, face, image, question
from icf.codes import FaceReason, ImageReason
from icf.filter.step_names import DETECT, EMBED
from icf.workspace import Workspace

Progress = Callable[[int], None]

#: What `picture_path` makes.
_CROP = re.compile(rf"{PICTURE_FOLDER}/face-(\d{{1,18}})\.jpg", re.ASCII)

#: What is lost of an image that an earlier version has dropped for it.
_LOST_IMAGE, _LOST_FACE = ImageReason.MISSING_BLOB.value, FaceReason.MISSING_BLOB.value


@dataclass(frozen=True)
class Damage:
    """What is lost or changed.

    Attributes:
        pictures: SHA-256 of the bytes that are missing or others, by image id.
        faces: ids of the faces whose embedding is missing or changed, by model.
        crops: files of batches that are missing or changed, by folder.
        hashes: what is wrong with the index of hashes.
        dropped: how many images and faces an earlier version dropped because of such
            damage.
        waiting: how many wait for bytes that are lost.
    """

    pictures: Mapping[int, str] = field(default_factory=dict)
    faces: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    crops: Mapping[Path, Mapping[int, str]] = field(default_factory=dict)
    hashes: str | None = None
    dropped: int = 0
    waiting: int = 0

    def __bool__(self) -> bool:
        """Whether anything is damaged."""
        parts = (self.pictures, self.faces, self.crops, self.hashes)
        return any(parts) or bool(self.dropped)


def find_damage(workspace: Workspace) -> Damage:
    """Look for damage, in all bytes.

    Raises:
        BrokenMachine: the catalogue cannot be read.
    """
    return Damage(
        lost_pictures(workspace, full=True),
        lost_faces(workspace),
        lost_crops(workspace, full=True),
        workspace.hashes.damage,
        count_dropped(workspace),
        _waiting(workspace),
    )


def check_catalogue(workspace: Workspace) -> list[str]:
    """What SQLite finds wrong with its file; empty for PostgreSQL."""
    if workspace.catalogue.dialect != "sqlite":
        return []
    check = "PRAGMA integrity_check(100)"
    try:
        with workspace.catalogue.read() as connection:
            rows = connection.exec_driver_sql(check).scalars().all()
    except DamagedCatalogue as error:
        return [str(error).splitlines()[0]]
    return [str(row) for row in rows if row != "ok"]


def lost_pictures(workspace: Workspace, *, full: bool) -> dict[int, str]:
    """The images whose bytes are missing or others, with their SHA-256."""
    query = sa.select(image.c.id, image.c.sha256, image.c.bytes).where(
        image.c.reason != ImageReason.TAKEN_DOWN.value
    )
    with workspace.catalogue.read() as connection:
        rows = connection.execute(query).all()
    lost = workspace.blobs.damaged({row[1]: row[2] for row in rows}, full=full)
    return {row[0]: row[1] for row in rows if row[1] in lost}


def lost_faces(workspace: Workspace) -> dict[str, NDArray[np.int64]]:
    """The faces whose embedding is missing or changed, by its model."""
    query = sa.select(face.c.embedder, face.c.id).where(face.c.embedder.is_not(None))
    by_model: dict[str, list[int]] = {}
    with workspace.catalogue.read() as connection:
        for model, key in connection.execute(query):
            by_model.setdefault(model, []).append(key)
    found = {}
    for model, keys in sorted(by_model.items()):
        ids = np.array(keys, np.int64)
        lost = ids[~workspace.vectors.has(model, ids)]
        if len(lost):
            found[model] = np.sort(lost)
    return found


def lost_crops(workspace: Workspace, *, full: bool) -> dict[Path, dict[int, str]]:
    """The crops that are missing or changed in batches whose folder is there.

    Those that questions show; with ``full`` all that a batch's list of hashes names,
    which audits have as well, and where that list is lost, all that are there: nothing
    tells what they were. What was withdrawn is not wanted.
    """
    found = {}
    with workspace.catalogue.read() as connection:
        shown = _shown(connection, workspace.root)
        sums = {folder: read_sums(folder) if full else {} for folder in shown}
        unlisted = {folder for folder in shown if full and not sums[folder]}
        for folder, wanted in shown.items():
            wanted |= _faces_in(_files(folder) if folder in unlisted else sums[folder])
            wanted -= tombstones.withdrawn_faces(connection, wanted)
    for folder, wanted in shown.items():
        names = {key: picture_path(key) for key in sorted(wanted)}
        lost = {
            key: name
            for key, name in names.items()
            if folder in unlisted
            or not _is_whole(folder / name, sums[folder].get(name))
        }
        if lost:
            found[folder] = lost
    return found


def emptied_batches(workspace: Workspace) -> list[Path]:
    """The folders of batches that are there, and have nothing in them."""
    query = sa.select(batch.c.path).where(batch.c.questions > 0, batch.c.path != "")
    with workspace.catalogue.read() as connection:
        paths = connection.execute(query).scalars().all()
    folders = [workspace.root / path for path in sorted(set(paths))]
    return [each for each in folders if each.is_dir() and not any(each.iterdir())]


def _shown(connection: sa.Connection, root: Path) -> dict[Path, set[int]]:
    """The faces that the questions of each batch show, by its folder if that is there.

    None for the batches of audits, whose labels are no questions.
    """
    query = sa.select(batch.c.id, batch.c.path).where(batch.c.path != "")
    folders = {key: root / path for key, path in connection.execute(query)}
    folders = {key: each for key, each in folders.items() if _is_made(each)}
    shown: dict[Path, set[int]] = {folder: set() for folder in folders.values()}
    asked = sa.select(
        question.c.batch_id, question.c.face_id, question.c.reference_face_id
    ).where(question.c.batch_id.in_(sorted(folders)))
    for key, *faces in connection.execute(asked):
        shown[folders[key]].update(faces)
    return shown


def _is_made(folder: Path) -> bool:
    return (folder / PICTURE_FOLDER).is_dir() or (folder / SUMS).is_file()


def _files(folder: Path) -> list[str]:
    """The files among a batch's pictures, as its list of hashes names them."""
    pictures = folder / PICTURE_FOLDER
    if not pictures.is_dir():
        return []
    return [f"{PICTURE_FOLDER}/{each.name}" for each in pictures.iterdir()]


def _faces_in(names: Iterable[str]) -> set[int]:
    """The faces of the crops among files of a batch."""
    named = map(_CROP.fullmatch, names)
    return {int(each[1]) for each in named if each is not None}


def _is_whole(path: Path, sha256: str | None) -> bool:
    try:
        if sha256 is None:
            return path.stat().st_size > 0
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False


def _waiting(workspace: Workspace) -> int:
    """How many rows wait for a step that reads pictures."""
    with workspace.catalogue.read() as connection:
        return sum(
            count_rows(connection, table, table.c.awaits == step)
            for table, step in ((image, DETECT), (face, EMBED))
        )


def count_dropped(workspace: Workspace) -> int:
    """How many rows earlier versions dropped for what was lost, and is there now."""
    return sum(1 for _ in dropped_for_damage(workspace)) + len(failed_faces(workspace))


def failed_faces(workspace: Workspace) -> set[int]:
    """Faces that an earlier version dropped because embeddings were lost."""
    failed = sa.select(face.c.id).where(face.c.reason == FaceReason.STEP_FAILED.value)
    lost = sa.select(decision.c.subject_id).where(
        decision.c.subject == "face", decision.c.message.startswith("MissingVector:")
    )
    with workspace.catalogue.read() as connection:
        ids = list(connection.execute(failed).scalars())
        rows = by_ids(connection, lost, decision.c.subject_id, ids)
        return {row.subject_id for row in rows}


def dropped_for_damage(workspace: Workspace) -> Iterator[tuple[str, int, str]]:
    """Images and faces that were dropped as their bytes were lost, and are back.

    Earlier versions did so.

    Yields:
        ``"image"`` or ``"face"``, its id, and the SHA-256 of the picture.
    """
    images = sa.select(sa.literal("image"), image.c.id, image.c.sha256).where(
        image.c.reason == _LOST_IMAGE
    )
    faces = (
        sa.select(sa.literal("face"), face.c.id, image.c.sha256)
        .join(image, image.c.id == face.c.image_id)
        .where(face.c.reason == _LOST_FACE)
    )
    with workspace.catalogue.read() as connection:
        rows = [
            tuple(row) for each in (images, faces) for row in connection.execute(each)
        ]
    for kind, key, sha256 in rows:
        if workspace.blobs.is_whole(sha256):
            yield kind, key, sha256
