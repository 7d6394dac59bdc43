"""Measure faces that an earlier version found, which lack measures of today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import by_ids, count_rows
from icf.catalogue.schema import face, image
from icf.codes import FaceReason
from icf.engine.attention import one_by_one
from icf.engine.engine import Engine
from icf.engine.runner import Progress
from icf.engine.step import Outcome, Step, Subject
from icf.filter import resources
from icf.filter.steps.embed import StoredFace
from icf.images import Undecodable, decode, measures
from icf.images.cut import cut
from icf.images.edges import measure_edges
from icf.stores.blobs import MissingBlob
from icf.workspace import Workspace

#: Of faces: not measured yet, and not withdrawn.
_LACKS = sa.and_(
    face.c.edge_sharpness.is_(None), face.c.reason != FaceReason.TAKEN_DOWN.value
)


@dataclass(frozen=True)
class MeasureEdges(Step[StoredFace]):
    """Measures the edges of faces; it is no step of the chain.

    Args:
        blobs: the URL of the blob store.
        max_pixels: the cap on width x height.
    """

    name: ClassVar[str] = "measure"
    subject: ClassVar[Subject] = "face"
    decodes: ClassVar[bool] = True

    blobs: str
    max_pixels: int

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[StoredFace]:
        """Read boxes, and where the bytes are; faces of one picture together."""
        query = (
            sa.select(
                face.c.id, face.c.x1, face.c.y1, face.c.x2, face.c.y2, image.c.sha256
            )
            .join(image, image.c.id == face.c.image_id)
            .order_by(image.c.sha256)
        )
        return [
            StoredFace(row.id, row.sha256, (row.x1, row.y1, row.x2, row.y2))
            for row in by_ids(connection, query, face.c.id, ids)
        ]

    def judge(self, batch: Sequence[StoredFace]) -> list[Outcome]:
        """Measure the crops, decoding each picture once."""
        outcomes: list[Outcome] = []
        in_turn = one_by_one(batch)
        for sha256, faces in groupby(in_turn, key=lambda item: item.sha256):
            try:
                data = resources.blobs(self.blobs).get(sha256)
                pixels = decode(data, self.max_pixels).pixels
            except (MissingBlob, Undecodable) as error:
                reason, message = FaceReason.MISSING_BLOB.value, str(error)
                outcomes += [
                    Outcome(each.id, False, reason, message=message) for each in faces
                ]
                continue
            for each in faces:
                columns = _measured(cut(pixels, each.box))
                outcomes.append(Outcome(each.id, True, columns=columns))
        return outcomes


def _measured(crop: NDArray[np.uint8]) -> dict[str, float]:
    edges, tone = measure_edges(crop), measures.tone(crop)
    return {
        "edge_sharpness": edges.sharpness,
        "resolution": edges.resolution,
        "brightness": tone.brightness,
        "contrast": tone.contrast,
    }


def count_unmeasured(catalogue: Catalogue) -> int:
    """Count the faces that lack measures."""
    with catalogue.read() as connection:
        return count_rows(connection, face, _LACKS)


def measure(workspace: Workspace, engine: Engine, advance: Progress) -> list[Outcome]:
    """Measure the faces that lack measures; decisions stay as they are.

    Killed in the middle and started again, it goes on.

    Returns:
        The outcomes of the faces that cannot be measured: their pictures are gone, or
        cannot be decoded any more.

    Raises:
        BrokenMachine: the disk or the database does not answer.
    """
    step = MeasureEdges(workspace.blobs_url, workspace.settings.harvest.max_pixels)
    failed: list[Outcome] = []
    for outcomes in engine.judge(step, _batches(workspace, step)):
        done = [each for each in outcomes if each.passed]
        failed += [each for each in outcomes if not each.passed]
        _store(workspace.catalogue, sorted(done, key=lambda each: each.id))
        advance(len(outcomes))
    return failed


def _store(catalogue: Catalogue, outcomes: Sequence[Outcome]) -> None:
    rows = [{"key": each.id, **each.columns} for each in outcomes]
    if rows:
        changed = sa.update(face).where(face.c.id == sa.bindparam("key"))
        with catalogue.write() as connection:
            connection.execute(changed, rows)


def _batches(workspace: Workspace, step: MeasureEdges) -> Iterator[list[StoredFace]]:
    """Pages of faces, by id: those of one picture were found, and stored, together."""
    last = 0
    while True:
        page = sa.select(face.c.id).where(_LACKS, face.c.id > last)
        page = page.order_by(face.c.id).limit(workspace.settings.filter.batch)
        with workspace.catalogue.read() as connection:
            ids = list(connection.execute(page).scalars())
            items = step.select(connection, ids)
        if not ids:
            return
        last = ids[-1]
        yield items
