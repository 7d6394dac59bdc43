"""Read the suspicions in the catalogue, for people to review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import album, character, review
from icf.codes import ReviewStatus, Suspicion

#: The kind of suspicion in each queue, by the name of the queue.
QUEUES = {
    "twins": Suspicion.TWIN,
    "merges": Suspicion.MERGE,
    "splits": Suspicion.SPLIT,
    "outliers": Suspicion.OUTLIER,
}


@dataclass(frozen=True)
class ReviewFace:
    """One of the two faces of a suspicion, and its character."""

    face_id: int
    character_id: int
    character: str
    album: str

    @property
    def subject(self) -> str:
        """The face, as an argument of `icf why`."""
        return f"face:{self.face_id}"

    @property
    def character_subject(self) -> str:
        """The character, as an argument of `icf why`."""
        return f"character:{self.character_id}"


@dataclass(frozen=True)
class ReviewItem:
    """A suspicion with the names of its characters.

    Attributes:
        id: the id in the table ``review``.
        kind: what is suspected.
        status: what came of it.
        score: its strength, from 0 to 1.
        face: the suspicious face; of a merge, the reference of the first character.
        other: the face to compare it with: the reference of the same character, or a
            face of the second character.
        similarity: cosine of the two faces.
        phash_bits: bits in which their pHashes differ.
        dhash_bits: bits in which their dHashes differ.
    """

    id: int
    kind: Suspicion
    status: ReviewStatus
    score: float
    face: ReviewFace
    other: ReviewFace
    similarity: float | None
    phash_bits: int | None
    dhash_bits: int | None

    def as_json(self) -> dict[str, object]:
        """The item as JSON."""
        return {
            "id": self.id,
            "kind": self.kind.value,
            "status": self.status.value,
            "score": self.score,
            "similarity": self.similarity,
            "phash_bits": self.phash_bits,
            "dhash_bits": self.dhash_bits,
            "face": {**vars(self.face), "why": self.face.subject},
            "beside": {**vars(self.other), "why": self.other.subject},
        }


def count(connection: sa.Connection) -> Mapping[Suspicion, Mapping[ReviewStatus, int]]:
    """Number of suspicions by kind and status, including zeros."""
    query = sa.select(review.c.kind, review.c.status, sa.func.count()).group_by(
        review.c.kind, review.c.status
    )
    found = {
        (kind, status): number for kind, status, number in connection.execute(query)
    }
    return {
        kind: {each: found.get((kind.value, each.value), 0) for each in ReviewStatus}
        for kind in QUEUES.values()
    }


def count_characters(catalogue: Catalogue) -> int:
    """Number of characters that are not merged into another."""
    with catalogue.read() as connection:
        return count_rows(connection, character, character.c.merged_into.is_(None))


def read_queue(
    connection: sa.Connection,
    kind: Suspicion,
    status: ReviewStatus = ReviewStatus.OPEN,
    limit: int | None = None,
) -> list[ReviewItem]:
    """The suspicions of a kind, the strongest first."""
    own, other = character.alias("own"), character.alias("other")
    own_album, other_album = album.alias("own_album"), album.alias("other_album")
    query = (
        sa.select(
            review,
            own.c.name.label("own_name"),
            own_album.c.name.label("own_album"),
            other.c.id.label("other_id"),
            other.c.name.label("other_name"),
            other_album.c.name.label("other_album"),
        )
        .join(own, own.c.id == review.c.character_id)
        .join(own_album, own_album.c.id == own.c.album_id)
        .join(
            other,
            other.c.id
            == sa.func.coalesce(review.c.other_character_id, review.c.character_id),
        )
        .join(other_album, other_album.c.id == other.c.album_id)
        .where(review.c.kind == kind.value, review.c.status == status.value)
        .order_by(review.c.score.desc(), review.c.id)
        .limit(limit)
    )
    return [
        ReviewItem(
            row.id,
            kind,
            status,
            row.score,
            ReviewFace(row.face_id, row.character_id, row.own_name, row.own_album),
            ReviewFace(
                row.other_face_id, row.other_id, row.other_name, row.other_album
            ),
            row.similarity,
            row.phash_bits,
            row.dhash_bits,
        )
        for row in connection.execute(query)
    ]
