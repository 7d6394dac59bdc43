"""Store the bytes of a given picture, decode it, and measure it and its faces.

It is what the filter's step ``detect`` does, with given boxes in place of found ones:
the picture and its faces then go on as any others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from icf.app.importing.given import GivenFace, PictureAt, Stated, bytes_at
from icf.app.importing.turned import WrongSize, in_upright
from icf.codes import ImageReason, ImportFault
from icf.engine.attention import one_by_one
from icf.engine.step import Item, Outcome, Step, Subject
from icf.errors import BadInput
from icf.filter import resources
from icf.filter.steps.detect import Detect, measured, picture_columns
from icf.images import Picture, Undecodable, decode
from icf.images.hashing import HASHERS, HasherName
from icf.models.data.base import Box
from icf.models.data.boxes import wrong_with
from icf.models.detection import Detection

if TYPE_CHECKING:
    import sqlalchemy as sa

#: Of an outcome's columns, those that are no columns of an image: the place of each
#: face among the given ones (-1: it was found), and the hash of who found it.
GIVEN, FOUND_BY = "given", "found_by"


@dataclass(frozen=True)
class PictureFile(Item):
    """A file, and the faces in it.

    Attributes:
        looked_for: whether its faces are looked for.
        is_withdrawn: whether its bytes stay out of the store.
    """

    file: PictureAt
    faces: tuple[GivenFace, ...]
    stated: Stated
    looked_for: bool = False
    is_withdrawn: bool = False


@dataclass(frozen=True)
class Measure(Step[PictureFile]):
    """Turns a file into the columns of an image and its faces.

    A box that lies outside its picture gives no face.

    Args:
        blobs: the URL of the blob store.
        max_pixels: the cap on width x height.
        hashes: what computes the perceptual hashes.
        detect: finds the faces of pictures where they are looked for.
        withdrawn: SHA-256 of bytes that stay out of the store.
    """

    name: ClassVar[str] = "import"
    subject: ClassVar[Subject] = "image"
    decodes: ClassVar[bool] = True

    blobs: str
    max_pixels: int
    hashes: HasherName = "icf"
    detect: Detect | None = None
    withdrawn: frozenset[str] = frozenset()

    def open(self) -> None:
        """Open the judge of photographs; the detector only where it is needed."""
        resources.photo_judge()

    def select(
        self, connection: sa.Connection, ids: Sequence[int]
    ) -> list[PictureFile]:
        """Return nothing: these pictures are in lists, and not in the catalogue yet."""
        return []

    def judge(self, batch: Sequence[PictureFile]) -> list[Outcome]:
        """Store, decode and measure."""
        return [self._judge_one(item) for item in one_by_one(batch)]

    def _judge_one(self, item: PictureFile) -> Outcome:
        try:
            data = bytes_at(item.file)
            if wrong := _wrong_bytes(item, data):
                reason = ImportFault.WRONG_BYTES.value
                return Outcome(item.id, False, reason, message=wrong)
            picture = decode(data, self.max_pixels)
            faces = in_upright(item.faces, item.stated, data, picture)
        except Undecodable as error:
            reason = error.reason.value
            return Outcome(item.id, False, reason, message=f"{reason}: {error}")
        except WrongSize as error:
            reason = ImportFault.WRONG_SIZE.value
            return Outcome(item.id, False, reason, message=str(error))
        except BadInput as error:
            failed = ImageReason.STEP_FAILED.value
            # Whoever tells of it names the file.
            said = str(error).removeprefix(f"{item.file}: ")
            return Outcome(item.id, False, failed, message=said)
        hasher = HASHERS[self.hashes]
        size = picture.width, picture.height
        whole: Box = (0.0, 0.0, float(picture.width), float(picture.height))
        boxes = [(place, each, each.box or whole) for place, each in enumerate(faces)]
        given = [
            # A given box has no score; it is as sure as can be.
            (place, Detection(box, each.score, each.kind))
            for place, each, box in boxes
            if wrong_with(box, size) is None
        ]
        found_by = None
        if item.looked_for and self.detect is not None:
            found, found_by = self._found(self.detect, picture)
            given = [(-1, each) for each in found]
        columns = {
            **picture_columns(picture, hasher),
            "sha256": self._stored(item, data),
            "bytes": len(data),
            GIVEN: tuple(place for place, _ in given),
            FOUND_BY: found_by,
        }
        measures = tuple(measured(picture.pixels, each, hasher) for _, each in given)
        return Outcome(item.id, True, columns=columns, faces=measures)

    def _stored(self, item: PictureFile, data: bytes) -> str:
        """Store bytes that were not withdrawn; return their SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not item.is_withdrawn and sha256 not in self.withdrawn:
            resources.blobs(self.blobs).put(data)
        return sha256

    @staticmethod
    def _found(detect: Detect, picture: Picture) -> tuple[list[Detection], str]:
        detector = resources.detector(detect.runtime, detect.device, detect.model)
        [found] = detector.detect([picture.pixels], detect.least_score)
        return list(found), detector.model_hash


def _wrong_bytes(item: PictureFile, data: bytes) -> str | None:
    wanted = item.stated.sha256
    if wanted is None or hashlib.sha256(data).hexdigest() == wanted:
        return None
    return "its bytes are not those that its list gives the SHA-256 of"
