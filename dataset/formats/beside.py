"""Tables beside the files: how pictures lie in those they were made from.

``exif_turned.csv`` lists the pictures that EXIF turns. Files keep the bytes that were
fetched. Width, height and boxes are those of the upright picture in every format, so
whoever opens pictures by a library that ignores EXIF must turn those that are listed,
or leave them out.

``crops.csv`` has for each file that ``--crops`` cut out the part of the upright picture
that it shows, and its hash. The hash in ``licences.csv`` is that of the whole picture,
as fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.images.exif import SWAPS_SIDES
from icf.spreadsheet import write_csv

#: In the release's folder, each only where it has rows.
TURNED, CROPS = "exif_turned.csv", "crops.csv"

_TURNED_COLUMNS = ("file", "member", "orientation", "width", "height")
_CROPS_COLUMNS = ("file", "member", "x1", "y1", "x2", "y2", "crop_sha256")

#: Each picture with its file, relative to the release.
Written = Sequence[tuple[str, WrittenPicture]]


def write_beside(data: ReleaseData, written: Written, folder: Path) -> None:
    """Write both tables.

    Args:
        data: what was written.
        written: in the order of the formats.
        folder: the release's.
    """
    for name, columns, rows in (
        (TURNED, _TURNED_COLUMNS, list(_turned(data, written))),
        (CROPS, _CROPS_COLUMNS, list(_crops(data, written))),
    ):
        if rows:
            write_csv(folder / name, columns, rows)


def _turned(data: ReleaseData, written: Written) -> Iterator[tuple[object, ...]]:
    """Yield orientation (2 to 8), width and height as *stored*, of what is turned."""
    for file, each in written:
        turned = data.turned.get(each.placed.picture)
        if turned is not None and each.crop is None:
            sides = data.plan.selection.pictures.size[each.placed.picture].tolist()
            width, height = sides[::-1] if turned in SWAPS_SIDES else sides
            yield file, each.member, turned, width, height


def _crops(data: ReleaseData, written: Written) -> Iterator[tuple[object, ...]]:
    for file, each in written:
        if (part := each.crop) is not None:
            sha256 = each.sha256 or data.cropped[each.placed.face].hex()
            yield file, each.member, part.x1, part.y1, part.x2, part.y2, sha256
