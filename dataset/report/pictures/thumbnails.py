"""Thumbnails of faces and pictures as data URIs, and a face's box in its picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.images import Undecodable, decode, encode_jpeg, jpeg_url
from icf.models.face_crops import read_boxes
from icf.stores.blobs import BlobStore

#: Side of a thumbnail in pixels.
SIDE = 112
#: Longer side of a whole picture, and its most bytes: some hundred are in a report.
WHOLE_SIDE, WHOLE_BYTES = 260, 9_000
_QUALITIES = (72, 50, 30, 15)
#: Margin around the box, as a share of its longer side.
MARGIN = 0.2

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Thumbnail:
    """A small picture.

    Attributes:
        crop: a face, or a picture that has none, as a ``data:`` URL.
        whole: the face's picture with its box drawn into it; "" without a box.
    """

    crop: str
    whole: str = ""


def face_thumbnails(
    connection: sa.Connection, blobs: BlobStore, ids: Sequence[int]
) -> dict[int, Thumbnail]:
    """Make a thumbnail of each face by its id; faces whose picture is gone are missing.

    Raises:
        BrokenMachine: the store of pictures does not answer.
    """
    found = {
        face.id: thumbnails(blobs, [(face.sha256, *face.box)])
        for face in read_boxes(connection, ids)
    }
    return {key: made[0] for key, made in found.items() if made}


def thumbnails(blobs: BlobStore, rows: Iterable[Sequence[Any]]) -> list[Thumbnail]:
    """Make a thumbnail of each row: a picture's hash, and a box where it is of a face.

    Pictures that are gone or cannot be decoded are left out.
    """
    made = []
    for sha256, *box in rows:
        pixels = read_pixels(blobs, sha256)
        if pixels is None:
            continue
        if box:
            made.append(Thumbnail(_small(crop(pixels, box)), _whole(pixels, box)))
        else:
            made.append(Thumbnail(_small(pixels)))
    return made


def read_pixels(blobs: BlobStore, sha256: str) -> Pixels | None:
    """Decode a picture; None if it cannot be: many were dropped because of that."""
    try:
        return decode(blobs.get(sha256)).pixels
    except (FileNotFoundError, Undecodable):
        return None


def crop(pixels: Pixels, box: Sequence[float], margin: float = MARGIN) -> Pixels:
    """Crop a square around the box, with a margin, clipped to the picture."""
    x1, y1, x2, y2 = box
    half = max(x2 - x1, y2 - y1) * (0.5 + margin)
    across, down = (x1 + x2) / 2, (y1 + y2) / 2
    height, width = pixels.shape[:2]
    left, right = max(0, round(across - half)), min(width, round(across + half))
    top, bottom = max(0, round(down - half)), min(height, round(down + half))
    found = pixels[top:bottom, left:right]
    return found if found.size else pixels


def as_url(pixels: Pixels, quality: int = 82) -> str:
    """Encode pixels as a JPEG in a ``data:`` URL."""
    return jpeg_url(encode_jpeg(pixels, quality))


def _small(pixels: Pixels) -> str:
    return as_url(_reduced(pixels, SIDE)[0])


def _whole(pixels: Pixels, box: Sequence[float]) -> str:
    """The picture at most `WHOLE_SIDE` pixels long, with a light line in a dark one."""
    small, scale = _reduced(pixels, WHOLE_SIDE)
    small = np.ascontiguousarray(small)
    x1, y1, x2, y2 = (round(each * scale) for each in box)
    for colour, width in (((20, 22, 26), 4), ((255, 214, 10), 2)):
        cv2.rectangle(small, (x1, y1), (x2 - 1, y2 - 1), colour, width)
    for quality in _QUALITIES:
        data = encode_jpeg(small, quality)
        if len(data) <= WHOLE_BYTES:
            break
    return jpeg_url(data)


def _reduced(pixels: Pixels, side: int) -> tuple[Pixels, float]:
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), scale
