"""Reduced pictures with their boxes, made once and kept, for training detectors.

A network sees pictures at some hundred pixels; a scan of a page has thousands, and
takes a hundred times as long to decode.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.images import Picture, encode_jpeg
from icf.images.decoder import Pixels
from icf.models.data.base import Box, Skipped
from icf.models.data.cutting import Cutter
from icf.models.data.index import DataIndex
from icf.models.data.packed import PackedPictures
from icf.models.data.picture_store import Wanted, made
from icf.models.data.skipped import SkippedCounts, SkippedFor

#: Of the JPEGs.
QUALITY = 95


@dataclass(frozen=True)
class PictureReducer(Cutter):
    """Reduces whole pictures; it enlarges none.

    Attributes:
        longest: of the longer side, in pixels.
        quality: of the JPEG.
    """

    longest: int
    quality: int = QUALITY

    def cut(self, picture: Picture, box: Box | None) -> bytes | str:
        """Reduce a picture."""
        width, height = reduced_size((picture.width, picture.height), self.longest)
        pixels = picture.pixels
        if (width, height) != (picture.width, picture.height):
            small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
            pixels = np.asarray(small, np.uint8)
        return encode_jpeg(pixels, self.quality)


def reduced_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Return the width and height of a picture whose longer side is at most so long.

    >>> reduced_size((4000, 1000), 640), reduced_size((300, 200), 640)
    ((640, 160), (300, 200))
    """
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


@dataclass(frozen=True, eq=False)
class ReducedPictures:
    """Reduced pictures and their faces; processes may share it.

    Attributes:
        index: the pictures, with boxes in pixels of the reduced ones, cut off at their
            edges; a box of nothing but outside became an ignored one without area.
        pictures: the reduced pictures, in the order of the index.
        skipped: pictures and boxes that were left out, and why.
    """

    index: DataIndex
    pictures: PackedPictures
    skipped: tuple[SkippedFor, ...]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.pictures)

    def pixels(self, number: int) -> Pixels:
        """Return picture ``number``: RGB, uint8, shape (height, width, 3).

        Raises:
            BrokenMachine: the cache is damaged.
        """
        return self.pictures.pixels(number)


def reduce_pictures(
    index: DataIndex,
    folder: Path,
    reducer: PictureReducer,
    processes: int | None = None,
) -> ReducedPictures:
    """Return reduced pictures, making those that are not in the cache yet.

    Several programs may call this at once: one works, the others wait for it.

    Args:
        index: the pictures and faces.
        folder: where caches are; it may be deleted whenever nothing reads it.
        reducer: how to reduce.
        processes: that decode; 0: this one; None: one per processor.

    Raises:
        BrokenMachine: the disk is full, or fails.
    """
    every = np.arange(len(index))
    whole = np.full((len(index), 4), np.nan, np.float32)
    wanted = Wanted(index, every, whole)
    pictures, skipped = made(wanted, folder, reducer, processes)
    has_one = pictures.length > 0
    kept, pictures = index.select(has_one), pictures.select(has_one)
    boxes, outside = _scaled(kept, pictures.size, reducer.longest)
    counts = SkippedCounts(skipped)
    for face in np.flatnonzero(outside & ~kept.ignored).tolist():
        number = int(kept.picture[face])
        name = kept.sources[int(kept.source[number])].reader.name
        counts.add(name, Skipped(kept.keys[number], "a box outside the picture"))
    scaled = replace(kept, boxes=boxes, ignored=kept.ignored | outside)
    return ReducedPictures(scaled, pictures, tuple(counts))


def _scaled(
    index: DataIndex, sizes: NDArray[np.int32], longest: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the boxes in reduced pictures, and which of them are outside.

    Args:
        index: the boxes in the pictures as they were.
        sizes: shape (n, 2): width and height of these.
        longest: of a reduced picture.
    """
    small = [reduced_size((width, height), longest) for width, height in sizes.tolist()]
    small_size = np.array(small, np.float32).reshape(-1, 2)
    picture = index.picture
    scale = np.tile(small_size / sizes, 2)[picture]
    most = np.tile(small_size, 2)[picture]
    boxes = np.clip(index.boxes * scale, 0, most).astype(np.float32)
    no_area = (boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 3] <= boxes[:, 1])
    return boxes, no_area
