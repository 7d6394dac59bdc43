"""Store the bytes of a listed picture, decode it, and measure it and its faces.

It is what the filter's step ``detect`` does, with given boxes in place of found ones:
the picture and its faces then go on as any others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import sqlalchemy as sa

from icf.codes import ImageReason
from icf.engine.attention import one_by_one
from icf.engine.step import Item, Outcome, Step, Subject
from icf.errors import BadInput
from icf.filter import resources
from icf.filter.steps.detect import measured, picture_columns
from icf.images import Undecodable, decode
from icf.images.hashing import HASHERS, HasherName
from icf.models.data.base import Box
from icf.models.data.boxes import wrong_with
from icf.models.data.picture_files import read_file
from icf.models.detection import Detection

#: The step's name in the ledger.
STEP = "import icartoonface"


@dataclass(frozen=True)
class GivenPicture(Item):
    """A file, and the boxes of its faces."""

    file: Path
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Measure(Step[GivenPicture]):
    """Turns a file into the columns of an image and its faces.

    A box that lies outside its picture gives no face.

    Args:
        blobs: the URL of the blob store.
        max_pixels: the cap on width x height.
        hashes: what computes the perceptual hashes.
    """

    name: ClassVar[str] = STEP
    subject: ClassVar[Subject] = "image"
    decodes: ClassVar[bool] = True

    blobs: str
    max_pixels: int
    hashes: HasherName = "icf"

    def open(self) -> None:
        """Open the judge of photographs."""
        resources.photo_judge()

    def select(
        self, connection: sa.Connection, ids: Sequence[int]
    ) -> list[GivenPicture]:
        """Return nothing: these pictures are in lists, and not in the catalogue yet."""
        return []

    def judge(self, batch: Sequence[GivenPicture]) -> list[Outcome]:
        """Store, decode and measure."""
        return [self._judge_one(item) for item in one_by_one(batch)]

    def _judge_one(self, item: GivenPicture) -> Outcome:
        try:
            data = read_file(item.file)
            picture = decode(data, self.max_pixels)
        except Undecodable as error:
            reason = error.reason.value
            return Outcome(item.id, False, reason, message=f"{reason}: {error}")
        except BadInput as error:
            failed = ImageReason.STEP_FAILED.value
            return Outcome(item.id, False, failed, message=str(error))
        hasher = HASHERS[self.hashes]
        size = picture.width, picture.height
        faces = tuple(
            # A given box has no score; it is as sure as can be.
            measured(picture.pixels, Detection(box, 1.0, "cartoon"), hasher)
            for box in item.boxes
            if wrong_with(box, size) is None
        )
        columns = {
            **picture_columns(picture, hasher),
            "sha256": resources.blobs(self.blobs).put(data),
            "bytes": len(data),
        }
        return Outcome(item.id, True, columns=columns, faces=faces)
