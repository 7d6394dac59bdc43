"""Find the faces in a picture, and measure everything in the same decode.

Later steps read the measures from the catalogue; only the embedding opens the picture
again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from icf.codes import ImageReason
from icf.engine.attention import one_by_one
from icf.engine.step import Item, NewFace, Outcome, Step, Subject
from icf.filter import resources
from icf.filter.step_names import DETECT
from icf.images import Picture, Undecodable, decode, measures
from icf.images.cut import cut
from icf.images.edges import measure_edges
from icf.images.grey import Grey
from icf.images.hashing import HASHERS, Hasher, HasherName
from icf.models.cards import ModelCard, verified, weights_path
from icf.models.detection import Detection, Detector
from icf.models.runtime.network import Device, Runtime
from icf.stores.blobs import MissingBlob

if TYPE_CHECKING:
    import sqlalchemy as sa

#: Pictures shown to the detector at a time, and their pixels: a batch of posters must
#: not fill the memory.
TOGETHER = 8
TOGETHER_PIXELS = 32_000_000

#: How far the hashed region is enlarged. Expressions of one drawing differ little in
#: the face itself, and so do two copies of it, whose boxes jitter. Of 11,095 pairs of
#: different drawings under one character (the demo's site, boxes that jitter by 2%),
#: both hashes within 10 bits confused 582, 192 and 6 with faces enlarged by 0, 1 and
#: 1.5; of 130 pairs of copies they found .93, .96 and .96.
HASHED_RATE = 1.5


@dataclass(frozen=True)
class StoredImage(Item):
    """An image and where its bytes are."""

    sha256: str


@dataclass(frozen=True)
class Detect(Step[StoredImage]):
    """Turns images into faces; every image that can be decoded passes.

    An image whose bytes the blob store has lost keeps waiting.

    Args:
        blobs: the URL of the blob store.
        least_score: the detector's score from which on a face is stored.
        max_pixels: the cap on width x height.
        runtime: what runs the detector.
        device: where PyTorch computes.
        hashes: what computes the perceptual hashes.
        model: the detector's weights or card.
    """

    name: ClassVar[str] = DETECT
    subject: ClassVar[Subject] = "image"
    decodes: ClassVar[bool] = True

    blobs: str
    least_score: float
    max_pixels: int
    runtime: Runtime = "onnxruntime"
    device: Device = "auto"
    hashes: HasherName = "icf"
    model: Path = resources.DETECTOR

    def open(self) -> None:
        """Open the detector and the judge of photographs."""
        self._detector()
        resources.photo_judge()

    def card(self) -> ModelCard:
        """Check the detector's file and return its card.

        Raises:
            BadModel: the file is not what its card promises.
        """
        return verified(weights_path(self.model), "detect", frozenset())

    def _detector(self) -> Detector:
        return resources.detector(self.runtime, self.device, self.model)

    def select(
        self, connection: sa.Connection, ids: Sequence[int]
    ) -> list[StoredImage]:
        """Read where the bytes are."""
        # Not above: worker processes, which start more quickly so, read no catalogue.
        import sqlalchemy as sa

        from icf.catalogue.rows import by_ids
        from icf.catalogue.schema import image

        query = sa.select(image.c.id, image.c.sha256)
        return [
            StoredImage(row.id, row.sha256)
            for row in by_ids(connection, query, image.c.id, ids)
        ]

    def judge(self, batch: Sequence[StoredImage]) -> list[Outcome]:
        """Decode, detect and measure."""
        outcomes: list[Outcome] = []
        for some in self._decoded(batch, outcomes):
            outcomes += self._detect(some)
        return outcomes

    def _decoded(
        self, batch: Sequence[StoredImage], refused: list[Outcome]
    ) -> Iterator[list[tuple[StoredImage, Picture]]]:
        """Yield pictures, a few at a time; note the others in ``refused``."""
        store = resources.blobs(self.blobs)
        together = max(TOGETHER, self._detector().batch_size)
        some: list[tuple[StoredImage, Picture]] = []
        pixels = 0
        for item in one_by_one(batch):
            try:
                picture = decode(store.get(item.sha256), self.max_pixels)
            except MissingBlob:
                reason = ImageReason.MISSING_BLOB.value
                refused.append(Outcome(item.id, False, reason, waits=True))
                continue
            except Undecodable as error:
                reason = error.reason.value
                refused.append(Outcome(item.id, False, reason, message=str(error)))
                continue
            some.append((item, picture))
            pixels += picture.width * picture.height
            if len(some) == together or pixels >= TOGETHER_PIXELS:
                yield some
                some, pixels = [], 0
        if some:
            yield some

    def _detect(self, some: Sequence[tuple[StoredImage, Picture]]) -> list[Outcome]:
        detector = self._detector()
        found = detector.detect([p.pixels for _, p in some], self.least_score)
        return [
            self._outcome(item, picture, faces, detector.model_hash)
            for (item, picture), faces in zip(some, found, strict=True)
        ]

    def _outcome(
        self,
        item: StoredImage,
        picture: Picture,
        found: Sequence[Detection],
        model: str,
    ) -> Outcome:
        hasher = HASHERS[self.hashes]
        return Outcome(
            item.id,
            True,
            value=max((face.score for face in found), default=None),
            model=model,
            columns=picture_columns(picture, hasher),
            faces=tuple(measured(picture.pixels, face, hasher) for face in found),
        )


def picture_columns(picture: Picture, hasher: Hasher) -> dict[str, object]:
    """Measure a picture: columns of the table ``image``."""
    hashes = hasher(picture.pixels)
    judge = resources.photo_judge()
    return {
        "width": picture.width,
        "height": picture.height,
        "format": picture.format,
        "frames": picture.frames,
        "trailing": picture.trailing,
        "pixel_hash": measures.pixel_hash(picture.pixels),
        "phash": hashes.phash,
        "dhash": hashes.dhash,
        "photo": judge.probability(picture.pixels),
        "photo_model": judge.model_hash,
    }


def measured(pixels: NDArray[np.uint8], found: Detection, hasher: Hasher) -> NewFace:
    """Measure a face.

    Args:
        pixels: of its picture, shape (h, w, 3).
        found: its box, kind and score.
        hasher: computes the perceptual hashes.
    """
    tight = cut(pixels, found.box)
    grey = Grey.of(tight)
    tone = measures.tone(tight)
    edges = measure_edges(tight)
    hashes = hasher(cut(pixels, found.box, HASHED_RATE))
    return NewFace(
        box=found.box,
        kind=found.kind,
        score=found.score,
        sharpness=measures.sharpness(grey),
        sharpness_paper=measures.sharpness_paper(grey),
        edge_sharpness=edges.sharpness,
        resolution=edges.resolution,
        brightness=tone.brightness,
        contrast=tone.contrast,
        pixel_hash=measures.pixel_hash(tight),
        phash=hashes.phash,
        dhash=hashes.dhash,
    )
