"""Find nearly the same drawing under two characters: twins.

Nobody can tell from a drawing alone whether it was filed wrongly once or shows a
look-alike, so nothing is dropped here: twins are suspicions for people
(`icf.catalogue.reviews`).

Faces that were kept since the last time are looked up in an index of all that ever were
(`icf.stores.hash_index`), so that new pictures cost what they are, whatever is there
already. The index notes how far the ledger was read. It does so last: killed before,
the same faces are looked up again, and the same suspicions written over themselves.
With changed settings all faces are looked up anew.
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
from icf.catalogue.schema import character, decision, face, review
from icf.codes import ReviewStatus, Suspicion, Verdict
from icf.engine.rows import by_ids
from icf.filter.copies.near_groups import Reach, telling
from icf.images.measures import hamming
from icf.search.hash_bands import IntArray
from icf.search.near_hashes import LARGEST_RADIUS
from icf.stores.hash_index import HashIndex, Rows
from icf.stores.vectors import VectorStore
from icf.workspace import Workspace

#: Faces that are looked up at a time.
_PAGE = 16_384
#: Decisions that are read again: on PostgreSQL one with a smaller id may be committed
#: after one with a greater.
_AGAIN = 1000
#: Of a drawing that is everywhere: the nearest that are compared with one face, and the
#: strongest suspicions that are written of it at a time.
_COMPARED, _WRITTEN = 64, 8
#: Pairs that are kept before they are thinned out to those.
_HELD = 1 << 20
#: Pairs whose embeddings are read at a time.
_AT_ONCE = 8192


def find_twins(workspace: Workspace) -> int:
    """Look up what was kept since the last time; close what no longer holds.

    Returns:
        How many pairs were found among what was looked up.

    Raises:
        BrokenMachine: the index is damaged, or disk or database do not answer.
    """
    wanted = workspace.settings.filter
    reach = Reach(
        min(wanted.max_phash, LARGEST_RADIUS),
        wanted.max_dhash,
        wanted.min_duplicate_cosine,
    )
    index = workspace.hashes
    asked = f"{reach.phash} {reach.dhash} {reach.cosine}"
    if index.note != asked:
        index.restart(asked)
    last = max(0, index.mark - _AGAIN)
    pairs = 0
    while True:
        faces, last_read = _kept_since(workspace.catalogue, last)
        if last_read == last:
            break
        last = last_read
        index.add(faces, 0)
        found = _twins_of(workspace.catalogue, workspace.vectors, index, faces, reach)
        with workspace.catalogue.write() as connection:
            reviews.add(connection, Suspicion.TWIN, found)
        index.add(faces, last)
        pairs += len(found)
    _close(workspace.catalogue, reach)
    return pairs


@dataclass(frozen=True, eq=False)
class _Near:
    """Pairs that are near by both hashes: arrays of shape (n,).

    ``face`` was looked up, ``other`` found.
    """

    face: IntArray
    other: IntArray
    phash_bits: IntArray
    dhash_bits: IntArray

    def __getitem__(self, some: NDArray[np.bool_] | IntArray) -> _Near:
        return _Near(*(column[some] for column in vars(self).values()))

    def nearest(self) -> _Near:
        """Of each face the `_COMPARED` nearest."""
        bits = self.phash_bits + self.dhash_bits
        ranked = self[np.lexsort((self.other, bits, self.face))]
        return ranked[_among_first(ranked.face, _COMPARED)]


def _kept_since(catalogue: Catalogue, last: int) -> tuple[Rows, int]:
    """Read the faces that decisions after ``last`` kept, and that still are.

    Returns:
        Those whose hashes say anything, and the last decision that was read.
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
    return rows[telling(contrast, rows.phash, rows.dhash)], read[
        -1
    ].id if read else last


def _is_kept() -> sa.ColumnElement[bool]:
    return sa.and_(face.c.awaits.is_(None), face.c.verdict == Verdict.KEPT.value)


def _twins_of(
    catalogue: Catalogue,
    vectors: VectorStore,
    index: HashIndex,
    faces: Rows,
    reach: Reach,
) -> list[Found]:
    near = _near(index, faces, reach)
    filed = _Filed.read(catalogue, np.union1d(near.face, near.other))
    near = near[filed.there(near.face) & filed.there(near.other)]
    near = near[filed.of(near.face) != filed.of(near.other)]
    # As the database compares them.
    cosines = filed.cosines(vectors, near).astype(np.float64)
    near, cosines = near[cosines >= reach.cosine], cosines[cosines >= reach.cosine]
    scores = cosines * (1 - (near.phash_bits + near.dhash_bits) / 128)
    strongest = np.lexsort((near.other, -scores, near.face))
    chosen = strongest[_among_first(near.face[strongest], _WRITTEN)]
    # Two new faces find each other twice.
    found = {}
    for row in chosen.tolist():
        one, other = sorted((int(near.face[row]), int(near.other[row])))
        character_id, other_id = filed.of(np.array([one, other])).tolist()
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
            model=filed.model_of(one),
        )
    return [found[key] for key in sorted(found)]


