"""Faces of other characters that can be planted against a reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from icf.annotate.gold.certain import Certain
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face, review
from icf.codes import ReviewStatus, Suspicion
from icf.stores.vectors import VectorStore

#: Faces that are planted against one reference, at most.
EACH = 10
#: What people said to be two characters is planted all the same.
_MAY_BE_ONE = [
    each.value for each in ReviewStatus if each is not ReviewStatus.DIFFERENT
]


def plantable(
    connection: sa.Connection, vectors: VectorStore, same: Sequence[Certain]
) -> list[tuple[Certain, int]]:
    """Pair each character with confirmed faces of others, the likest first.

    Args:
        connection: to the catalogue.
        vectors: those of the faces.
        same: confirmed faces with their characters.

    Returns:
        Of each character one of its confirmed faces, which has its reference, and a
        face of another character: of the same album, or where that has no other
        confirmed one, of any.
    """
    albums = _albums(connection, [each.character_id for each in same])
    one_of = {each.character_id: each for each in same}
    suspected = _suspected(connection)
    likeness = _Likeness(connection, vectors, same)
    by_album: dict[int, list[Certain]] = defaultdict(list)
    for each in same:
        by_album[albums[each.character_id]].append(each)
    found = []
    for key, one in sorted(one_of.items()):
        near = [each for each in by_album[albums[key]] if each.character_id != key]
        others = near or [each for each in same if each.character_id != key]
        others = [each for each in others if (key, each.character_id) not in suspected]
        ranked = likeness.ranked(one.reference_face_id, others)
        found += [(one, each.face_id) for each in ranked[:EACH]]
    return found


class _Likeness:
    """How like faces are, by the vectors of the embedder that most of them have."""

    def __init__(
        self, connection: sa.Connection, vectors: VectorStore, same: Sequence[Certain]
    ) -> None:
        ids = {each.face_id for each in same} | {e.reference_face_id for e in same}
        query = sa.select(face.c.id, face.c.embedder)
        models: dict[str, list[int]] = defaultdict(list)
        for row in by_ids(connection, query, face.c.id, sorted(ids)):
            if row.embedder is not None:
                models[row.embedder].append(row.id)
        self._vectors: dict[int, np.ndarray[tuple[int], np.dtype[np.float32]]] = {}
        if not models:
            return
        model = max(models, key=lambda name: len(models[name]))
        own = np.array(models[model], np.int64)
        own = own[vectors.has(model, own)]
        if len(own):
            rows = vectors.get(model, own)
            self._vectors = dict(zip(own.tolist(), rows, strict=True))

    def ranked(self, reference: int, others: Sequence[Certain]) -> list[Certain]:
        """Some faces by how like they are to a reference, the likest first."""
        to = self._vectors.get(reference)

        def likeness(each: Certain) -> float:
            own = self._vectors.get(each.face_id)
            return 0.0 if to is None or own is None else float(to @ own)

        return sorted(others, key=likeness, reverse=True)


def _albums(connection: sa.Connection, ids: Sequence[int]) -> dict[int, int]:
    query = sa.select(character.c.id, character.c.album_id)
    rows = by_ids(connection, query, character.c.id, sorted(set(ids)))
    return {row.id: row.album_id for row in rows}


def _suspected(connection: sa.Connection) -> set[tuple[int, int]]:
    """Two characters that may be one, in both orders."""
    kinds = (Suspicion.TWIN.value, Suspicion.MERGE.value)
    query = sa.select(review.c.character_id, review.c.other_character_id).where(
        review.c.kind.in_(kinds), review.c.status.in_(_MAY_BE_ONE)
    )
    found = {(row[0], row[1]) for row in connection.execute(query)}
    return found | {(other, one) for one, other in found}
