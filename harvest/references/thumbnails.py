"""Thumbnails of the choices: re-encoded, so that only pixels are copied."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.codes import ImageReason
from icf.harvest.references.choices import Choice
from icf.images import Undecodable, decode, encode_jpeg, reduced
from icf.models.embedding import crop_face
from icf.stores.blobs import BlobStore, MissingBlob

Pixels = NDArray[np.uint8]

#: Pixels on the longest side: twice the displayed size, for high-density screens.
SIDE = 240
_QUALITY = 78


@dataclass(frozen=True)
class Thumbnails:
    """Makes the thumbnails.

    Attributes:
        blobs: with the pictures.
        crop_rate: enlargement of face crops; 1.0 doubles both sides.
        max_pixels: the cap on width x height of a picture.
    """

    blobs: BlobStore
    crop_rate: float
    max_pixels: int

    def write(
        self,
        choices: Sequence[Choice],
        folder: Path,
        done: Callable[[int], None] = lambda count: None,
    ) -> Counter[str]:
        """Write a JPEG for each choice; decode each picture once.

        Args:
            choices: to show.
            folder: of the files, which are named by `file_name`.
            done: called with the number of finished thumbnails.

        Returns:
            Number of choices without a thumbnail, by reason (`icf.codes.ImageReason`).
        """
        of_picture: dict[str, dict[str, Choice]] = defaultdict(dict)
        for one in choices:
            of_picture[one.sha256][one.value] = one
        missing: Counter[str] = Counter()
        groups = [list(group.values()) for group in of_picture.values()]
        # Decoding and encoding release Python's lock.
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for count, why in pool.map(lambda group: self._cut(group, folder), groups):
                if why is not None:
                    missing[why] += count
                done(count)
        return missing

    def _cut(self, choices: Sequence[Choice], folder: Path) -> tuple[int, str | None]:
        try:
            data = self.blobs.get(choices[0].sha256)
            if all(one.box is None for one in choices):
                pixels = reduced(data, SIDE, self.max_pixels).pixels
            else:
                pixels = decode(data, self.max_pixels).pixels
        except MissingBlob:
            return len(choices), ImageReason.MISSING_BLOB.value
        except Undecodable as error:
            return len(choices), error.reason.value
        for one in choices:
            shown = pixels
            if one.box is not None:
                shown = crop_face(pixels, one.box, self.crop_rate)
            target = folder / file_name(one)
            target.write_bytes(encode_jpeg(_reduced(shown), _QUALITY))
        return len(choices), None


def file_name(choice: Choice) -> str:
    """Return the file name of a choice's thumbnail.

    >>> file_name(Choice("face:7", "ab", (0, 0, 9, 9), False, False))
    'face-7.jpg'
    """
    return choice.value.replace(":", "-") + ".jpg"


def _reduced(pixels: Pixels) -> Pixels:
    longest = max(pixels.shape[:2])
    if longest <= SIDE:
        return pixels
    size = [max(1, round(side * SIDE / longest)) for side in pixels.shape[1::-1]]
    reduced = cv2.resize(pixels, (size[0], size[1]), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)
