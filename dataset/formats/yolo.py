"""YOLO, as Ultralytics lays it out: the detection set, one class.

::

    data.yaml
    images/train/NAME.jpg    labels/train/NAME.txt
    images/val/NAME.jpg      labels/val/NAME.txt

A row of labels is ``0 CENTRE_X CENTRE_Y WIDTH HEIGHT``, in shares of the upright
picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.checks.yolo import check_yolo
from icf.dataset.formats.layouts import CALLED, CONFIG, DATA_YAML
from icf.dataset.formats.records import SPLITS, Record, Records
from icf.images.shares import shares


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
                Path(kind, CALLED[split]) for kind in ("images", "labels")
            )
            for place in (images, labels):
                (folder / place).mkdir(parents=True)
            for each in records.of("detection", split):
                yield data.put(each.placed, folder, images / each.name)
                file = folder / labels / f"{each.name.rpartition('.')[0]}.txt"
                file.write_text(_labels(each), encoding="ascii")
        (folder / DATA_YAML).write_text(CONFIG, encoding="ascii")

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every picture and box against the contents."""
        return check_yolo(files)


def _labels(record: Record) -> str:
    return "".join(f"0 {shares(box, record.size)}\n" for box in record.boxes)
