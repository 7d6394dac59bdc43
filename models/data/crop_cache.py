"""Face crops, cut once and kept, so that training never decodes a whole picture.

A crop is a square around a face's box, enlarged by a rate (`crop_face`), brought to one
side. The cache is keyed by what a crop depends on: the state of the pictures, the rate,
the side, the quality, and each face's picture and box. So other labels for the same
boxes cost nothing, new faces are cut alone, and a changed data set is cut again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icf.images import Picture, encode_jpeg
from icf.images.decoder import Pixels
from icf.models.data.base import Box
from icf.models.data.boxes import wrong_with
from icf.models.data.cutting import Cutter
from icf.models.data.index import DataIndex
from icf.models.data.packed import PackedPictures
from icf.models.data.picture_store import Wanted, made
from icf.models.data.skipped import SkippedFor
from icf.models.embedding import crop_face
from icf.models.formats.base import resized

#: Of the JPEGs; what it costs is far below what a crop loses by being resized.
QUALITY = 95


@dataclass(frozen=True)
class CropCutter(Cutter):
    """Cuts faces as the filter does before it embeds them.

    Attributes:
        rate: share of the box that is added to its sides; 1.0 doubles them.
        side: of a crop, in pixels.
        quality: of its JPEG.
    """

    rate: float
    side: int
    quality: int = QUALITY

    def cut(self, picture: Picture, box: Box | None) -> bytes | str:
        """Cut one face; a picture that is a crop is only brought to the side."""
        rate = self.rate
        if box is None:
            box, rate = (0, 0, picture.width, picture.height), 0.0
        if wrong := wrong_with(box, (picture.width, picture.height)):
            return wrong
        crop = resized(crop_face(picture.pixels, box, rate), self.side)
        return encode_jpeg(crop, self.quality)


@dataclass(frozen=True, eq=False)
class Crops:
    """The crops of faces, k of them; processes may share it.

    Attributes:
        faces: shape (k,): the face of each, a number of the index.
        pictures: the crops.
        skipped: faces without one, and why.
    """

    faces: NDArray[np.intp]
    pictures: PackedPictures
    skipped: tuple[SkippedFor, ...]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.faces)

    def pixels(self, number: int) -> Pixels:
        """Return crop ``number``: RGB, uint8, shape (side, side, 3).

        Raises:
            BrokenMachine: the cache is damaged.
        """
        return self.pictures.pixels(number)


def cut_crops(
    index: DataIndex,
    folder: Path,
    cutter: CropCutter,
    faces: NDArray[np.intp] | None = None,
    processes: int | None = None,
) -> Crops:
    """Return crops, cutting those that are not in the cache yet.

    Several programs may call this at once: one cuts, the others wait for it.

    Args:
        index: the pictures and faces.
        folder: where caches are; it may be deleted whenever nothing reads it.
        cutter: how to cut.
        faces: which ones, numbers of the index; None: all that are not ignored.
        processes: that decode; 0: this one; None: one per processor.

    Raises:
        BrokenMachine: the disk is full, or fails.
    """
    if faces is None:
        faces = np.flatnonzero(~index.ignored)
    wanted = Wanted(index, index.picture[faces], index.boxes[faces])
    pictures, skipped = made(wanted, folder, cutter, processes)
    has_one = pictures.length > 0
    return Crops(faces[has_one], pictures.select(has_one), skipped)
