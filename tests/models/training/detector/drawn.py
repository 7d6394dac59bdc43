"""Pictures with drawn faces, as a source of training data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from icf.images import encode_jpeg
from icf.models.data.base import Kind, LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.data.index import DataIndex, Source, build_index

SIDE = 128


@dataclass(frozen=True)
class DrawnReader(Reader):
    """Draws pictures; which, follows from their names.

    Attributes:
        count: of pictures; every fourth has no face.
        domain: of their faces.
        complete: of the pictures.
        checked: of the pictures.
    """

    kind: ClassVar[str] = "drawn"

    count: int = 16
    domain: Kind = "cartoon"
    complete: bool = True
    checked: bool = True

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Name the pictures and their faces."""
        for number in range(self.count):
            faces = tuple(LabelledFace(box, self.domain) for box in boxes(number))
            yield LabelledPicture(
                str(number), faces, self.complete, self.checked, f"group {number // 2}"
            )

    def read(self, key: str) -> bytes:
        """Draw one."""
        return encode_jpeg(drawn(int(key), self.domain), 95)

    def fingerprint(self) -> str:
        """Return what the pictures depend on."""
        return repr(self)


def boxes(number: int) -> list[tuple[float, float, float, float]]:
    """Return the faces of a picture."""
    random = np.random.default_rng(number)
    found = []
    for column in range(0 if number % 4 == 3 else 1 + number % 2):
        side = int(random.integers(28, 56))
        x = column * 64 + int(random.integers(0, 64 - side))
        y = int(random.integers(0, SIDE - side))
        found.append((float(x), float(y), float(x + side), float(y + side)))
    return found


def drawn(number: int, kind: Kind) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Draw a picture: clutter, and discs with eyes and a mouth as faces."""
    random = np.random.default_rng((number, 1))
    canvas = np.empty((SIDE, SIDE, 3), np.uint8)
    canvas[:] = random.integers(60, 200, 3)
    for _ in range(6):
        a, b = random.integers(0, SIDE, (2, 2)).tolist()
        colour = random.integers(0, 256, 3).tolist()
        cv2.rectangle(canvas, a, b, colour, int(random.integers(1, 4)))
    skin = (255, 220, 180) if kind == "cartoon" else (150, 110, 90)
    for x1, y1, x2, y2 in boxes(number):
        middle, r = (int((x1 + x2) / 2), int((y1 + y2) / 2)), int((x2 - x1) / 2)
        cv2.circle(canvas, middle, r, skin, -1)
        cv2.circle(canvas, middle, r, (20, 20, 20), 2)
        for eye in (-1, 1):
            at = (middle[0] + eye * r // 3, middle[1] - r // 4)
            cv2.circle(canvas, at, max(2, r // 7), (20, 20, 20), -1)
        cv2.ellipse(
            canvas, middle, (r // 2, r // 2), 0, 20, 160, (160, 30, 30), max(1, r // 9)
        )
    return canvas


def drawn_index(
    *readers: DrawnReader, shares: tuple[float | None, ...] = ()
) -> DataIndex:
    """Index the pictures of some readers."""
    stated = shares or (None,) * len(readers)
    return build_index([Source(r, s) for r, s in zip(readers, stated, strict=True)])
