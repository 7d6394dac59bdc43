"""Find twins: near-duplicates that are assigned to two characters.

The drawings alone do not tell whether one of them has the wrong character or the two
characters look alike. So nothing is dropped: twins are suspicions for people to review
(`icf.catalogue.reviews`).

Faces that were kept since the last run are looked up in an index of all faces that were
ever kept (`icf.stores.hash_index`), so the cost depends on the number of new faces. The
index stores how far the ledger was read, and does so last. If the program is killed
before, the same faces are looked up again and the same suspicions are overwritten. With
changed settings all faces are looked up again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue import reviews
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.merges import survivor
from icf.catalogue.reviews import Found
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, decision, face, review
from icf.codes import ReviewStatus, Suspicion, Verdict
from icf.filter.copies.near_groups import Thresholds, has_informative_hashes
from icf.images.measures import hamming
from icf.search.hash_bands import IntArray
from icf.search.near_hashes import LARGEST_RADIUS
from icf.stores.hash_index import HashIndex, Rows
from icf.stores.vectors import VectorStore
from icf.workspace import Workspace

#: Decisions per page.
_PAGE = 16_384
#: Decisions that are read a second time: on PostgreSQL a decision may be committed
#: after one with a greater id.
_OVERLAP = 1000
#: Limits for a drawing with very many copies: nearest faces that are compared with one
#: face, and strongest suspicions written about it per run.
_COMPARED, _WRITTEN = 64, 8
#: Pairs to collect before they are reduced to the `_COMPARED` nearest of each face.
_MAX_PAIRS = 1 << 20
#: Pairs whose embeddings are read at a time.
_COSINE_BATCH = 8192


def find_twins(workspace: Workspace) -> int:
    """Search twins of newly kept faces, and close twins that no longer hold.

    Returns:
        Number of pairs that were found in this run.

    Raises:
        BrokenMachine: the index is damaged, or the disk or database fails.
    """
    wanted = workspace.settings.filter
    thresholds = Thresholds(
        min(wanted.max_phash, LARGEST_RADIUS),
        wanted.max_dhash,
        wanted.min_duplicate_cosine,
    )
    index = workspace.hashes
    parameters = f"{thresholds.phash} {thresholds.dhash} {thresholds.cosine}"
    if index.note != parameters:
        index.restart(parameters)
    may_be_late = workspace.catalogue.dialect == "postgresql"
    last = max(0, index.mark - _OVERLAP) if may_be_late else index.mark
    pairs = 0
    while True:
        faces, last_read = _kept_since(workspace.catalogue, last)
        if last_read == last:
            break
        last = last_read
        index.add(faces, 0)
        found = _twins_of(
            workspace.catalogue, workspace.vectors, index, faces, thresholds
        )
        with workspace.catalogue.write() as connection:
            reviews.add(connection, Suspicion.TWIN, found)
        index.add(faces, last)
        pairs += len(found)
    _close(workspace.catalogue, thresholds)
    return pairs


@dataclass(frozen=True, eq=False)
class _Near:
    """Pairs that are near by both hashes; all arrays of shape (n,).

    Attributes:
        face: ids of the faces that were looked up.
        other: ids of the faces that were found.
        phash_bits: number of different pHash bits.
        dhash_bits: number of different dHash bits.
    """

    face: IntArray
    other: IntArray
    phash_bits: IntArray
    dhash_bits: IntArray

    def __getitem__(self, some: NDArray[np.bool_] | IntArray) -> _Near:
        return _Near(*(column[some] for column in vars(self).values()))

    def nearest(self) -> _Near:
        """The `_COMPARED` nearest pairs of each face."""
        bits = self.phash_bits + self.dhash_bits
        ranked = self[np.lexsort((self.other, bits, self.face))]
        return ranked[_among_first(ranked.face, _COMPARED)]


def _kept_since(catalogue: Catalogue, last: int) -> tuple[Rows, int]:
    """Read a page of faces kept by decisions after ``last``, and still kept.

    Returns:
        The faces with informative hashes, and the last decision of the page.
    """
    query = (
        sa.select(decision.c.id, decision.c.subject_id)
        .where(
            decision.c.id > last,
            decision.c.subject == "face",
            decision.c.verdict == Verdict.KEPT.value,
        )
        .order_by(decision.c.id)
        .limit(_PAGE)
    )
    columns = sa.select(face.c.id, face.c.phash, face.c.dhash, face.c.contrast)
    with catalogue.read() as connection:
        read = connection.execute(query).all()
        ids = sorted({row.subject_id for row in read})
        kept = [
            (row.id, row.phash, row.dhash, row.contrast)
            for row in by_ids(connection, columns.where(_is_kept()), face.c.id, ids)
        ]
    table = np.array([row[:3] for row in kept], np.int64).reshape(-1, 3)
    contrast = np.array([row[3] for row in kept], np.float64)
    rows = Rows(*(np.ascontiguousarray(column) for column in table.T))
    informative = has_informative_hashes(contrast, rows.phash, rows.dhash)
    return rows[informative], read[-1].id if read else last


def _is_kept() -> sa.ColumnElement[bool]:
    return sa.and_(face.c.awaits.is_(None), face.c.verdict == Verdict.KEPT.value)


def _twins_of(
    catalogue: Catalogue,
    vectors: VectorStore,
    index: HashIndex,
    faces: Rows,
    thresholds: Thresholds,
) -> list[Found]:
    near = _near(index, faces, thresholds)
    kept = _KeptFaces.read(catalogue, np.union1d(near.face, near.other))
    near = near[kept.contains(near.face) & kept.contains(near.other)]
    near = near[kept.character_of(near.face) != kept.character_of(near.other)]
    # The database compares double precision, too (see `_close`).
    cosines = kept.cosines(vectors, near).astype(np.float64)
    near, cosines = (
        near[cosines >= thresholds.cosine],
        cosines[cosines >= thresholds.cosine],
    )
    scores = cosines * (1 - (near.phash_bits + near.dhash_bits) / 128)
    strongest = np.lexsort((near.other, -scores, near.face))
    chosen = strongest[_among_first(near.face[strongest], _WRITTEN)]
    # Two new faces find each other twice; the dictionary removes one of them.
    found = {}
    for row in chosen.tolist():
        one, other = sorted((int(near.face[row]), int(near.other[row])))
        character_id, other_id = kept.character_of(np.array([one, other])).tolist()
        found[one, other] = Found(
            Suspicion.TWIN,
            character_id,
            one,
            other,
            score=float(np.clip(scores[row], 0, 1)),
            other_character_id=other_id,
            similarity=float(cosines[row]),
            phash_bits=int(near.phash_bits[row]),
            dhash_bits=int(near.dhash_bits[row]),
            model=kept.model_of(one),
        )
    return [found[key] for key in sorted(found)]


def _near(index: HashIndex, faces: Rows, thresholds: Thresholds) -> _Near:
    """The nearest pairs of each face that are near by both hashes."""
    nothing = np.empty(0, np.int64)
    parts = [_Near(nothing, nothing, nothing, nothing)]
    count = 0
    for rows, found in index.near(faces.phash, thresholds.phash):
        bits = hamming(faces.dhash[rows], found.dhash)
        chosen = (bits <= thresholds.dhash) & (faces.ids[rows] != found.ids)
        rows, found, bits = rows[chosen], found[chosen], bits[chosen]
        phash_bits = hamming(faces.phash[rows], found.phash)
        parts.append(_Near(faces.ids[rows], found.ids, phash_bits, bits))
        count += len(bits)
        if count > _MAX_PAIRS:
            parts = [_joined(parts).nearest()]
            count = len(parts[0].face)
    return _joined(parts).nearest()


def _joined(parts: list[_Near]) -> _Near:
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return _Near(*(np.concatenate(column) for column in columns))


def _among_first(ascending: IntArray, count: int) -> NDArray[np.bool_]:
    """Whether each row is among the first ``count`` rows of its value."""
    return np.arange(len(ascending)) - np.searchsorted(ascending, ascending) < count


@dataclass(frozen=True, eq=False)
class _KeptFaces:
    """Kept faces with their characters and embedders.

    Attributes:
        ids: shape (n,), ascending.
        characters: shape (n,), ids of the characters.
        models: hashes of the embedders.
        model: shape (n,), the index of each face's embedder in ``models``.
    """

    ids: IntArray
    characters: IntArray
    models: tuple[str, ...]
    model: IntArray

    @classmethod
    def read(cls, catalogue: Catalogue, ids: IntArray) -> _KeptFaces:
        query = (
            sa.select(face.c.id, survivor().label("character_id"), face.c.embedder)
            .join(character, character.c.id == face.c.character_id)
            .where(_is_kept())
        )
        with catalogue.read() as connection:
            rows = [
                (row.id, row.character_id, row.embedder or "")
                for row in by_ids(connection, query, face.c.id, ids.tolist())
            ]
        rows.sort()
        models, model = np.unique([row[2] for row in rows], return_inverse=True)
        return cls(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.int64),
            tuple(models.tolist()),
            model.astype(np.int64),
        )

    def contains(self, ids: IntArray) -> NDArray[np.bool_]:
        return np.isin(ids, self.ids)

    def character_of(self, ids: IntArray) -> IntArray:
        return self.characters[np.searchsorted(self.ids, ids)]

    def model_of(self, face_id: int) -> str:
        return self.models[int(self.model[np.searchsorted(self.ids, face_id)])]

    def cosines(self, vectors: VectorStore, near: _Near) -> NDArray[np.float32]:
        """The cosine of each pair; NaN if the faces cannot be compared."""
        found = np.full(len(near.face), np.nan, np.float32)
        one = self.model[np.searchsorted(self.ids, near.face)]
        other = self.model[np.searchsorted(self.ids, near.other)]
        for number, model in enumerate(self.models):
            if not model:
                continue
            pairs = np.flatnonzero((one == number) & (other == number))
            for start in range(0, len(pairs), _COSINE_BATCH):
                some = pairs[start : start + _COSINE_BATCH]
                found[some] = vectors.cosines(model, near.face[some], near.other[some])
        return found


def _close(catalogue: Catalogue, thresholds: Thresholds) -> None:
    """Close twins with a dropped face, of one character, or beyond the thresholds."""
    one, other = face.alias("one"), face.alias("other")
    of_one, of_other = character.alias("of_one"), character.alias("of_other")
    dropped = [
        sa.and_(each.c.awaits.is_(None), each.c.verdict == Verdict.DROPPED.value)
        for each in (one, other)
    ]
    obsolete = (
        sa.select(review.c.id)
        .join(one, one.c.id == review.c.face_id)
        .join(other, other.c.id == review.c.other_face_id)
        .join(of_one, of_one.c.id == one.c.character_id)
        .join(of_other, of_other.c.id == other.c.character_id)
        .where(
            review.c.kind == Suspicion.TWIN.value,
            review.c.status.in_((ReviewStatus.OPEN.value, ReviewStatus.ASKED.value)),
            sa.or_(
                *dropped,
                survivor(of_one) == survivor(of_other),
                review.c.phash_bits > thresholds.phash,
                review.c.dhash_bits > thresholds.dhash,
                review.c.similarity < thresholds.cosine,
            ),
        )
    )
    with catalogue.write() as connection:
        connection.execute(
            sa.update(review)
            .where(review.c.id.in_(obsolete))
            .values(status=ReviewStatus.CLOSED.value, changed_at=time.time())
        )
