"""Check what the detector found in the test, as far as the release says it twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from icf.dataset.contents import DETECTION_TEST, FACES, Contents
from icf.dataset.formats.box_cells import boxes_in
from icf.dataset.formats.checked import UNEXPECTED, ReleaseFiles
from icf.icartoonface.detection import Detections, read_submission_csv

_Corners = tuple[float, ...]
#: A row: the picture, its corners and its score.
_Row = tuple[str, _Corners, float]
#: How far beyond a picture a box may reach, in pixels: detectors round.
_EDGE = 1.0


def check_found(files: ReleaseFiles, path: Path) -> Iterator[str]:
    """Yield rows that no detector gives, and boxes of the contents that have none."""
    found = read_submission_csv(path)
    rows = list(_rows(found))
    sizes = _sizes(files.contents)
    for (name, corners, score), line in zip(rows, _lines(found), strict=True):
        if not 0 <= score <= 1:
            yield f"line {line}: the score {score:g} is none from 0 to 1"
        x1, y1, x2, y2 = corners
        width, height = sizes.get(name, (x2, y2))
        inside = min(x1, y1) >= -_EDGE and x2 <= width + _EDGE and y2 <= height + _EDGE
        if not (inside and x1 < x2 and y1 < y2):
            yield f"line {line}: a box that is not inside {name}"
    test = files.contents.name[files.contents.rows(DETECTION_TEST)].tolist()
    order = {name: row for row, name in enumerate(test)}
    places = [(-score, order.get(name, -1)) for name, _, score in rows]
    for line, one, other in zip(_lines(found), places, places[1:], strict=False):
        if one > other:
            yield f"line {line}: stands before a surer one or an earlier picture"
    for name, corners, score in (row for row, n in Counter(rows).items() if n > 1):
        yield f"has the box {_shown(corners)} of {name} with {score:g} several times"
    there = {(name, corners) for name, corners, _ in rows}
    for name, corners in _meant(files):
        if (name, corners) not in there:
            yield f"has no row of the box {_shown(corners)} of {name}"
    if files.summary.get("detection_boxes") == "proposed":
        meant = set(_true_boxes(files.contents))
        for name, corners in sorted(there - meant):
            yield f"has the box {_shown(corners)} of {name}, which is no true box"


def _rows(found: Detections) -> Iterator[_Row]:
    names = (found.pictures[each] for each in found.picture.tolist())
    corners = map(tuple, found.corners.tolist())
    yield from zip(names, corners, found.scores.tolist(), strict=True)


def _lines(found: Detections) -> Iterator[int]:
    yield from found.lines.numbers if found.lines else ()


def _sizes(contents: Contents) -> dict[str, tuple[int, int]]:
    """Width and height of each picture of the test; an earlier version has none."""
    rows = contents.rows(DETECTION_TEST).tolist()
    return {
        str(contents.name[row]): (int(contents.width[row]), int(contents.height[row]))
        for row in rows
        if contents.width[row]
    }


def _meant(files: ReleaseFiles) -> Iterator[tuple[str, _Corners]]:
    """The boxes of the test's pictures of which the contents tell that they were found.

    Where a detector found all faces of the catalogue, these are the faces with a name;
    where it proposed the true boxes, these are all.
    """
    contents, summary = files.contents, files.summary
    if summary.get("detection_boxes") == "proposed":
        yield from _true_boxes(contents)
    try:
        given = summary["cards"]["facts"]["origin"]["given_faces"]
    except UNEXPECTED:
        return  # an earlier version did not say it
    if given != 0:
        return
    rows = contents.rows(DETECTION_TEST)
    names = dict(
        zip(contents.sha256[rows].tolist(), contents.name[rows].tolist(), strict=True)
    )
    for row in contents.rows(*FACES).tolist():
        if (name := names.get(contents.sha256[row])) is not None:
            yield name, tuple(contents.corners[row].tolist())


def _true_boxes(contents: Contents) -> Iterator[tuple[str, _Corners]]:
    for row in contents.rows(DETECTION_TEST).tolist():
        for each in boxes_in(contents.boxes[row]):
            yield str(contents.name[row]), tuple(each.corners)


def _shown(corners: _Corners) -> str:
    return " ".join(f"{side:g}" for side in corners)
