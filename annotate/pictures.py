"""Cut out the faces that people are shown, as fresh JPEGs."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue.schema import face, image
from icf.engine.rows import by_ids
from icf.images import Undecodable, decode, for_people
from icf.models.embedding import crop_face
from icf.stores.blobs import BlobStore, MissingBlob

#: Folder of the pictures inside a batch.
FOLDER = "pictures"

#: Pixels on the longest side that people are shown; larger crops are reduced.
MAX_SIDE = 640


@dataclass(frozen=True)
class ShownFace:
    """A face, and where the bytes of its picture are."""

    id: int
    sha256: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Cutter:
    """Cuts faces out of stored pictures.

    Attributes:
        blobs: where the pictures are.
        crop_rate: enlargement of the crops; 1.0 doubles both sides.
        max_pixels: the cap on width x height of a picture.
    """

    blobs: BlobStore
    crop_rate: float
    max_pixels: int

    def cut(
        self,
        faces: Sequence[ShownFace],
        folder: Path,
        done: Callable[[int], None] = lambda pictures: None,
    ) -> dict[int, str]:
        """Write a JPEG for each face into ``folder``; decode each picture once.

        Args:
            faces: what to cut out.
            folder: the batch's folder; the names are those of `picture_path`.
            done: is told how many faces are done.

        Returns:
            Why there is no JPEG, by the id of each face that has none.
        """
        (folder / FOLDER).mkdir()
        of_picture: dict[str, list[ShownFace]] = defaultdict(list)
        for each in faces:
            of_picture[each.sha256].append(each)
        missing: dict[int, str] = {}
        # Decoding and encoding release Python's lock.
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for group, why in pool.map(
                lambda group: (group, self._cut_from_one(group, folder)),
                of_picture.values(),
            ):
                missing.update(why)
                done(len(group))
        return missing

    def _cut_from_one(self, faces: Sequence[ShownFace], folder: Path) -> dict[int, str]:
        try:
            picture = decode(self.blobs.get(faces[0].sha256), self.max_pixels)
        except (MissingBlob, Undecodable) as error:
            return {each.id: str(error) for each in faces}
        for each in faces:
            crop = crop_face(picture.pixels, each.box, self.crop_rate)
            path = folder / picture_path(each.id)
            path.write_bytes(for_people(_reduced(crop)))
        return {}


def picture_path(face_id: int) -> str:
    """The crop of a face, relative to its batch's folder.

    >>> picture_path(7)
    'pictures/face-7.jpg'
    """
    return f"{FOLDER}/face-{face_id}.jpg"


def read_faces(connection: sa.Connection, ids: Sequence[int]) -> list[ShownFace]:
    """Read where faces are, in the order of their ids."""
    query = (
        sa.select(face.c.id, image.c.sha256, face.c.x1, face.c.y1, face.c.x2, face.c.y2)
        .join(image, image.c.id == face.c.image_id)
        .order_by(face.c.id)
    )
    return [
        ShownFace(row.id, row.sha256, (row.x1, row.y1, row.x2, row.y2))
        for row in by_ids(connection, query, face.c.id, sorted(ids))
    ]


def _reduced(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    longest = max(crop.shape[:2])
    if longest <= MAX_SIDE:
        return crop
    size = [max(1, round(side * MAX_SIDE / longest)) for side in crop.shape[1::-1]]
    reduced = cv2.resize(crop, (size[0], size[1]), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)
