"""Draw faces at random, each with the same known probability."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from icf.annotate.choosing.proposals import Proposal, proposal_of
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face
from icf.codes import Chosen


def draw(
    connection: sa.Connection,
    frame: sa.Select[Any],
    without: Iterable[int],
    number: int,
    chosen: Chosen,
    seed: str,
) -> list[Proposal]:
    """Draw faces at random, each with the same probability.

    They are those with the smallest hashes of their pixels and the seed. So another
    catalogue with the same pictures draws the same faces.

    Args:
        connection: to the catalogue.
        frame: the faces to draw from.
        without: ids of faces that are left out of it.
        number: how many to draw, at most.
        chosen: how they are marked.
        seed: another one draws other faces.
    """
    if number <= 0:
        return []
    left_out = set(without)
    keys = frame.with_only_columns(face.c.id, face.c.pixel_hash).order_by(face.c.id)
    rows = [row for row in connection.execute(keys) if row.id not in left_out]

    def place(row: Any) -> bytes:
        return hashlib.sha256(f"{seed} {row.pixel_hash}".encode()).digest()

    drawn = [row.id for row in heapq.nsmallest(number, rows, key=place)]
    inclusion = len(drawn) / len(rows) if rows else 1.0
    found = {row.id: row for row in by_ids(connection, frame, face.c.id, drawn)}
    # A filter may have dropped one since.
    left = [found[each] for each in drawn if each in found]
    return [proposal_of(each, chosen, inclusion) for each in left]
