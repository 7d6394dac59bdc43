"""Cut stored faces out of their pictures, as JPEGs for people to look at."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import sqlalchemy as sa

from icf.catalogue.rows import by_given_ids, with_ids
from icf.catalogue.schema import face, image
from icf.images import Undecodable, decode, encode_jpeg
from icf.models.embedding import Pixels, crop_face
from icf.stores.blobs import BlobStore, MissingBlob


@dataclass(frozen=True)
class FaceBox:
    """A face, with its box in a stored picture.

    Attributes:
        id: the face's id.
        sha256: hash of the picture's bytes.
        box: x1, y1, x2, y2 in pixels.
    """

    id: int
    sha256: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class FaceCropper:
    """Cuts faces out of stored pictures.

    Attributes:
        blobs: the store of the pictures.
        crop_rate: enlargement of the boxes; 1.0 doubles both sides.
        max_pixels: limit on width x height of a picture.
        side: maximum side of a crop, in pixels; larger crops are scaled down.
        quality: JPEG quality.
    """

    blobs: BlobStore
    crop_rate: float
    max_pixels: int
    side: int
    quality: int = 90

    def crop(
        self,
        faces: Iterable[FaceBox],
        save: Callable[[int, bytes], object],
        done: Callable[[int], None] = lambda faces: None,
    ) -> dict[int, MissingBlob | Undecodable]:
        """Make a JPEG of each face; each picture is decoded once.

        Args:
            faces: what to cut out.
            save: called with the id of each face and its JPEG, from several threads.
            done: called with the number of faces of each picture that is finished.

        Returns:
            The error for each face without a JPEG, by face id.
        """
        by_picture: dict[str, list[FaceBox]] = defaultdict(list)
        for each in faces:
            by_picture[each.sha256].append(each)
        errors: dict[int, MissingBlob | Undecodable] = {}
        # Decoding and encoding release the GIL.
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            groups = by_picture.values()
            results = pool.map(lambda group: self._crop_picture(group, save), groups)
            for group, error in zip(groups, results, strict=True):
                if error is not None:
                    errors.update((each.id, error) for each in group)
                done(len(group))
        return errors

    def _crop_picture(
        self, faces: Sequence[FaceBox], save: Callable[[int, bytes], object]
    ) -> MissingBlob | Undecodable | None:
        try:
            picture = decode(self.blobs.get(faces[0].sha256), self.max_pixels)
        except (MissingBlob, Undecodable) as error:
            return error
        for each in faces:
            save(each.id, self._cut(picture.pixels, each))
        return None

    def jpeg(self, face: FaceBox) -> bytes:
        """Make the JPEG of one face.

        Raises:
            MissingBlob: its picture is gone or damaged.
            Undecodable: its picture cannot be decoded.
        """
        picture = decode(self.blobs.get(face.sha256), self.max_pixels)
        return self._cut(picture.pixels, face)

    def _cut(self, pixels: Pixels, face: FaceBox) -> bytes:
        crop = crop_face(pixels, face.box, self.crop_rate)
        return encode_jpeg(self._scaled_down(crop), self.quality)

    def _scaled_down(self, crop: Pixels) -> Pixels:
        if len(crop) <= self.side:
            return crop
        size = self.side, self.side
        return np.asarray(
            cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8
        )


def read_boxes(connection: sa.Connection, ids: Iterable[int]) -> list[FaceBox]:
    """Read the boxes of faces, ordered by id."""
    return [
        FaceBox(row.id, row.sha256, (row.x1, row.y1, row.x2, row.y2))
        for row in by_given_ids(connection, _BOXES, sorted(set(ids)))
    ]


_BOXES = with_ids(
    sa.select(
        face.c.id, image.c.sha256, face.c.x1, face.c.y1, face.c.x2, face.c.y2
    ).join(image, image.c.id == face.c.image_id),
    face.c.id,
)
