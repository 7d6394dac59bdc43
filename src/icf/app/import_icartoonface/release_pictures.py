"""Where a release has the bytes of its pictures, and of faces that are cut out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icf.app.import_icartoonface.release_tables import inside
from icf.app.importing.given import PictureAt
from icf.dataset import contents
from icf.dataset.formats.crops import crop_rectangle
from icf.dataset.formats.registry import format_folders, lists_folder, parts_held
from icf.dataset.stored.pictures import InFile, StoredPictures
from icf.errors import BadInput
from icf.icartoonface.release_files import (
    DETTEST_FOLDER,
    DETTRAIN_FOLDER,
    RECTEST_FOLDER,
    RECTRAIN_FOLDER,
)
from icf.models.data.base import Box
from icf.models.data.picture_files import KnownFiles

_FOLDERS = {
    contents.TRAIN: RECTRAIN_FOLDER,
    contents.PROBE: RECTEST_FOLDER,
    contents.DISTRACTOR: RECTEST_FOLDER,
    contents.DETECTION_TRAIN: DETTRAIN_FOLDER,
    contents.DETECTION_TEST: DETTEST_FOLDER,
}
#: The layouts in which every whole picture is a file under a name of its own.
_LOOSE = ("icartoonface", "relink")


@dataclass(frozen=True)
class CutOut:
    """A face that a release has cut out.

    Attributes:
        place: the bytes of the crop.
        box: of the face in it.
    """

    place: PictureAt
    box: Box


class ReleasePictures:
    """The pictures of a release.

    Args:
        root: its folder.
        summary: its ``release.json``.
        table: its rows.

    Raises:
        BadInput: it has pictures in no format that they can be taken from.
    """

    def __init__(
        self, root: Path, summary: Mapping[str, Any], table: contents.Contents
    ) -> None:
        self._table = table
        self._crops = summary.get("settings", {}).get("crops")
        self._held = parts_held(summary, contents.PARTS)
        formats = format_folders(summary)
        loose = next((formats[name] for name in _LOOSE if name in formats), None)
        #: Whole pictures by name; None: they are found by their hash.
        self._above = root / inside(root, loose) if loose is not None else None
        self._known: dict[str, KnownFiles] = {}
        self._stored: StoredPictures | None = None
        if self._above is not None and self._crops is None:
            # A name never leads out of its folder.
            self._known = {
                part: KnownFiles(self._above / each) for part, each in _FOLDERS.items()
            }
        else:
            self._stored = StoredPictures(root, summary, table)
            _refuse_squares(root, formats)
            if self._crops is not None and not table.width.all():
                raise BadInput(
                    f"{root}: this release has crops, and an earlier version wrote it: "
                    "it does not say where in its crops the boxes are; import one "
                    "without --crops"
                )

    def whole(self, part: str, name: str, sha256: str) -> PictureAt | None:
        """Where a whole picture is; None: it is not there."""
        if self._stored is None:
            there = self._known[part].find(name) if self._above is not None else None
            return Path(self.called(part, there)) if there is not None else None
        place = self._stored.place(sha256)
        if isinstance(place, InFile):
            return place.path if place.path.is_file() else None
        return place

    def crop(self, row: int) -> CutOut | None:
        """Where a face is that is cut out; None: it is not."""
        if self._stored is None or self._crops is None:
            return None
        table = self._table
        place = self._stored.crop_place(str(table.name[row]).rpartition("/")[2])
        if place is None:
            return None
        x1, y1, x2, y2 = table.corners[row].tolist()
        size = int(table.width[row]), int(table.height[row])
        part = crop_rectangle((x1, y1, x2, y2), size, float(self._crops["rate"]))
        box = (x1 - part.x1, y1 - part.y1, x2 - part.x1, y2 - part.y1)
        return CutOut(place.path if isinstance(place, InFile) else place, box)

    def is_held(self, part: str) -> bool:
        """Whether a format of the release has the pictures of a part."""
        return part in self._held

    def called(self, part: str, name: str) -> str:
        """How a picture is called in messages."""
        if self._above is None:
            return f"{part}/{name}"
        return str(self._above / _FOLDERS[part] / name)


def lists_of(root: Path, summary: Mapping[str, Any]) -> Path | None:
    """Return the folder of iCartoonFace's lists; None: the release has none.

    Raises:
        BadInput: it leads out of the release.
    """
    found = lists_folder(summary)
    return None if found is None else root / inside(root, found)


def _refuse_squares(root: Path, formats: Mapping[str, str]) -> None:
    """Refuse a release that has nothing but crops of formats that only have crops."""
    if set(formats) <= {"insightface", "lfw", "icartoonface-lists"}:
        raise BadInput(
            f"{root}: this release has crops of {' and '.join(sorted(formats))} alone, "
            "whose pictures are cut and scaled for that format; import one with whole "
            "pictures, or with --crops in another format"
        )
