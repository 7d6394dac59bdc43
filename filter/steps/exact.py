"""Drop a picture with the same pixels as an earlier one, if it adds no character.

The same picture comes in many files: saved again without loss, with other metadata,
from two sites. It adds something if it is filed under a character that the earlier one
is not filed under; then both are kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.catalogue.rows import by_ids
from icf.catalogue.schema import candidate, image
from icf.codes import ImageReason, Verdict
from icf.engine.step import Item, Outcome, Step, Subject


@dataclass(frozen=True)
class Copy:
    """An image, and the characters it was found under."""

    image_id: int
    characters: frozenset[int]


@dataclass(frozen=True)
class CopiedImage(Item):
    """An image, with the earlier images of the same pixels that are not dropped."""

    characters: frozenset[int]
    earlier: tuple[Copy, ...]


@dataclass(frozen=True)
class Exact(Step[CopiedImage]):
    """Keeps the first image of the same pixels, and those that add a character.

    Whether an earlier copy has been judged does not matter: if it turns out to be a
    copy itself, then of one that is earlier still and has all its characters. So
    batches may be judged in any order, and at once.
    """

    name: ClassVar[str] = "exact"
    subject: ClassVar[Subject] = "image"
    stored: ClassVar[bool] = True

    def select(
        self, connection: sa.Connection, ids: Sequence[int]
    ) -> list[CopiedImage]:
        """Read the images, and by the index of pixel hashes their copies."""
        query = sa.select(image.c.id, image.c.pixel_hash)
        rows = by_ids(connection, query, image.c.id, ids)
        pixels = {row.id: row.pixel_hash for row in rows}
        copies = _copies(connection, pixels)
        known = {each for some in copies.values() for each in some}
        characters = _characters(connection, sorted({*pixels, *known}))
        return [
            CopiedImage(
                image_id,
                characters[image_id],
                tuple(
                    Copy(each, characters[each])
                    for each in copies[pixel_hash]
                    if each < image_id
                ),
            )
            for image_id, pixel_hash in pixels.items()
        ]

    def judge(self, batch: Sequence[CopiedImage]) -> list[Outcome]:
        """Look for an earlier copy under all of an image's characters."""
        return [_judge_one(item) for item in batch]


def _judge_one(item: CopiedImage) -> Outcome:
    better = [
        each.image_id for each in item.earlier if each.characters >= item.characters
    ]
    if not better:
        return Outcome(item.id, True)
    return Outcome(
        item.id,
        False,
        ImageReason.EXACT_DUPLICATE.value,
        columns={"keeper_id": min(better)},
    )


def _copies(
    connection: sa.Connection, pixels: Mapping[int, str]
) -> Mapping[str, list[int]]:
    """Ids of the images of each pixel hash that are not dropped."""
    found = defaultdict(list)
    query = sa.select(image.c.id, image.c.pixel_hash).where(
        image.c.verdict != Verdict.DROPPED.value, image.c.id < max(pixels)
    )
    hashes = sorted(set(pixels.values()))
    for row in by_ids(connection, query, image.c.pixel_hash, hashes):
        found[row.pixel_hash].append(row.id)
    return found


def _characters(
    connection: sa.Connection, ids: Sequence[int]
) -> Mapping[int, frozenset[int]]:
    query = sa.select(candidate.c.image_id, candidate.c.character_id)
    found = defaultdict(set)
    for row in by_ids(connection, query, candidate.c.image_id, ids):
        found[row.image_id].add(row.character_id)
    return defaultdict(frozenset, {key: frozenset(some) for key, some in found.items()})
