"""The faces that look most like one, by the vectors of its embedder."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.stores.vectors import MissingVector
from icf.workspace import Workspace

#: Faces that are shown.
MOST = 18

#: Of the nearest vectors, so many at a time are looked up in the catalogue.
_AT_ONCE = 500


def nearest(workspace: Workspace, face_id: int) -> list[tuple[int, float]] | None:
    """Find the `MOST` faces nearest to one, with their cosines, the nearest first.

    Faces whose vectors are lost or damaged are none of them.

    Args:
        workspace: that has it.
        face_id: a face; without a vector it has no neighbours.

    Returns:
        The ids and cosines; None: its own vector is lost or damaged.
    """
    with workspace.catalogue.read() as connection:
        model = connection.execute(
            sa.select(face.c.embedder).where(face.c.id == face_id)
        ).scalar()
        if model is None:
            return []
        try:
            [own] = workspace.vectors.get(model, np.array([face_id]))
        except MissingVector:
            return None
        ids, cosines = workspace.vectors.cosines_with_all(model, own)
        order = np.argsort(-cosines, kind="stable")
        found: list[tuple[int, float]] = []
        for start in range(0, len(order), _AT_ONCE):
            places = order[start : start + _AT_ONCE]
            places = places[workspace.vectors.has(model, ids[places])]
            shown = _shown(connection, model, face_id, ids[places].tolist())
            pairs = zip(ids[places].tolist(), cosines[places].tolist(), strict=True)
            found += [(key, cosine) for key, cosine in pairs if key in shown]
            if len(found) >= MOST:
                break
    return found[:MOST]


def _shown(
    connection: sa.Connection, model: str, face_id: int, ids: list[int]
) -> set[int]:
    """Those of some faces that can stand beside one of the same embedder."""
    query = sa.select(face.c.id).where(
        face.c.embedder == model,
        face.c.id != face_id,
        face.c.reason != FaceReason.TAKEN_DOWN.value,
    )
    return {row.id for row in by_ids(connection, query, face.c.id, ids)}
