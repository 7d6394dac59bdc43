"""The faces that look most like one, by the vectors of its embedder."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.workspace import Workspace

#: Faces that are shown.
MOST = 18

_AT_ONCE = 50_000


def nearest(workspace: Workspace, face_id: int) -> list[tuple[int, float]]:
    """Find the `MOST` faces nearest to one, with their cosines, the nearest first.

    Args:
        workspace: that has it.
        face_id: a face; without a vector it has no neighbours.
    """
    with workspace.catalogue.read() as connection:
        model = connection.execute(
            sa.select(face.c.embedder).where(face.c.id == face_id)
        ).scalar()
        if model is None:
            return []
        query = sa.select(face.c.id).where(
            face.c.embedder == model,
            face.c.id != face_id,
            face.c.reason != FaceReason.TAKEN_DOWN.value,
        )
        ids = np.fromiter(connection.execute(query).scalars(), np.int64)
    own = workspace.vectors.get(model, np.array([face_id]))[0]
    best_ids, best = np.zeros(0, np.int64), np.zeros(0, np.float32)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        best_ids = np.concatenate([best_ids, some])
        best = np.concatenate([best, workspace.vectors.get(model, some) @ own])
        order = np.lexsort((best_ids, -best))[:MOST]
        best_ids, best = best_ids[order], best[order]
    return list(zip(best_ids.tolist(), best.tolist(), strict=True))
