"""Which faces people confirmed, and as whom: the rule of releases and of training.

A face belongs to a character if people answered that it is that character, or chose it
as its reference. So does a reference that they compared others with and were not asked
about, as earlier versions did not ask. A face confirmed for two characters belongs to
neither. Merged characters are one, that which they were merged into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.confirmations import HAND, refusing
from icf.catalogue.labels.followers import read_followers
from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import batch, character, face, question, review
from icf.codes import FaceReason, Label, ReviewStatus, Suspicion

PAGE = 10_000

_GONE = (FaceReason.TAKEN_DOWN.value, FaceReason.NOT_A_FACE.value)
_NOT_FOUND = (FaceReason.LOW_SCORE.value, FaceReason.NOT_A_FACE.value)


@dataclass(frozen=True, eq=False)
class Confirmed:
    """The confirmed faces of a catalogue.

    Attributes:
        owners: the character of each face, by face id; never a merged one.
        unasked: those faces that are references nobody was asked about.
        ambiguous: faces confirmed for several characters; not in `owners`.
        followers: faces in `owners` that nobody was asked about, and that follow
            another face of their track (`icf.catalogue.labels.followers`).
    """

    owners: Mapping[int, int]
    unasked: frozenset[int]
    ambiguous: frozenset[int]
    followers: frozenset[int] = frozenset()

    def asked(self) -> Confirmed:
        """The same without references that nobody was asked about."""
        owners = {
            key: owner for key, owner in self.owners.items() if key not in self.unasked
        }
        return Confirmed(owners, self.unasked, self.ambiguous, self.followers)


_ANSWERED = sa.select(
    question.c.id,
    question.c.face_id,
    survivor().label("character_id"),
).join(character, character.c.id == question.c.character_id)

_SAME = _ANSWERED.where(question.c.label == Label.SAME.value)
_DIFFERENT = _ANSWERED.where(question.c.label == Label.DIFFERENT.value)

#: Of characters: merged into another one, or another one was merged into it.
_merged = character.alias("merged")
_IN_MERGE = sa.or_(
    character.c.merged_into.is_not(None),
    # Not as "exists": nothing finds what was merged into one without reading all.
    character.c.id.in_(
        sa.select(_merged.c.merged_into).where(_merged.c.merged_into.is_not(None))
    ),
)

_REFERENCES = sa.select(
    character.c.id,
    survivor().label("owner"),
    character.c.reference_face_id,
    character.c.reference_by,
).where(
    character.c.reference_face_id.is_not(None),
    ~sa.exists().where(
        question.c.character_id == character.c.id,
        sa.or_(*refusing(character.c.reference_face_id)),
    ),
)


def read_confirmed(connection: sa.Connection, *, followers: bool = False) -> Confirmed:
    """Read which faces people confirmed. Faces that are gone are among them.

    Args:
        connection: to the catalogue.
        followers: take in faces that follow another one of their track.
    """
    owners: dict[int, int] = {}
    ambiguous: set[int] = set()
    for row in pages(connection, _SAME, question.c.id):
        if owners.setdefault(row.face_id, row.character_id) != row.character_id:
            ambiguous.add(row.face_id)
    confirmed = set(owners.values())
    unasked: set[int] = set()
    for row in pages(connection, _REFERENCES, character.c.id):
        character_id, face_id = row.owner, row.reference_face_id
        # A reference face confirms nothing unless its character has a confirmed face.
        if character_id not in confirmed:
            continue
        if face_id not in owners and row.reference_by != HAND:
            unasked.add(face_id)
        if owners.setdefault(face_id, character_id) != character_id:
            ambiguous.add(face_id)
    # Before a merge people may have answered yes for one and no for the other.
    for row in pages(connection, _DIFFERENT.where(_IN_MERGE), question.c.id):
        if owners.get(row.face_id) == row.character_id:
            ambiguous.add(row.face_id)
    clear = {key: owner for key, owner in owners.items() if key not in ambiguous}
    follow = {}
    if followers:
        follow = read_followers(connection, clear)
        follow = {key: who for key, who in follow.items() if key not in ambiguous}
    return Confirmed(
        clear | follow,
        frozenset(unasked - ambiguous),
        frozenset(ambiguous),
        frozenset(follow),
    )


def read_refused(connection: sa.Connection) -> Iterator[tuple[int, int]]:
    """Yield faces with characters that people said they are not, merges applied."""
    for row in pages(connection, _DIFFERENT, question.c.id):
        yield row.face_id, row.character_id


def is_there() -> sa.ColumnElement[bool]:
    """Of faces: not withdrawn, and nobody says that it shows none."""
    return face.c.reason.not_in(_GONE)


def is_drawn() -> sa.ColumnElement[bool]:
    """Of faces: a drawn one that the detector is sure of, kept or dropped.

    A picture is complete where people confirmed all of these.
    """
    return sa.and_(face.c.kind == "cartoon", face.c.reason.not_in(_NOT_FOUND))


def faces_of_pictures(
    connection: sa.Connection, ids: Sequence[int]
) -> dict[int, list[sa.Row[Any]]]:
    """Read all faces of some pictures but those that people say are none.

    Returns:
        By picture its faces, by id: ``id``, ``image_id``, ``x1``, ``y1``, ``x2``,
        ``y2``, ``kind``, ``reason``, ``detector``, and ``is_drawn`` (1 or 0).
    """
    query = (
        sa.select(
            face.c.id,
            face.c.image_id,
            face.c.x1,
            face.c.y1,
            face.c.x2,
            face.c.y2,
            face.c.kind,
            face.c.reason,
            face.c.detector,
            sa.case((is_drawn(), 1), else_=0).label("is_drawn"),
        )
        .where(face.c.reason != FaceReason.NOT_A_FACE.value)
        .order_by(face.c.id)
    )
    found: dict[int, list[sa.Row[Any]]] = {each: [] for each in ids}
    for row in by_ids(connection, query, face.c.image_id, ids):
        found[row.image_id].append(row)
    return found


def unmerged(connection: sa.Connection) -> list[tuple[int, int]]:
    """Pairs of characters that people found to be one and that are not merged yet.

    Pairs with contradicting answers are not merged, and not among them.

    Returns:
        Surviving characters, the smaller id first, ascending.
    """
    same = _found_to_be(connection, ReviewStatus.SAME)
    pairs = same - _found_to_be(connection, ReviewStatus.DIFFERENT)
    return [(one, other) for one, other in sorted(pairs) if one != other]


def may_be_one(connection: sa.Connection) -> list[tuple[int, int]]:
    """Pairs of characters that may be one: nobody has settled the suspicion.

    That is open, waits for answers, or people cannot tell or contradict each other.

    Returns:
        Surviving characters, the smaller id first, ascending.
    """
    open_ = (ReviewStatus.OPEN, ReviewStatus.ASKED, ReviewStatus.UNSURE)
    same, different = (
        _found_to_be(connection, each)
        for each in (ReviewStatus.SAME, ReviewStatus.DIFFERENT)
    )
    pairs = set().union(*(_found_to_be(connection, each) for each in open_))
    pairs = (pairs - same - different) | (same & different)
    return [(one, other) for one, other in sorted(pairs) if one != other]


def named_apart(connection: sa.Connection) -> list[tuple[int, int]]:
    """Pairs of `may_be_one` that one imported data set names as two characters.

    Only the filter suspects them: nobody was asked yet.

    Returns:
        The smaller id first, ascending.
    """
    # Questions of an import are in a batch without a folder, called as its characters.
    imported = sa.select(batch.c.id).where(batch.c.path == "")
    one, other = character.alias("one"), character.alias("other")
    query = (
        sa.select(one.c.id, other.c.id)
        .select_from(review)
        .join(one, one.c.id == review.c.character_id)
        .join(other, other.c.id == review.c.other_character_id)
        .where(
            review.c.kind == Suspicion.MERGE.value,
            review.c.status == ReviewStatus.OPEN.value,
            one.c.source.in_(imported),
            one.c.source == other.c.source,
            one.c.merged_into.is_(None),
            other.c.merged_into.is_(None),
        )
    )
    pairs = {
        (min(row[0], row[1]), max(row[0], row[1])) for row in connection.execute(query)
    }
    for status in set(ReviewStatus) - {ReviewStatus.OPEN, ReviewStatus.CLOSED}:
        pairs -= _found_to_be(connection, status)
    return sorted(pairs)


def _found_to_be(
    connection: sa.Connection, status: ReviewStatus
) -> set[tuple[int, int]]:
    """Read pairs of characters with this review status, as merged, smaller id first."""
    one, other = character.alias("one"), character.alias("other")
    query = (
        sa.select(survivor(one), survivor(other))
        .select_from(review)
        .join(one, one.c.id == review.c.character_id)
        .join(other, other.c.id == review.c.other_character_id)
        .where(review.c.kind == Suspicion.MERGE.value, review.c.status == status.value)
    )
    return {
        (min(row[0], row[1]), max(row[0], row[1])) for row in connection.execute(query)
    }


def pages(
    connection: sa.Connection, query: sa.Select[Any], key: sa.ColumnElement[Any]
) -> Iterator[sa.Row[Any]]:
    """Yield all rows of a query in the order of its key, a page at a time.

    Args:
        connection: to the catalogue.
        query: its first column is ``key``.
        key: a unique column of ids.
    """
    last = -1
    while True:
        page = query.where(key > last).order_by(key).limit(PAGE)
        rows = connection.execute(page).all()
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1][0]
