"""What the catalogue knows about who a face may be.

For some faces: the characters their pictures were found under, the other characters of
those albums, the known faces of each (its reference, and faces that people confirmed),
what people answered about the very faces, and what videos say of them. Characters that
were merged count as the one that stands for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from icf.catalogue.merges import survivor
from icf.catalogue.references import IDENTITY_STEP
from icf.catalogue.schema import candidate, character, face, face_link, question
from icf.codes import FaceReason, Label, Verdict
from icf.engine.rows import CHUNK, by_ids

#: Confirmed faces of a character that a face is compared with, those with the smallest
#: ids: the same each time, and more of them teach little.
CONFIRMED = 8

_BY_IDENTITY = (FaceReason.NOT_THIS_CHARACTER.value, FaceReason.NO_REFERENCE.value)
_MERGED_INTO = character.c.merged_into
_GONE = (FaceReason.TAKEN_DOWN.value, FaceReason.MISSING_BLOB.value)


@dataclass(frozen=True)
class KnownFace:
    """A face of which it is known whom it shows."""

    character_id: int
    face_id: int
    is_reference: bool


@dataclass(frozen=True)
class Links:
    """What videos say of some faces.

    Attributes:
        track: for each face the smallest id among those it must be the same as.
        apart: for each face those that it cannot be the same as.
    """

    track: Mapping[int, int] = field(default_factory=dict)
    apart: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def related(self) -> dict[int, int]:
        """For each face that is linked, a number that all linked with it share."""
        return _merged_sets(
            [(one, other) for one, other in self.track.items()]
            + [(one, other) for one, others in self.apart.items() for other in others]
        )


def read_links(connection: sa.Connection, ids: Sequence[int]) -> Links:
    """All that is linked with these faces, over any number of links."""
    pairs: dict[tuple[int, int], bool] = {}
    seen: set[int] = set()
    new = set(ids)
    while new:
        seen |= new
        found: set[int] = set()
        for column in (face_link.c.face_id, face_link.c.other_id):
            for row in by_ids(connection, sa.select(face_link), column, sorted(new)):
                pairs[row.face_id, row.other_id] = row.same
                found |= {row.face_id, row.other_id}
        new = found - seen
    apart: dict[int, set[int]] = defaultdict(set)
    for (one, other), same in pairs.items():
        if not same:
            apart[one].add(other)
            apart[other].add(one)
    track = _merged_sets([pair for pair, same in pairs.items() if same])
    return Links(track, {one: frozenset(others) for one, others in apart.items()})


def comparable(connection: sa.Connection, ids: Iterable[int]) -> set[int]:
    """Those of these faces that came as far as identity, whatever it made of them."""
    query = sa.select(face.c.id).where(
        face.c.embedder.is_not(None),
        sa.or_(
            face.c.awaits == IDENTITY_STEP,
            sa.and_(face.c.awaits.is_(None), face.c.verdict == Verdict.KEPT.value),
            face.c.reason.in_(_BY_IDENTITY),
        ),
    )
    return {row.id for row in by_ids(connection, query, face.c.id, sorted(ids))}


@dataclass(frozen=True)
class Found:
    """Whom pictures were found under, and in which albums."""

    characters: frozenset[int] = frozenset()
    albums: frozenset[int] = frozenset()

    def __or__(self, other: Found) -> Found:
        """Both together."""
        return Found(self.characters | other.characters, self.albums | other.albums)


def read_found(
    connection: sa.Connection, image_ids: Iterable[int]
) -> Mapping[int, Found]:
    """Whom each picture was found under; a picture under nobody is left out."""
    stands = character.alias("stands")
    query = (
        sa.select(
            candidate.c.image_id,
            stands.c.id,
            stands.c.album_id,
            character.c.album_id.label("filed_in"),
        )
        .join(character, character.c.id == candidate.c.character_id)
        .join(stands, stands.c.id == survivor())
    )
    under: dict[int, Found] = defaultdict(Found)
    for row in by_ids(connection, query, candidate.c.image_id, sorted(image_ids)):
        under[row.image_id] |= Found(
            frozenset([row.id]), frozenset([row.album_id, row.filed_in])
        )
    return under


def read_casts(
    connection: sa.Connection, albums: Iterable[int]
) -> Mapping[int, frozenset[int]]:
    """The characters of each album; those that were merged count as who stands."""
    query = sa.select(character.c.album_id, survivor().label("stands"))
    cast: dict[int, set[int]] = defaultdict(set)
    for row in by_ids(connection, query, character.c.album_id, sorted(albums)):
        cast[row.album_id].add(row.stands)
    return {album_id: frozenset(ids) for album_id, ids in cast.items()}


def read_known(
    connection: sa.Connection, characters: Iterable[int]
) -> Mapping[int, Mapping[str, tuple[KnownFace, ...]]]:
    """The known faces of characters, by character and embedder.

    A character without a reference by an embedder is not known to it: people confirm
    against the reference, and took it away for a reason.
    """
    ids = sorted(characters)
    query = sa.select(character.c.id, character.c.reference_face_id, face.c.embedder)
    query = query.join(face, face.c.id == character.c.reference_face_id)
    known: dict[int, dict[str, tuple[KnownFace, ...]]] = defaultdict(dict)
    reference: dict[int, int] = {}
    for row in by_ids(
        connection, query.where(face.c.embedder.is_not(None)), character.c.id, ids
    ):
        known[row.id][row.embedder] = (KnownFace(row.id, row.reference_face_id, True),)
        reference[row.id] = row.reference_face_id
    for row in _confirmed(connection, sorted(reference)):
        of_model = known[row.stands].get(row.embedder, ())
        new = all(row.face_id != each.face_id for each in of_model)
        if of_model and new and len(of_model) <= CONFIRMED:
            more = KnownFace(row.stands, row.face_id, False)
            known[row.stands][row.embedder] = (*of_model, more)
    return known


def read_answers(
    connection: sa.Connection, ids: Sequence[int]
) -> Mapping[int, Mapping[int, bool]]:
    """What people said: for each face the characters that it is, and that it is not."""
    query = (
        sa.select(question.c.face_id, survivor().label("stands"), question.c.label)
        .join(character, character.c.id == question.c.character_id)
        .where(question.c.label.in_([Label.SAME.value, Label.DIFFERENT.value]))
        # Of contradictions after a merge the newest counts.
        .order_by(question.c.id)
    )
    said: dict[int, dict[int, bool]] = defaultdict(dict)
    for row in by_ids(connection, query, question.c.face_id, ids):
        said[row.face_id][row.stands] = row.label == Label.SAME.value
    return said


def _confirmed(connection: sa.Connection, ids: Sequence[int]) -> list[sa.Row[Any]]:
    """The first confirmed faces of each character, by face."""
    merged = sa.select(character.c.id)
    asked = [*ids, *(r.id for r in by_ids(connection, merged, _MERGED_INTO, ids))]
    found: list[sa.Row[Any]] = []
    for start in range(0, len(asked), CHUNK):
        place = sa.func.row_number().over(
            partition_by=(question.c.character_id, face.c.embedder),
            order_by=question.c.face_id,
        )
        ranked = (
            sa.select(
                survivor().label("stands"),
                question.c.face_id,
                face.c.embedder,
                place.label("place"),
            )
            .join(character, character.c.id == question.c.character_id)
            .join(face, face.c.id == question.c.face_id)
            .where(
                question.c.label == Label.SAME.value,
                question.c.character_id.in_(asked[start : start + CHUNK]),
                face.c.reason.not_in(_GONE),
                face.c.embedder.is_not(None),
            )
            .subquery()
        )
        # One more, because the reference may be among them.
        first = sa.select(ranked).where(ranked.c.place <= CONFIRMED + 1)
        found += connection.execute(first)
    return sorted(found, key=lambda row: row.face_id)


def _merged_sets(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """For each number in ``pairs`` the smallest that pairs lead to."""
    least: dict[int, int] = {}

    def root(each: int) -> int:
        while least.setdefault(each, each) != each:
            each = least[each]
        return each

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        least[high] = low
    return {each: root(each) for each in least}
