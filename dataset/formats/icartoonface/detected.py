"""Detections to score: a submission, or the lines that ``icf detect --json`` prints."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from icf.icartoonface.detection import Detections, read_submission_csv
from icf.icartoonface.lines import Lines, Row, read_rows

#: The kind of face that the test's boxes are of.
_KIND = "cartoon"
_KINDS = {"cartoon", "human"}


def read_detections(path: Path, pictures: Collection[str]) -> Detections:
    """Read detections, in the file's order; printed lines by their scores.

    Args:
        path: A submission as CSV, or JSON Lines of ``icf detect``.
        pictures: The names of the test's pictures. A printed path that is none of them
            is taken by its last part.

    Raises:
        BadInput: As `read_submission_csv`; a line is not what ``icf detect`` prints,
            or two lines are of one picture.
    """
    rows, style = read_rows(path)
    rows = [row for row in rows if row.text.strip()]
    if not rows or not rows[0].text.lstrip().startswith("{"):
        return read_submission_csv(path)
    known, names = set(pictures), dict[str, int]()
    picture, numbers, lines = list[int](), list[list[float]](), list[int]()
    for row in rows:
        name, faces = _parsed(row)
        name = name if name in known else PurePath(name.replace("\\", "/")).name
        if name in names:
            row.fail("each picture once", f"{name!r} again")
        picture += [names.setdefault(name, len(names))] * len(faces)
        numbers += faces
        lines += [row.number] * len(faces)
    table = np.array(numbers, np.float64).reshape(-1, 5)
    order = np.argsort(-table[:, 4], kind="stable")
    return Detections(
        tuple(names),
        np.array(picture, np.int64)[order],
        table[order, :4].copy(),
        style,
        Lines(path, np.array(lines, np.int64)[order].tolist()),
        scores=table[order, 4].copy(),
    )


def _parsed(row: Row) -> tuple[str, list[list[float]]]:
    """Return the path of a line, and box and score of each face that counts."""
    try:
        line = json.loads(row.text)
        path, faces = line["path"], line["faces"]
        if not isinstance(path, str) or not path:
            raise ValueError("not a path")
        kinds = [face.get("kind", _KIND) for face in faces]
        if not _KINDS.issuperset(kinds):
            raise ValueError("not a kind of face")
        found = [_numbers([*face["box"], face["score"]]) for face in faces]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        row.fail(
            'a line of `icf detect --json`: {"path", "faces": [{"box": [x1, y1, x2, '
            'y2], "score", "kind"}]}'
        )
    pairs = zip(found, kinds, strict=True)
    return path, [numbers for numbers, kind in pairs if kind == _KIND]


def _numbers(values: Sequence[Any]) -> list[float]:
    if len(values) != 5 or any(type(value) not in (int, float) for value in values):
        raise ValueError("not four corners and a score")
    try:
        numbers = [float(value) for value in values]
    except OverflowError as error:
        raise ValueError(str(error)) from error
    if not all(map(math.isfinite, numbers)):
        raise ValueError("not finite")
    return numbers
