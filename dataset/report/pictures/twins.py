"""Pairs of faces that look like one character but have two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue import schema
from icf.codes import ReviewStatus, Suspicion
from icf.dataset.report.counts import Bar, count_by
from icf.dataset.report.pictures.thumbnails import Thumbnail, face_thumbnails
from icf.stores.blobs import BlobStore

#: Limit of pairs that are shown of each kind.
PAIRS = 8


@dataclass(frozen=True)
class Shown:
    """One face of a pair.

    Attributes:
        character: its character's name.
        album: the character's album.
        thumbnail: None if its picture is missing.
    """

    character: str
    album: str
    thumbnail: Thumbnail | None


@dataclass(frozen=True)
class Pair:
    """Two faces side by side, with their similarity.

    Attributes:
        similarity: their cosine; None if it was not computed.
        bits: the Hamming distances of their pHashes and dHashes; None if not computed.
        status: a code of `icf.codes.ReviewStatus`.
    """

    first: Shown
    second: Shown
    similarity: float | None
    bits: tuple[int, int] | None
    status: str


@dataclass(frozen=True)
class Suspected:
    """All pairs of one kind.

    Attributes:
        kind: a code of `icf.codes.Suspicion`.
        meaning: of it.
        statuses: number of pairs by status.
        pairs: the strongest ones; unanswered ones come first.
    """

    kind: str
    meaning: str
    statuses: Sequence[Bar]
    pairs: Sequence[Pair]


def read_suspected(connection: sa.Connection, blobs: BlobStore) -> list[Suspected]:
    """Read the pairs of each kind that has any."""
    found = []
    for kind in (Suspicion.TWIN, Suspicion.MERGE):
        statuses = _statuses(connection, kind)
        if statuses:
            pairs = _pairs(connection, blobs, kind)
            found.append(Suspected(kind.value, kind.meaning, statuses, pairs))
    return found


def _statuses(connection: sa.Connection, kind: Suspicion) -> list[Bar]:
    review = schema.review.c
    numbers = count_by(connection, review.status, review.kind == kind.value)
    return [
        Bar(each.value, each.meaning, numbers[each.value])
        for each in ReviewStatus
        if each.value in numbers
    ]


def _pairs(connection: sa.Connection, blobs: BlobStore, kind: Suspicion) -> list[Pair]:
    review = schema.review.c
    one, two = schema.character.alias(), schema.character.alias()
    here, there = schema.album.alias(), schema.album.alias()
    waiting = review.status.in_([ReviewStatus.OPEN.value, ReviewStatus.ASKED.value])
    query = (
        sa.select(
            review.face_id,
            review.other_face_id,
            review.similarity,
            review.phash_bits,
            review.dhash_bits,
            review.status,
            one.c.name.label("one"),
            here.c.name.label("here"),
            two.c.name.label("two"),
            there.c.name.label("there"),
        )
        .select_from(schema.review)
        .join(one, one.c.id == review.character_id)
        .join(here, here.c.id == one.c.album_id)
        .join(two, two.c.id == review.other_character_id)
        .join(there, there.c.id == two.c.album_id)
        .where(review.kind == kind.value, review.status != ReviewStatus.CLOSED.value)
        .order_by(sa.case((waiting, 0), else_=1), review.score.desc(), review.id)
        .limit(PAIRS)
    )
    rows = connection.execute(query).all()
    ids = [each for row in rows for each in (row.face_id, row.other_face_id)]
    made = face_thumbnails(connection, blobs, ids)
    return [
        Pair(
            Shown(row.one, row.here, made.get(row.face_id)),
            Shown(row.two, row.there, made.get(row.other_face_id)),
            row.similarity,
            None if row.phash_bits is None else (row.phash_bits, row.dhash_bits),
            row.status,
        )
        for row in rows
    ]
