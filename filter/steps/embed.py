"""Turn each face that is left into a vector; equal characters get near vectors.

A face that has its vector by the same model already passes without opening its picture:
so a face that passes again after a threshold changed costs nothing. Whether it has one
the catalogue says: a vector may be there that it knows nothing of, because a run was
killed, or because it was restored from a backup and the vector is another face's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from icf.codes import FaceReason
from icf.engine.attention import one_by_one
from icf.engine.step import Item, Outcome, Step, Subject
from icf.filter import resources
from icf.filter.step_names import EMBED
from icf.images import Undecodable, decode
from icf.models.cards import ModelCard, verified, weights_path
from icf.models.embedding import Embedder, crop_face
from icf.models.runtime.network import Device, Runtime
from icf.stores.blobs import MissingBlob

if TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True)
class StoredFace(Item):
    """A face, and where the bytes of its picture are."""

    sha256: str
    box: tuple[float, float, float, float]
    embedder: str | None = None


@dataclass(frozen=True)
class Embed(Step[StoredFace]):
    """Embeds the enlarged crop of each face; every face passes.

    A face whose picture the blob store has lost keeps waiting.

    Args:
        blobs: the URL of the blob store.
        vectors: the folder of the vector store.
        max_pixels: the cap on width x height.
        runtime: what runs the embedder.
        device: where PyTorch computes.
        model: the embedder's weights or card.
    """

    name: ClassVar[str] = EMBED
    subject: ClassVar[Subject] = "face"
    decodes: ClassVar[bool] = True

    blobs: str
    vectors: Path
    max_pixels: int
    runtime: Runtime = "onnxruntime"
    device: Device = "auto"
    model: Path = resources.EMBEDDER

    def open(self) -> None:
        """Open the embedder."""
        self._embedder()

    def card(self) -> ModelCard:
        """Check the embedder's file and return its card.

        Raises:
            BadModel: the file is not what its card promises.
        """
        return verified(weights_path(self.model), "embed", frozenset())

    def _embedder(self) -> Embedder:
        return resources.embedder(self.runtime, self.device, self.model)

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[StoredFace]:
        """Read boxes, where the bytes are, and what has embedded them."""
        # Not above: worker processes, which start more quickly so, read no catalogue.
        import sqlalchemy as sa

        from icf.catalogue.rows import by_ids
        from icf.catalogue.schema import face, image

        query = sa.select(
            face.c.id,
            face.c.x1,
            face.c.y1,
            face.c.x2,
            face.c.y2,
            face.c.embedder,
            image.c.sha256,
        ).join(image, image.c.id == face.c.image_id)
        return [
            StoredFace(
                row.id, row.sha256, (row.x1, row.y1, row.x2, row.y2), row.embedder
            )
            for row in by_ids(connection, query, face.c.id, ids)
        ]

    def judge(self, batch: Sequence[StoredFace]) -> list[Outcome]:
        """Crop the faces, decoding each picture once, and embed them together."""
        embedder = self._embedder()
        model = embedder.model_hash
        known = self._known(model, batch)
        outcomes = [_embedded(item, model) for item in batch if item.id in known]
        cropped: list[StoredFace] = []
        crops: list[NDArray[np.uint8]] = []
        in_order = sorted(
            (item for item in batch if item.id not in known),
            key=lambda item: item.sha256,
        )
        in_turn = one_by_one(in_order)
        for sha256, faces in groupby(in_turn, key=lambda item: item.sha256):
            try:
                pixels = self._pixels(sha256)
            except MissingBlob as error:
                lost = FaceReason.MISSING_BLOB
                outcomes += [_not_embedded(i, lost, error, waits=True) for i in faces]
                continue
            except Undecodable as error:
                failed = FaceReason.STEP_FAILED
                outcomes += [_not_embedded(item, failed, error) for item in faces]
                continue
            for item in faces:
                cropped.append(item)
                crops.append(crop_face(pixels, item.box, embedder.crop_rate))
        if crops:
            for item, vector in zip(cropped, embedder.embed(crops), strict=True):
                outcomes.append(_embedded(item, model, vector))
        return outcomes

    def _known(self, model: str, batch: Sequence[StoredFace]) -> set[int]:
        """The faces that have a vector of ``model``, and are known to."""
        ids = np.array([i.id for i in batch if i.embedder == model], np.int64)
        return set(ids[resources.vectors(self.vectors).has(model, ids)].tolist())

    def _pixels(self, sha256: str) -> NDArray[np.uint8]:
        store = resources.blobs(self.blobs)
        return decode(store.get(sha256), self.max_pixels).pixels


def _embedded(
    item: StoredFace, model: str, vector: NDArray[np.float32] | None = None
) -> Outcome:
    columns = {"embedder": model}
    return Outcome(item.id, True, model=model, vector=vector, columns=columns)


def _not_embedded(
    item: StoredFace, reason: FaceReason, error: Exception, *, waits: bool = False
) -> Outcome:
    """Its bytes were decoded when the face was found, and cannot be now."""
    return Outcome(item.id, False, reason.value, message=str(error), waits=waits)
