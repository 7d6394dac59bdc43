"""Write the boxes of all drawn faces that people verified, as a release has them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.app.importing.faces import SAME_FACE
from icf.app.importing.rows import MeasuredPicture, insert_ids
from icf.catalogue.annotation.schema import box_answer, box_task, verified_box
from icf.catalogue.rows import by_ids, lock_table
from icf.catalogue.schema import face
from icf.codes import BoxStatus
from icf.models.overlap import matched


def write_verified(
    connection: sa.Connection,
    annotator: str,
    pictures: Sequence[MeasuredPicture],
    images: Mapping[str, int],
) -> int:
    """Enter the verified pictures that people were not asked about here.

    They count as one person's: how many there were, a release does not say.

    Args:
        connection: a transaction that writes.
        annotator: who says so.
        pictures: of which no two have the same bytes.
        images: their ids, by SHA-256.

    Returns:
        How many pictures are new.
    """
    ids = {
        images[each.sha256]: each
        for each in pictures
        if each.given.verified is not None
    }
    if not ids:
        return 0
    lock_table(connection, box_task)  # a server may be asking about the same
    query = sa.select(box_task.c.image_id)
    rows = by_ids(connection, query, box_task.c.image_id, list(ids))
    asked = {row.image_id for row in rows}
    boxes = {key: each.given for key, each in ids.items() if key not in asked}
    if not boxes:
        return 0
    faces = _faces(connection, list(boxes))
    now = time.time()
    tasks, answers, found = [], [], list[dict[str, Any]]()
    for key, given in boxes.items():
        some = given.verified or ()
        tasks.append(
            {
                "image_id": key,
                "hidden": False,
                "status": BoxStatus.VERIFIED.value,
                "disagreement": 0.0,
                "people": 1,
                "asked_at": now,
                "changed_at": now,
            }
        )
        answers.append(
            {
                "image_id": key,
                "verdict": "boxed",
                "boxes": json.dumps(some),
                "shown": False,
                "file": given.source.path.name,
                "annotator": annotator,
                "answered_at": now,
            }
        )
        there = faces.get(key, [])
        known = _array([box for _, box in there])
        pairs = dict(matched(_array(some), known, SAME_FACE))
        for number, (x1, y1, x2, y2) in enumerate(some):
            seen = there[pairs[number]][0] if number in pairs else None
            box = {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "face_id": seen}
            found.append({"image_id": key, "people": 1, "disagreement": 0.0, **box})
    connection.execute(sa.insert(box_task), tasks)
    connection.execute(sa.insert(box_answer), answers)
    insert_ids(connection, verified_box, found)
    return len(boxes)


def _faces(
    connection: sa.Connection, images: Sequence[int]
) -> dict[int, list[tuple[int, tuple[float, ...]]]]:
    columns = face.c.id, face.c.image_id, face.c.x1, face.c.y1, face.c.x2, face.c.y2
    query = sa.select(*columns).order_by(face.c.id)
    found: dict[int, list[tuple[int, tuple[float, ...]]]] = {}
    for row in by_ids(connection, query, face.c.image_id, images):
        found.setdefault(row.image_id, []).append((row.id, tuple(row[2:])))
    return found


def _array(boxes: Sequence[Sequence[float]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array(boxes, np.float32).reshape(-1, 4)
