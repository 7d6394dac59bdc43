"""YOLO, as Ultralytics lays it out: the detection set, one class.

::

    data.yaml
    images/train/NAME.jpg    labels/train/NAME.txt
    images/val/NAME.jpg      labels/val/NAME.txt

A row of labels is ``0 CENTRE_X CENTRE_Y WIDTH HEIGHT``, in shares of the upright
picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from icf.dataset.formats.base import Corners, ReleaseData, WrittenPicture
from icf.dataset.formats.records import FACE, SPLITS, Record, Records, Split

#: What YOLO calls the test: it must have a ``val``, and scores on that.
_CALLED: Mapping[Split, str] = {"train": "train", "test": "val"}

_CONFIG = f"""\
train: images/train
val: images/val
test: images/val
nc: 1
names:
  0: {FACE}
"""


class YoloWriter:
    """Pictures, a file of labels for each, and ``data.yaml``."""

    name: ClassVar[str] = "yolo"
    help: ClassVar[str] = "The detection set as Ultralytics' YOLO has it."

    def write(self, data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
        """Write the pictures of the detection set and their labels.

        Raises:
            BrokenMachine: a picture's bytes are missing.
        """
        records = Records(data)
        for split in SPLITS:
            images, labels = (
                Path(kind, _CALLED[split]) for kind in ("images", "labels")
            )
            for place in (images, labels):
                (folder / place).mkdir(parents=True)
            for each in records.of("detection", split):
                yield data.put(each.placed, folder, images / each.name)
                file = folder / labels / f"{each.name.rpartition('.')[0]}.txt"
                file.write_text(_labels(each), encoding="ascii")
        (folder / "data.yaml").write_text(_CONFIG, encoding="ascii")


def _labels(record: Record) -> str:
    return "".join(f"0 {shares(box, record.size)}\n" for box in record.boxes)


def shares(box: Corners, size: tuple[int, int]) -> str:
    """Return centre, width and height of a box in shares of its picture.

    Ten digits: to the pixel in any picture that fits into memory.

    >>> shares((10, 20, 40, 60), (200, 100))
    '0.125 0.4 0.15 0.4'
    """
    x1, y1, x2, y2 = box
    width, height = size
    numbers = (
        *((x1 + x2) / 2 / width, (y1 + y2) / 2 / height),
        *((x2 - x1) / width, (y2 - y1) / height),
    )
    return " ".join(f"{number:.10g}" for number in numbers)
