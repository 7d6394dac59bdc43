"""One face of each group of duplicates goes on; the others point at it.

Groups are drawn around a keeper, the largest face and of equals the sharpest, and never
along chains: a face is out only if it is itself within reach of the keeper. Only faces
under the same character are compared, so look-alikes under two characters both stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import sqlalchemy as sa

from icf.catalogue.schema import face
from icf.codes import FaceReason
from icf.engine.rows import by_ids
from icf.engine.step import Item, Outcome, Step, Subject, by_group
from icf.measures import hamming


@dataclass(frozen=True)
class HashedFace(Item):
    """A face with its hashes and what makes it the better of two."""

    image_id: int
    x1: float
    y1: float
    area: float
    sharpness: float
    pixel_hash: str
    phash: int
    dhash: int


@dataclass(frozen=True)
class Duplicates(Step[HashedFace]):
    """Drops faces of a character that show what a better face of it shows.

    Args:
        max_phash: bits of pHash between near-duplicates, at most.
        max_dhash: bits of dHash between them, at most; both must hold.
    """

    name: ClassVar[str] = "duplicates"
    subject: ClassVar[Subject] = "face"
    grouped: ClassVar[bool] = True

    max_phash: int
    max_dhash: int

    def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[HashedFace]:
        """Read hashes and sizes."""
        area = (face.c.x2 - face.c.x1) * (face.c.y2 - face.c.y1)
        query = sa.select(
            face.c.id,
            face.c.character_id,
            face.c.awaits,
            face.c.image_id,
            face.c.x1,
            face.c.y1,
            area.label("area"),
            face.c.sharpness,
            face.c.pixel_hash,
            face.c.phash,
            face.c.dhash,
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
                pixel_hash=row.pixel_hash,
                phash=row.phash,
                dhash=row.dhash,
            )
            for row in by_ids(connection, query, face.c.id, ids)
        ]

    def judge(self, batch: Sequence[HashedFace]) -> list[Outcome]:
        """Find each character's keepers, and let only them pass."""
        return [o for group in by_group(batch) for o in self._judge_group(group)]

    def _judge_group(self, group: Sequence[HashedFace]) -> list[Outcome]:
        ranked = sorted(group, key=_rank)
        pixels = np.unique([item.pixel_hash for item in ranked], return_inverse=True)[1]
        phash = np.array([item.phash for item in ranked], np.int64)
        dhash = np.array([item.dhash for item in ranked], np.int64)
        fresh = np.array([item.fresh for item in ranked], np.bool_)
        outcomes = []
        waiting = np.arange(len(ranked))
        while len(waiting):
            keeper, waiting = waiting[0], waiting[1:]
            if fresh[keeper]:
                outcomes.append(Outcome(ranked[keeper].id, True))
            same = pixels[waiting] == pixels[keeper]
            bits = hamming(phash[waiting], phash[keeper])
            near = bits <= self.max_phash
            near[near] = hamming(dhash[waiting[near]], dhash[keeper]) <= self.max_dhash
            out = fresh[waiting] & (same | near)
            for place in np.flatnonzero(out):
                distance = None if same[place] else int(bits[place])
                item = ranked[waiting[place]]
                outcomes.append(self._dropped(item, ranked[keeper], distance))
            waiting = waiting[~out]
        return outcomes

    def _dropped(
        self, item: HashedFace, keeper: HashedFace, bits: int | None
    ) -> Outcome:
        exact = bits is None
        reason = FaceReason.EXACT_DUPLICATE if exact else FaceReason.NEAR_DUPLICATE
        return Outcome(
            item.id,
            False,
            reason.value,
            value=0 if exact else bits,
            threshold=0 if exact else self.max_phash,
            columns={"keeper_id": keeper.id},
        )


def _rank(item: HashedFace) -> tuple[bool, float, float, int, float, float]:
    """Faces kept earlier first, then larger, then sharper; ids vary between engines."""
    return (
        item.fresh,
        -item.area,
        -item.sharpness,
        item.image_id,
        item.x1,
        item.y1,
    )
