"""The worst errors as pictures: each box drawn in its picture, on one page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from icf.dataset.scores.detection.evaluation import Evaluation
from icf.dataset.scores.detection.pictures import picture_path
from icf.dataset.scores.detection.tide import Cause
from icf.images import Undecodable, decode, encode_jpeg, jpeg_url
from icf.pages.templates import html_templates

#: How many pictures of each error are shown, and their longer side in pixels.
SHOWN, SIDE = 12, 320

#: RGB, for people with any colour vision (Okabe and Ito 2008).
TRUE, FOUND = (0, 114, 178), (213, 94, 0)


@dataclass(frozen=True)
class Tile:
    """A picture with its boxes.

    Attributes:
        picture: As a data URL; empty if it is missing or cannot be read.
        name: Of the picture.
        note: What is wrong.
    """

    picture: str
    name: str
    note: str


@dataclass(frozen=True)
class Sheet:
    """Pictures of one kind of error, the worst first.

    Attributes:
        title: What kind.
        order: Which come first.
        count: How many errors there are.
        tiles: Some of them.
    """

    title: str
    order: str
    count: int
    tiles: Sequence[Tile]


@dataclass(frozen=True)
class _Case:
    """An error to show: a detection, a true box, or both; -1: none."""

    detection: int
    box: int
    note: str


def write_worst(path: Path, made: Evaluation, pictures: Path) -> int:
    """Write the page.

    Args:
        path: Of the page.
        made: What was found to be wrong.
        pictures: The folder of the pictures.

    Returns:
        How many pictures of it are missing or cannot be read.
    """
    sheets = [
        Sheet(title, order, len(cases), [_tile(made, pictures, each) for each in some])
        for title, order, cases in _kinds(made)
        if (some := cases[:SHOWN])
    ]
    template = html_templates(Path(__file__).parent).get_template("worst.html")
    page = template.render(sheets=sheets, score=made.scored.score)
    path.write_text(page, encoding="utf-8")
    return sum(not each.picture for sheet in sheets for each in sheet.tiles)


def _kinds(made: Evaluation) -> Iterator[tuple[str, str, list[_Case]]]:
    errors, found, truth = made.errors, made.found, made.truth
    size = np.prod(truth.sides, axis=1)
    missed = errors.missed[np.argsort(-size[errors.missed], kind="stable")]
    yield (
        "Missed faces",
        "the largest first",
        [_Case(-1, row, f"{size[row] ** 0.5:.0f} pixels a side") for row in missed],
    )
    for cause, title in (
        (Cause.BACKGROUND, "Boxes where no face is known"),
        (Cause.LOCALISATION, "Badly placed boxes"),
        (Cause.DUPLICATE, "Second boxes on a face"),
        (Cause.CLASSIFICATION, "Faces of another kind"),
        (Cause.BOTH, "Badly placed boxes on faces of another kind"),
    ):
        rows = found.by_score[errors.cause[found.by_score] == cause].tolist()
        yield (
            title,
            "the surest first",
            [
                _Case(
                    row,
                    int(errors.best[row]),
                    f"score {found.scores[row]:.2f}, IoU {errors.iou[row]:.2f}",
                )
                for row in rows
            ],
        )


def _tile(made: Evaluation, folder: Path, case: _Case) -> Tile:
    truth, found = made.truth.boxes, made.found
    index = int(
        truth.picture[case.box] if case.detection < 0 else found.picture[case.detection]
    )
    name = truth.pictures[index]
    try:
        pixels = decode(picture_path(folder, name).read_bytes()).pixels
    except (OSError, Undecodable):
        return Tile("", name, case.note)
    scale = min(1.0, SIDE / max(pixels.shape[:2]))
    small = np.asarray(
        cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA),
        np.uint8,
    )
    for row in np.flatnonzero(truth.picture == index).tolist():
        _draw(small, truth.corners[row] * scale, TRUE, 3 if row == case.box else 1)
    if case.detection >= 0:
        corners = found.detections.corners[case.detection]
        _draw(small, corners * scale, FOUND, 3)
    return Tile(jpeg_url(encode_jpeg(small)), name, case.note)


def _draw(
    pixels: npt.NDArray[np.uint8],
    corners: npt.NDArray[np.float64],
    colour: tuple[int, int, int],
    width: int,
) -> None:
    """A frame with a white edge, which is seen on any picture."""
    x1, y1, x2, y2 = np.rint(corners).astype(int).tolist()
    cv2.rectangle(pixels, (x1, y1), (x2, y2), (255, 255, 255), width + 2)
    cv2.rectangle(pixels, (x1, y1), (x2, y2), colour, width)
