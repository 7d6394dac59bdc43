"""What the columns of ImageFolder and Parquet say of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from icf.dataset.formats.base import Corners, Task

#: What a row says of where its picture is from.
TRAIL = ("licences", "url", "author")


def said_by(task: Task, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row says, by the names of `Listed`.

    Raises:
        KeyError, TypeError, ValueError: it has not the columns of the task.
    """
    said: dict[str, Any] = {
        "size": (row["width"], row["height"]),
        "says": {"sha256": row["sha256"], **{name: row.get(name) for name in TRAIL}},
    }
    if task == "detection":
        boxes, classes = row["objects"]["bbox"], row["objects"]["category"]
        if list(classes) != [0] * len(boxes):
            raise ValueError(f"the categories {classes}, of which each should be 0")
        return {**said, "boxes": tuple(map(_corners, boxes))}
    names = ("role", "album", "character")
    return {
        **said,
        "label": row["label"],
        "boxes": (_corners(row["bbox"]),),
        "says": {**said["says"], **{name: row[name] for name in names}},
    }


def _corners(box: tuple[int, int, int, int]) -> Corners:
    x, y, width, height = box
    return x, y, x + width, y + height
