"""Faces of other characters that can be planted against a reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.annotate.gold.certain import Certain
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face, review
from icf.codes import ReviewStatus, Suspicion
from icf.stores.vectors import VectorStore

#: Faces that are planted against one reference, at most.
EACH = 10
#: What likeness can be wrong by, computed in another order.
_ROUNDING = 1e-4
#: What people said to be two characters is planted all the same.
_MAY_BE_ONE = [
    each.value for each in ReviewStatus if each is not ReviewStatus.DIFFERENT
]


def plantable(
    connection: sa.Connection, vectors: VectorStore, same: Sequence[Certain]
) -> Iterator[tuple[Certain, list[int]]]:
    """Pair each character with confirmed faces of others, the likest first.

    Args:
        connection: to the catalogue.
        vectors: those of the faces.
        same: confirmed faces with their characters.

    Yields:
        Of each character one of its confirmed faces, which has its reference, and
        `EACH` faces of other characters or fewer: of the same album, or where that has
        no other confirmed one, of any.
    """
    faces = _Faces(connection, vectors, same)
    suspected = _suspected(connection)
    one_of = {each.character_id: each for each in same}
    for key, one in sorted(one_of.items()):
        yield one, faces.likest(one, suspected[key])


class _Faces:
    """Confirmed faces, those of an album next to each other.

    How like they are is by the vectors of the embedder that most of them have.
    """

    def __init__(
        self, connection: sa.Connection, vectors: VectorStore, same: Sequence[Certain]
    ) -> None:
        self._album_of = _albums(connection, [each.character_id for each in same])
        albums = np.array([self._album_of[e.character_id] for e in same], np.int64)
        #: Where each stands in `same`: the earlier is the first of equals.
        self._places = np.argsort(albums, kind="stable")
        self._albums = albums[self._places]
        rows = [(each.face_id, each.character_id) for each in same]
        table = np.array(rows, np.int64).reshape(-1, 2)[self._places]
        self._ids, self._characters = table.T
        references = np.array(sorted({e.reference_face_id for e in same}), np.int64)
        model, known = _embedded(connection, np.union1d(self._ids, references))
        known = known[vectors.has(model, known)]
        self._has = np.isin(self._ids, known)
        self._starts = np.append(0, np.cumsum(self._has))
        self._vectors = vectors.get(model, self._ids[self._has])
        references = references[np.isin(references, known)]
        found = vectors.get(model, references)
        self._references = dict(zip(references.tolist(), found, strict=True))

    def likest(self, one: Certain, but: Collection[int]) -> list[int]:
        """Faces of other characters by how like they are to a reference.

        Args:
            one: has the character and the reference.
            but: characters that are left out.
        """
        album = self._album_of[one.character_id]
        start, end = np.searchsorted(self._albums, [album, album + 1])
        if not np.any(self._characters[start:end] != one.character_id):
            start, end = 0, len(self._ids)
        left = np.array([one.character_id, *but], np.int64)
        others = start + np.flatnonzero(~np.isin(self._characters[start:end], left))
        to = self._references.get(one.reference_face_id)
        likeness = np.zeros(end - start, np.float32)
        if to is not None:
            rows = self._vectors[self._starts[start] : self._starts[end]]
            likeness[self._has[start:end]] = rows @ to
        likeness = likeness[others - start]
        if to is not None and len(others) > EACH:
            # A product of a matrix rounds in its own way: of equal vectors, too.
            tenth = np.partition(likeness, -EACH)[-EACH]
            near = likeness >= tenth - _ROUNDING
            others, likeness = others[near], likeness[near]
        if to is not None:
            exact = self._has[others]
            rows = self._vectors[self._starts[others[exact]]]
            likeness[exact] = [to @ each for each in rows]
        order = np.lexsort((self._places[others], -likeness))[:EACH]
        return [int(each) for each in self._ids[others[order]]]


def _embedded(
    connection: sa.Connection, ids: NDArray[np.int64]
) -> tuple[str, NDArray[np.int64]]:
    """The embedder that most of some faces have, and which of them have it."""
    query = sa.select(face.c.id, face.c.embedder)
    models: dict[str, list[int]] = defaultdict(list)
    for row in by_ids(connection, query, face.c.id, ids.tolist()):
        if row.embedder is not None:
            models[row.embedder].append(row.id)
    model = max(models, key=lambda name: len(models[name]), default="")
    return model, np.array(sorted(models[model]), np.int64)


def _albums(connection: sa.Connection, ids: Sequence[int]) -> dict[int, int]:
    query = sa.select(character.c.id, character.c.album_id)
    rows = by_ids(connection, query, character.c.id, sorted(set(ids)))
    return {row.id: row.album_id for row in rows}


def _suspected(connection: sa.Connection) -> Mapping[int, Collection[int]]:
    """Of each character those that may be the same one."""
    kinds = (Suspicion.TWIN.value, Suspicion.MERGE.value)
    query = sa.select(review.c.character_id, review.c.other_character_id).where(
        review.c.kind.in_(kinds),
        review.c.status.in_(_MAY_BE_ONE),
        review.c.other_character_id.is_not(None),
    )
    found: dict[int, set[int]] = defaultdict(set)
    for one, other in connection.execute(query):
        found[one].add(other)
        found[other].add(one)
    return found