def _near(index: HashIndex, faces: Rows, reach: Reach) -> _Near:
    """What is near by both hashes, of each face the nearest."""
    nothing = np.empty(0, np.int64)
    parts = [_Near(nothing, nothing, nothing, nothing)]
    held = 0
    for rows, found in index.near(faces.phash, reach.phash):
        bits = hamming(faces.dhash[rows], found.dhash)
        chosen = (bits <= reach.dhash) & (faces.ids[rows] != found.ids)
        rows, found, bits = rows[chosen], found[chosen], bits[chosen]
        phash_bits = hamming(faces.phash[rows], found.phash)
        parts.append(_Near(faces.ids[rows], found.ids, phash_bits, bits))
        held += len(bits)
        if held > _HELD:
            parts = [_joined(parts).nearest()]
            held = len(parts[0].face)
    return _joined(parts).nearest()


def _joined(parts: list[_Near]) -> _Near:
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return _Near(*(np.concatenate(column) for column in columns))


def _among_first(ascending: IntArray, count: int) -> NDArray[np.bool_]:
    """Which rows are among the first ``count`` of their value."""
    return np.arange(len(ascending)) - np.searchsorted(ascending, ascending) < count


@dataclass(frozen=True, eq=False)
class _Filed:
    """Kept faces by ascending id: whose they are, and what embedded them."""

    ids: IntArray
    characters: IntArray
    models: tuple[str, ...]
    of_model: IntArray

    @classmethod
    def read(cls, catalogue: Catalogue, ids: IntArray) -> _Filed:
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
        models, of_model = np.unique([row[2] for row in rows], return_inverse=True)
        return cls(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.int64),
            tuple(models.tolist()),
            of_model.astype(np.int64),
        )

    def there(self, ids: IntArray) -> NDArray[np.bool_]:
        return np.isin(ids, self.ids)

    def of(self, ids: IntArray) -> IntArray:
        return self.characters[np.searchsorted(self.ids, ids)]

    def model_of(self, face_id: int) -> str:
        return self.models[int(self.of_model[np.searchsorted(self.ids, face_id)])]

    def cosines(self, vectors: VectorStore, near: _Near) -> NDArray[np.float32]:
        """Of each pair; NaN where the two cannot be compared."""
        found = np.full(len(near.face), np.nan, np.float32)
        one = self.of_model[np.searchsorted(self.ids, near.face)]
        other = self.of_model[np.searchsorted(self.ids, near.other)]
        for number, model in enumerate(self.models):
            have = vectors.has(model, near.face) & vectors.has(model, near.other)
            pairs = np.flatnonzero((one == number) & (other == number) & have)
            for start in range(0, len(pairs), _AT_ONCE):
                some = pairs[start : start + _AT_ONCE]
                found[some] = vectors.cosines(model, near.face[some], near.other[some])
        return found


def _close(catalogue: Catalogue, reach: Reach) -> None:
    """Close twins of which a face is out, that are of one character or out of reach."""
    one, other = face.alias("one"), face.alias("other")
    of_one, of_other = character.alias("of_one"), character.alias("of_other")
    out = [
        sa.and_(each.c.awaits.is_(None), each.c.verdict == Verdict.DROPPED.value)
        for each in (one, other)
    ]
    moot = (
        sa.select(review.c.id)
        .join(one, one.c.id == review.c.face_id)
        .join(other, other.c.id == review.c.other_face_id)
        .join(of_one, of_one.c.id == one.c.character_id)
        .join(of_other, of_other.c.id == other.c.character_id)
        .where(
            review.c.kind == Suspicion.TWIN.value,
            review.c.status.in_((ReviewStatus.OPEN.value, ReviewStatus.ASKED.value)),
            sa.or_(
                *out,
                survivor(of_one) == survivor(of_other),
                review.c.phash_bits > reach.phash,
                review.c.dhash_bits > reach.dhash,
                review.c.similarity < reach.cosine,
            ),
        )
    )
    with catalogue.write() as connection:
        connection.execute(
            sa.update(review)
            .where(review.c.id.in_(moot))
            .values(status=ReviewStatus.CLOSED.value, changed_at=time.time())
        )
