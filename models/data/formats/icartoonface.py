"""The published iCartoonFace: its training pictures, for recognition and detection.

The published lists and folders are looked for by name, at most three folders below
the one given. So all of these work: everything unpacked into one folder, an archive a
folder, and a release of ours::

    icartoonface_rectrain/                              a folder an identity
    icartoonface_rectrain_det.txt                       a box a picture
    icartoonface_dettrain/                              pictures
    personai_icartoonface_dettrain_anno_updatedv1.0.csv boxes; else
    icartoonface_dettrain.csv                           the list before it

The test pictures are never read: who trained on them could not be scored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from icf.errors import BadInput
from icf.icartoonface.detection import dettrain_rows
from icf.icartoonface.lines import Row
from icf.icartoonface.recognition import rectrain_rows
from icf.icartoonface.release_files import (
    DETTRAIN_BOXES,
    DETTRAIN_BOXES_BEFORE,
    DETTRAIN_FOLDER,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
)
from icf.models.data.base import LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.data.formats.faces_by_picture import FacesByPicture
from icf.models.data.formats.places import DEPTH, places_of
from icf.models.data.picture_files import read_file, state_of
from icf.names import normal_name
from icf.own_files import walk

_WANTED = frozenset(
    {
        *(RECTRAIN_FOLDER.name, RECTRAIN_LIST.name, DETTRAIN_FOLDER.name),
        *(DETTRAIN_BOXES.name, DETTRAIN_BOXES_BEFORE.name),
    }
)

Rows = Iterator[tuple[Row, str, list[float]] | BadInput]


@dataclass(frozen=True)
class _Found:
    """Where the published names are below a folder; None: nowhere."""

    rectrain: Path | None
    rectrain_list: Path | None
    dettrain: Path | None
    dettrain_list: Path | None


@dataclass(frozen=True)
class ICartoonFaceReader(Reader):
    """Reads the training pictures of whichever of the two sets is there."""

    kind: ClassVar[str] = "icartoonface"

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream the pictures of both sets, in the order of their lists.

        Raises:
            BadInput: neither set is there, or a list without its pictures or the
                other way round.
        """
        found = self._found()
        if found.rectrain and found.rectrain_list:
            rows = rectrain_rows(found.rectrain_list)
            yield from self._listed(found.rectrain, rows, recognition=True)
        if found.dettrain and found.dettrain_list:
            rows = dettrain_rows(found.dettrain_list)
            yield from self._listed(found.dettrain, rows, recognition=False)

    def read(self, key: str) -> bytes:
        """Return the bytes of a picture."""
        return read_file(self.path / key)

    def fingerprint(self) -> str:
        """Return a digest of names, sizes and times of lists and pictures."""
        found = self._found()
        lists = [p for p in (found.rectrain_list, found.dettrain_list) if p]
        folders = [p for p in (found.rectrain, found.dettrain) if p]
        pictures = (path for folder in folders for path in walk(folder))
        return state_of(self.path, (*lists, *pictures))

    def _listed(
        self, folder: Path, rows: Rows, *, recognition: bool
    ) -> Iterator[LabelledPicture | Skipped]:
        """Stream the pictures of one list, each with all its boxes."""
        faces = FacesByPicture(folder)
        for each in rows:
            if isinstance(each, BadInput):
                yield Skipped(str(each), "a row that cannot be read")
                continue
            row, name, (x1, y1, x2, y2) = each
            identity = normal_name(name.rpartition("/")[0]) if recognition else ""
            face = LabelledFace((x1, y1, x2, y2), identity=identity or None)
            where = f"{row.path.name}, line {row.number}"
            if skipped := faces.add(where, name, face):
                yield skipped
        above = f"{folder.relative_to(self.path).as_posix()}/"
        yield from faces.pictures(above, complete=not recognition)
        yield from _unlisted(folder, faces)

    def _found(self) -> _Found:
        """Look for the published names.

        Raises:
            BadInput: nothing that can be read is there.
        """
        places = places_of(self.path, _WANTED, self.name)
        found = _Found(
            places.get(RECTRAIN_FOLDER.name),
            places.get(RECTRAIN_LIST.name),
            places.get(DETTRAIN_FOLDER.name),
            places.get(DETTRAIN_BOXES.name) or places.get(DETTRAIN_BOXES_BEFORE.name),
        )
        pairs = (
            (found.rectrain, found.rectrain_list, RECTRAIN_FOLDER, RECTRAIN_LIST),
            (found.dettrain, found.dettrain_list, DETTRAIN_FOLDER, DETTRAIN_BOXES),
        )
        for folder, boxes, folder_name, list_name in pairs:
            if bool(folder) is not bool(boxes):
                here, missing = folder or boxes, list_name if folder else folder_name
                raise BadInput(
                    f"{self.name}: there is {here}, but {missing.name} is nowhere "
                    f"below {self.path}; download it too, or move {here} away"
                )
        if not (found.rectrain or found.dettrain):
            raise BadInput(
                f"{self.name}: neither {RECTRAIN_LIST.name} nor {DETTRAIN_BOXES.name} "
                f"is in {self.path} or {DEPTH} folders below; the archives must be "
                "unpacked"
            )
        return found


def _unlisted(folder: Path, listed: FacesByPicture) -> Iterator[Skipped]:
    """Yield the pictures that the list does not have."""
    above = len(os.fspath(folder)) + 1
    for path in walk(folder):
        if os.fspath(path)[above:] not in listed:
            yield Skipped(str(path), "not in the list of boxes")
