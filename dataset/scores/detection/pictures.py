"""The pictures of a truth: where they lie, how large they are, what a model finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from icf.dataset.scores.detection.truth import IntArray, Truth
from icf.errors import BadInput
from icf.icartoonface.detection import Detections
from icf.images import Undecodable, decode
from icf.images.header import upright_size

if TYPE_CHECKING:
    from icf.models.detection import Detector

#: Least score of what a model is scored on: a curve needs unsure detections too.
LEAST_SCORE = 0.05

#: Bytes in which most headers of a JPEG are, and how one begins.
_HEAD, _JPEG = 1 << 16, b"\xff\xd8"


def picture_path(folder: Path, name: str) -> Path:
    """Where a picture lies.

    Raises:
        BadInput: its name leads out of the folder.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"the picture {name!r} leads out of the folder {folder}")
    return path


def with_sizes(truth: Truth, folder: Path) -> Truth:
    """Read the sizes of the pictures from their headers, where they are not known.

    A picture that is not there, or none, keeps an unknown size.
    """
    size: IntArray = truth.size.copy()
    for place in np.flatnonzero(~size.all(axis=1)).tolist():
        path = picture_path(folder, truth.boxes.pictures[place])
        size[place] = _size(path)
    return replace(truth, size=size)


def count_resized(truth: Truth, folder: Path) -> int:
    """Count the pictures that have another size than the truth says of them.

    One that is not there, or none, is not counted.
    """
    resized = 0
    for place in np.flatnonzero(truth.size.all(axis=1)).tolist():
        try:
            size = _size(picture_path(folder, truth.boxes.pictures[place]))
        except BadInput:
            continue
        resized += any(size) and [*size] != truth.size[place].tolist()
    return resized


def _size(path: Path) -> tuple[int, int]:
    """Width and height as it is shown, upright; 0 where it is no picture."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            # Other formats may say at their end how they are turned.
            if head.startswith(_JPEG):
                try:
                    return upright_size(head)
                except Undecodable:  # its header is longer
                    pass
            return upright_size(head + file.read())
    except (OSError, Undecodable):
        return 0, 0


def detect(
    detector: Detector,
    truth: Truth,
    folder: Path,
    advance: Callable[[int], None] = lambda _: None,
) -> Detections:
    """Find the cartoon faces in every picture of the truth, however unsure.

    Raises:
        BadInput: a picture is missing, or is none that can be read.
    """
    picture, corners, scores = list[int](), list[tuple[float, ...]](), list[float]()
    for place, name in enumerate(truth.boxes.pictures):
        path = picture_path(folder, name)
        try:
            pixels = decode(path.read_bytes()).pixels
        except OSError as error:
            raise BadInput(
                f"{path} cannot be read: {error.strerror}; a model is scored on all "
                "pictures of the truth: name their folder with --pictures"
            ) from error
        except Undecodable as error:
            raise BadInput(f"{path} is no picture: {error}") from error
        [faces] = detector.detect([pixels], LEAST_SCORE)
        for face in faces:
            if face.kind == "cartoon":
                picture.append(place)
                corners.append(face.box)
                scores.append(face.score)
        advance(1)
    return Detections(
        truth.boxes.pictures,
        np.array(picture, np.int64),
        np.array(corners, np.float64).reshape(-1, 4),
        scores=np.array(scores, np.float64),
    )
