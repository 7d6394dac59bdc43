"""YOLO's labels: a text file beside each picture, and ``data.yaml``.

A row is ``0 CENTRE_X CENTRE_Y WIDTH HEIGHT``, in shares of the upright picture; the
file of a picture without a face is empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from icf.annotate.boxes.exchange.rows import ExportedPicture
from icf.images.shares import shares

NAME = "yolo"

_CONFIG = """\
# Nothing is set aside: val has the pictures of train. Divide them, and keep pictures
# that are alike together, before you believe a figure.
train: pictures
val: pictures
nc: 1
names:
  0: face
"""


def write_yolo(pictures: Iterable[ExportedPicture]) -> dict[str, bytes]:
    """The files that say where the faces of verified pictures are, by name."""
    files = {"data.yaml": _CONFIG.encode()}
    for each in pictures:
        boxes = [] if each.boxes is None else each.boxes.tolist()
        rows = (f"0 {shares(box, (each.width, each.height))}\n" for box in boxes)
        name = Path(each.path).with_suffix(".txt").as_posix()
        files[name] = "".join(rows).encode()
    return files
