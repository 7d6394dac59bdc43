"""One face of each group of duplicates goes on; the others point at it.

Exact duplicates first: equal pixels. Near-duplicates then: both hashes are within reach
and so is the cosine of the embeddings, which distinguishes a copy from another drawing
of the same character. Each group has a keeper, the largest face and of equals the
sharpest, and never along chains (`icf.filter.copies.near_groups`). Only faces under the
same character are compared, so look-alikes under two characters both stay: see
`icf.filter.copies.twins`.

Where embeddings cannot be compared (a face that was kept earlier may have one by
another model, or none), hashes alone drop nothing: a face too many costs a person a
second, a dropped drawing is lost. An embedding that the disk has lost ends the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue.face_character import current_character
from icf.catalogue.references import HAND
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face
from icf.codes import FaceReason
from icf.engine.step import Item, Outcome, Step, Subject, by_group
from icf.filter import resources
from icf.filter.copies.near_groups import (
    Cosines,
    DuplicateGroups,
    RankedFaces,
    Thresholds,
    find_groups,
    has_informative_hashes,
)
from icf.search.hash_bands import IntArray

#: Pairs whose embeddings are read at a time.
_COSINE_BATCH = 8192


@dataclass(frozen=True)
class HashedFace(Item):
    """A face with its hashes and what ranks it among duplicates."""

    image_id: int
    x1: float
    y1: float
    area: float
    sharpness: float
    contrast: float | None
    pixel_hash: str
    phash: int
    dhash: int
    embedder: str | None
    by_hand: bool = False


@dataclass(frozen=True)
class Duplicates(Step[HashedFace]):
    """Drops faces that duplicate a better face of the same character.

    Args:
        vectors: the folder of the vector store.
        max_phash: bits of pHash between near-duplicates, at most.
        max_dhash: bits of dHash between them, at most.
        min_duplicate_cosine: of their embeddings, at least; all three must hold.
    """

    name: ClassVar[str] = "duplicates"
    subject: ClassVar[Subject] = "face"
    grouped: ClassVar[bool] = True
    stored: ClassVar[bool] = True

    vectors: Path
    max_phash: int
    max_dhash: int
    min_duplicate_cosine: float

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[HashedFace]:
        """Read hashes and sizes, and which face a person chose as reference."""
        area = (face.c.x2 - face.c.x1) * (face.c.y2 - face.c.y1)
        by_hand = sa.exists().where(
            character.c.reference_face_id == face.c.id,
            character.c.id == current_character(),
            character.c.reference_by == HAND,
        )
        query = sa.select(
            face.c.id,
            current_character().label("character_id"),
            face.c.awaits,
            face.c.image_id,
            face.c.x1,
            face.c.y1,
            area.label("area"),
            face.c.sharpness,
            face.c.contrast,
            face.c.pixel_hash,
            face.c.phash,
            face.c.dhash,
            face.c.embedder,
            by_hand.label("by_hand"),
        )
        return [
            HashedFace(
                id=row.id,
                group=row.character_id,
                fresh=row.awaits == self.name,
                image_id=row.image_id,
                x1=row.x1,
                y1=row.y1,
                area=row.area,
                sharpness=row.sharpness,
                contrast=row.contrast,
                pixel_hash=row.pixel_hash,
                phash=row.phash,
                dhash=row.dhash,
                embedder=row.embedder,
                by_hand=bool(row.by_hand),
            )
            for row in by_ids(connection, query, face.c.id, ids)
        ]

    def judge(self, batch: Sequence[HashedFace]) -> list[Outcome]:
        """Find each character's keepers, and let only them pass."""
        return [o for group in by_group(batch) for o in self._judge_group(group)]

    def _judge_group(self, group: Sequence[HashedFace]) -> list[Outcome]:
        ranked = sorted(group, key=_rank)
        best = _best_of_equal_pixels(ranked)
        free = np.array([item.fresh and not item.by_hand for item in ranked])
        exact = free & (best != np.arange(len(ranked)))
        phash = np.array([item.phash for item in ranked], np.int64)
        dhash = np.array([item.dhash for item in ranked], np.int64)
        contrast = np.array([item.contrast for item in ranked], np.float64)
        searched = ~exact & has_informative_hashes(contrast, phash, dhash)
        faces = RankedFaces(phash, dhash, free, searched)
        thresholds = Thresholds(
            self.max_phash, self.max_dhash, self.min_duplicate_cosine
        )
        groups = find_groups(faces, thresholds, self._cosines(ranked))
        outcomes = []
        for row, item in enumerate(ranked):
            if item.fresh and exact[row]:
                # The face it equals may itself be dropped, for a keeper.
                first = int(best[row])
                keeper = int(groups.keeper[first])
                stays = ranked[first if keeper < 0 else keeper]
                outcomes.append(_exact_duplicate(item, stays))
            elif item.fresh:
                outcomes.append(self._by_hashes(row, ranked, groups))
        return outcomes

    def _by_hashes(
        self, row: int, ranked: Sequence[HashedFace], groups: DuplicateGroups
    ) -> Outcome:
        """Judge a face by its hashes and its embedding.

        The cosine decides. A face that passes has one only if the hashes alone would
        have dropped it.
        """
        item = ranked[row]
        keeper = int(groups.keeper[row])
        cosine = float(groups.cosine[row])
        if np.isnan(cosine):
            return Outcome(item.id, True)
        if keeper < 0:
            return Outcome(
                item.id,
                True,
                value=cosine,
                threshold=self.min_duplicate_cosine,
                model=item.embedder,
            )
        phash_bits, dhash_bits = groups.phash_bits[row], groups.dhash_bits[row]
        return Outcome(
            item.id,
            False,
            FaceReason.NEAR_DUPLICATE.value,
            value=cosine,
            threshold=self.min_duplicate_cosine,
            model=item.embedder,
            message=f"pHash differs in {phash_bits} bits, dHash in {dhash_bits}",
            columns={"keeper_id": ranked[keeper].id},
        )

    def _cosines(self, ranked: Sequence[HashedFace]) -> Cosines:
        """Compare faces by their vectors, where both have one by the same model."""
        store = resources.vectors(self.vectors)
        ids = np.array([item.id for item in ranked], np.int64)
        models = sorted({item.embedder for item in ranked if item.embedder})
        of_model = np.full(len(ranked), -1, np.int64)
        for number, model in enumerate(models):
            rows = np.flatnonzero([item.embedder == model for item in ranked])
            of_model[rows] = number

        def cosines(one: IntArray, other: IntArray) -> NDArray[np.float32]:
            found = np.full(len(one), np.nan, np.float32)
            for number, model in enumerate(models):
                pairs = np.flatnonzero(
                    (of_model[one] == number) & (of_model[other] == number)
                )
                for start in range(0, len(pairs), _COSINE_BATCH):
                    some = pairs[start : start + _COSINE_BATCH]
                    found[some] = store.cosines(model, ids[one[some]], ids[other[some]])
            return found

        return cosines


def _best_of_equal_pixels(ranked: Sequence[HashedFace]) -> IntArray:
    """Of each face, the first row that has its very pixels."""
    pixels = np.array([item.pixel_hash for item in ranked])
    _, first, code = np.unique(pixels, return_index=True, return_inverse=True)
    return np.asarray(first[code], np.int64)


def _exact_duplicate(item: HashedFace, keeper: HashedFace) -> Outcome:
    return Outcome(
        item.id,
        False,
        FaceReason.EXACT_DUPLICATE.value,
        value=0,
        threshold=0,
        columns={"keeper_id": keeper.id},
    )


def _rank(item: HashedFace) -> tuple[bool, bool, float, float, int, float, float]:
    """A person's choice first, then faces kept earlier, then larger, then sharper.

    Ids of faces vary between engines, so where they are found decides among equals.
    """
    return (
        not item.by_hand,
        item.fresh,
        -item.area,
        -item.sharpness,
        item.image_id,
        item.x1,
        item.y1,
    )
