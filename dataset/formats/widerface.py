"""WIDER FACE: the detection set as its two lists and folders of pictures.

::

    WIDER_train/images/0--Cartoon/PICTURE
    WIDER_val/images/0--Cartoon/PICTURE
    wider_face_split/wider_face_train_bbx_gt.txt
    wider_face_split/wider_face_val_bbx_gt.txt

The list has for each picture its path, its number of faces, and a row for each: ``x y
width height`` and six attributes (blur, expression, illumination, invalid, occlusion,
pose), all 0: nobody was asked about them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.checks.widerface import check_widerface
from icf.dataset.formats.layouts import CALLED
from icf.dataset.formats.records import SPLITS, Record, Records

#: A folder is an event there; each has at most so many pictures.
_IN_FOLDER = 5_000
_LISTS = Path("wider_face_split")
_ATTRIBUTES = "0 0 0 0 0 0"


class WiderFaceWriter:
    """Pictures in folders of events, and a list of boxes for each split."""

    name: ClassVar[str] = "widerface"
    help: ClassVar[str] = "The detection set as WIDER FACE has it."

    def write(self, data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
        """Write the pictures of the detection set and the lists.

        Raises:
            BrokenMachine: a picture's bytes are missing.
        """
        (folder / _LISTS).mkdir()
        records = Records(data)
        for split in SPLITS:
            called = CALLED[split]
            images = Path(f"WIDER_{called}", "images")
            (folder / images).mkdir(parents=True)
            path = folder / _LISTS / f"wider_face_{called}_bbx_gt.txt"
            with path.open("w", encoding="ascii", newline="\n") as file:
                for number, each in enumerate(records.of("detection", split)):
                    event = Path(f"{number // _IN_FOLDER}--Cartoon")
                    (folder / images / event).mkdir(exist_ok=True)
                    yield data.put(each.placed, folder, images / event / each.name)
                    file.write(_rows(each, f"{event.name}/{each.name}"))

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every picture and box against the contents."""
        return check_widerface(files)


def _rows(record: Record, name: str) -> str:
    """Return the rows of a picture; one without a face has a row of zeros."""
    boxes = [
        f"{x1} {y1} {x2 - x1} {y2 - y1} {_ATTRIBUTES}\n"
        for x1, y1, x2, y2 in record.boxes
    ]
    rows = "".join(boxes) or f"0 0 0 0 {_ATTRIBUTES}\n"
    return f"{name}\n{len(boxes)}\n{rows}"
