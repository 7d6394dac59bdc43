"""Suspicions: what a person should look at, and what became of it.

The filter writes what it suspects (`replace`), the annotation asks the strongest first
(`askable`), and answers settle them (`follow`). Nothing here changes a face.

A suspicion is about something, and is the same one however its score moves: an outlier
or a split about a face and its character, a twin about two faces, a merge about two
characters. What people answered is never opened again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from icf.catalogue.confirmations import is_confirmed, is_refused
from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_given_ids, by_ids, lock_table, with_ids
from icf.catalogue.schema import character, face, question, review
from icf.catalogue.stale_reviews import set_status
from icf.codes import GONE_FACES, Label, ReviewStatus, Suspicion, Verdict

#: One face against its own character, and faces of two characters.
ALONE = (Suspicion.OUTLIER, Suspicion.SPLIT)
PAIRS = (Suspicion.TWIN, Suspicion.MERGE)

#: What of several equally strong ones is asked first: what one answer settles most of.
_ORDER = (Suspicion.MERGE, Suspicion.SPLIT, Suspicion.TWIN, Suspicion.OUTLIER)

_ANSWERS = {
    Label.OPEN.value: ReviewStatus.ASKED.value,
    Label.DISPUTED.value: ReviewStatus.ASKED.value,
    Label.SAME.value: ReviewStatus.SAME.value,
    Label.DIFFERENT.value: ReviewStatus.DIFFERENT.value,
    Label.UNSURE.value: ReviewStatus.UNSURE.value,
}
_SETTLED = (Label.SAME.value, Label.DIFFERENT.value, Label.UNSURE.value)
#: Of several questions about one suspicion, what counts less than a settled one.
_STRENGTH = {ReviewStatus.CLOSED.value: 0, ReviewStatus.ASKED.value: 1}
_asked_about = character.alias("asked_about")
_OF_A_WRONG_REFERENCE = (Label.WITHDRAWN.value, Label.WRONG_REFERENCE.value)
#: What an answer may still change; what no longer holds waits for the filter.
_NOT_CLOSED = [each.value for each in ReviewStatus if each != ReviewStatus.CLOSED]
#: What the filter may still change.
_UNANSWERED = (
    ReviewStatus.OPEN.value,
    ReviewStatus.ASKED.value,
    ReviewStatus.CLOSED.value,
)

Key = tuple[str, int, int | None]


@dataclass(frozen=True)
class Found:
    """A suspicion, as the filter has it.

    Attributes:
        kind: what is suspected.
        character_id: the character; of a pair the one with the smaller id.
        face_id: the face; of a merge, the reference of ``character_id``.
        other_face_id: what to compare it with: the reference of the character, or the
            face of the other one.
        score: how strongly it is suspected, from 0 to 1.
        other_character_id: of a twin and of a merge.
        similarity: the cosine of the two faces.
        phash_bits, dhash_bits: in how many bits their hashes differ.
        model: the SHA-256 of the embedder that measured it.
    """

    kind: Suspicion
    character_id: int
    face_id: int
    other_face_id: int
    score: float
    other_character_id: int | None = None
    similarity: float | None = None
    phash_bits: int | None = None
    dhash_bits: int | None = None
    model: str | None = None


def replace(
    connection: sa.Connection,
    kinds: Sequence[Suspicion],
    character_ids: Sequence[int],
    found: Iterable[Found],
) -> None:
    """Write what the filter suspects now, in place of what it suspected before.

    What was open and is not found again is closed; what people answered stays. Writing
    the same again changes nothing.

    Args:
        connection: a transaction that writes.
        kinds: the kinds that were looked for.
        character_ids: the characters that were looked at (``review.character_id``).
        found: all of these kinds and characters that hold.
    """
    # Two filters at once would each insert what the other does not see yet.
    lock_table(connection, review)
    wanted = {_about(vars(each)): each for each in found}
    known = {
        _about(row._mapping): row for row in _known(connection, kinds, character_ids)
    }
    gone = [
        row.id
        for key, row in known.items()
        if key not in wanted and row.status == ReviewStatus.OPEN.value
    ]
    set_status(connection, gone, ReviewStatus.CLOSED.value)
    _write(connection, wanted, known)


def add(connection: sa.Connection, kind: Suspicion, found: Sequence[Found]) -> None:
    """Add what the filter suspects of some faces to what it suspected before.

    Nothing is closed. Writing the same again changes nothing.

    Args:
        connection: a transaction that writes.
        kind: of what was found.
        found: some of this kind that hold.
    """
    # Two filters at once would each insert what the other does not see yet.
    lock_table(connection, review)
    wanted = {_about(vars(each)): each for each in found}
    query = sa.select(review).where(review.c.kind == kind.value)
    faces = sorted({each.face_id for each in found})
    rows = by_ids(connection, query, review.c.face_id, faces)
    _write(connection, wanted, {_about(row._mapping): row for row in rows})


def _write(
    connection: sa.Connection,
    wanted: Mapping[Key, Found],
    known: Mapping[Key, sa.Row[Any]],
) -> None:
    """Write suspicions over what is known of the same, and the others as new ones."""
    now = time.time()
    for key, each in wanted.items():
        row = known.get(key)
        if row is not None and row.status in _UNANSWERED:
            _change(connection, row, each, now)
    new = [
        {
            **vars(each),
            "kind": each.kind.value,
            "status": ReviewStatus.OPEN.value,
            "found_at": now,
            "changed_at": now,
        }
        for key, each in wanted.items()
        if key not in known
    ]
    if new:
        connection.execute(sa.insert(review), new)
    faces = {each.face_id for each in wanted.values()}
    faces |= {each.other_face_id for each in wanted.values()}
    _follow_about(connection, faces, [ReviewStatus.OPEN.value])


def close(
    connection: sa.Connection,
    *,
    faces: Sequence[int] = (),
    characters: Sequence[int] = (),
) -> None:
    """Close what waits for an answer about faces or characters that are gone."""
    waits = review.c.status.in_((ReviewStatus.OPEN.value, ReviewStatus.ASKED.value))
    query = sa.select(review.c.id).where(waits)
    ids = {
        row.id
        for column, keys in (
            (review.c.face_id, faces),
            (review.c.other_face_id, faces),
            (review.c.character_id, characters),
            (review.c.other_character_id, characters),
        )
        for row in by_ids(connection, query, column, keys)
    }
    set_status(connection, sorted(ids), ReviewStatus.CLOSED.value)


@cache
def askable(*, confirmed: bool = True, again: bool = False) -> sa.Select[Any]:
    """Open suspicions as questions, the strongest of each kind in turn.

    Of a merge, both references must be confirmed: "yes" would make one character of a
    right reference and a wrong one otherwise.

    Each row has ``review_id``, ``kind``, ``score``, ``face_id``, ``character_id`` and
    ``reference_face_id``: is this face that character, whose reference is shown?

    Of a merge, the other's reference is asked about. Of twins, the face that is less
    probable where it is filed is held against the other's character: each face is
    asked about its own character anyway, and if the two drawings are one character,
    the less probable filing is the wrong one.

    Args:
        confirmed: only questions against references that people confirmed.
        again: also those whose question waits for answers: an expert does not wait.
    """
    about = _as_pairs(again=again).subquery()
    filed = character.alias("filed")
    strongest = sa.func.row_number().over(
        partition_by=about.c.kind,
        order_by=(about.c.score.desc(), about.c.review_id),
    )
    order = sa.case(
        {kind.value: place for place, kind in enumerate(_ORDER)}, value=about.c.kind
    )
    return (
        sa.select(
            about.c.review_id,
            about.c.kind,
            about.c.score,
            about.c.face_id,
            character.c.id.label("character_id"),
            character.c.reference_face_id,
        )
        .join(filed, filed.c.id == about.c.character_id)
        .join(character, character.c.id == survivor(filed))
        .join(face, face.c.id == about.c.face_id)
        .where(
            character.c.reference_face_id.is_not(None),
            character.c.reference_face_id != about.c.face_id,
            face.c.awaits.is_(None),
            face.c.reason.not_in(GONE_FACES),
            # A reference that a person chose may be dropped.
            sa.or_(
                face.c.verdict == Verdict.KEPT.value,
                about.c.kind == Suspicion.MERGE.value,
            ),
            sa.or_(
                about.c.status == ReviewStatus.ASKED.value,
                ~asked_before(about.c.face_id, character.c.id),
            ),
            sa.or_(
                sa.literal(not confirmed) & (about.c.kind != Suspicion.MERGE.value),
                is_confirmed(character.c.reference_face_id, character.c.id),
            ),
            sa.or_(
                about.c.kind != Suspicion.MERGE.value,
                is_confirmed(about.c.face_id, about.c.own_id),
            ),
        )
        .order_by(strongest, order)
    )


def may_be_merged(character_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether a merge of a character is suspected, and nobody was asked yet."""
    return sa.exists().where(
        review.c.kind == Suspicion.MERGE.value,
        review.c.status == ReviewStatus.OPEN.value,
        sa.or_(
            review.c.character_id == character_id,
            review.c.other_character_id == character_id,
        ),
    )


def asked_before(
    face_id: sa.ColumnElement[int], character_id: sa.ColumnElement[int]
) -> sa.ColumnElement[bool]:
    """Whether a face was asked about a character, or one that was merged into it.

    A question whose reference was wrong counts only if the character has it again.

    Args:
        face_id: the face.
        character_id: a character that is not merged.
    """
    return (
        sa.exists()
        .select_from(question)
        .where(
            question.c.face_id == face_id,
            question.c.character_id == _asked_about.c.id,
            survivor(_asked_about) == character_id,
            sa.or_(
                question.c.label.not_in(_OF_A_WRONG_REFERENCE),
                question.c.reference_face_id == _asked_about.c.reference_face_id,
            ),
        )
    )


def follow(connection: sa.Connection, question_ids: Sequence[int]) -> None:
    """Give suspicions the state of the questions that settle them.

    Args:
        connection: the transaction in which the questions were asked or labelled.
        question_ids: those questions.
    """
    faces = {
        row.face_id
        for row in by_ids(
            connection, sa.select(question.c.face_id), question.c.id, question_ids
        )
    }
    _follow_about(connection, faces, _NOT_CLOSED)


def _about(row: Mapping[Any, Any]) -> Key:
    """What a suspicion is about: the same for the same, whatever its score."""
    kind = str(row["kind"])
    if kind == Suspicion.MERGE.value:
        return kind, row["character_id"], row["other_character_id"]
    if kind == Suspicion.TWIN.value:
        return kind, row["face_id"], row["other_face_id"]
    return kind, row["face_id"], row["character_id"]


def _known(
    connection: sa.Connection, kinds: Sequence[Suspicion], character_ids: Sequence[int]
) -> Iterable[sa.Row[Any]]:
    query = sa.select(review).where(review.c.kind.in_([kind.value for kind in kinds]))
    return by_ids(connection, query, review.c.character_id, character_ids)


def _change(
    connection: sa.Connection, row: sa.Row[Any], found: Found, now: float
) -> None:
    """Write what moved of a suspicion that nobody answered; open a closed one."""
    status = row.status
    if status == ReviewStatus.CLOSED.value:
        status = ReviewStatus.OPEN.value
    values = {**vars(found), "kind": found.kind.value, "status": status}
    if any(row._mapping[name] != value for name, value in values.items()):
        connection.execute(
            sa.update(review)
            .where(review.c.id == row.id)
            .values(**values, changed_at=now)
        )


def _as_pairs(*, again: bool) -> sa.CompoundSelect[Any]:
    """Open suspicions as pairs of a face and a character; ``again``: asked ones too."""
    one, other = face.alias("one"), face.alias("other")
    less = sa.func.coalesce(one.c.probability, 0.0) <= sa.func.coalesce(
        other.c.probability, 0.0
    )
    wanted = [ReviewStatus.OPEN.value, *([ReviewStatus.ASKED.value] if again else ())]
    is_open = review.c.status.in_(wanted)

    def pairs(
        face_id: sa.ColumnElement[Any], character_id: sa.ColumnElement[Any]
    ) -> sa.Select[Any]:
        """With ``own_id``, of a merge the character whose reference is asked about."""
        return sa.select(
            review.c.id.label("review_id"),
            review.c.kind,
            review.c.score,
            review.c.status,
            face_id.label("face_id"),
            character_id.label("character_id"),
            review.c.other_character_id.label("own_id"),
        )

    alone = pairs(review.c.face_id, review.c.character_id).where(
        is_open, review.c.kind.in_([kind.value for kind in ALONE])
    )
    merges = pairs(review.c.other_face_id, review.c.character_id).where(
        is_open, review.c.kind == Suspicion.MERGE.value
    )
    twins = (
        pairs(
            sa.case((less, review.c.face_id), else_=review.c.other_face_id),
            sa.case((less, review.c.other_character_id), else_=review.c.character_id),
        )
        .join(one, one.c.id == review.c.face_id)
        .join(other, other.c.id == review.c.other_face_id)
        .where(is_open, review.c.kind == Suspicion.TWIN.value)
    )
    return sa.union_all(alone, merges, twins)


def _follow_about(
    connection: sa.Connection, faces: Iterable[int], statuses: Sequence[str]
) -> None:
    """Take over what is known from the questions about some faces.

    Of several questions that settle one suspicion, the newest label counts. A question
    that was withdrawn, or whose face is none, closes it.
    """
    ids = sorted(faces)
    rows = [
        row
        for query in _settling()
        for row in by_given_ids(connection, query, ids, statuses=list(statuses))
    ]
    found: dict[int, tuple[int, str]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        status = _status_after(row)
        if status == ReviewStatus.CLOSED.value and row.status == ReviewStatus.OPEN:
            # Found again since: it waits for another question.
            continue
        strength = _STRENGTH.get(status, len(_STRENGTH))
        if strength >= found.get(row.review_id, (0, ""))[0]:
            found[row.review_id] = strength, status
    changed: dict[str, list[int]] = {}
    for key, (_, status) in found.items():
        changed.setdefault(status, []).append(key)
    for status, keys in changed.items():
        set_status(connection, keys, status)


def _status_after(row: sa.Row[Any]) -> str:
    """The status of a suspicion after a question about it."""
    if row.label in _SETTLED and not row.founded:
        answered = row.status in _SETTLED
        return str(row.status if answered else ReviewStatus.ASKED.value)
    return str(_ANSWERS.get(row.label, ReviewStatus.CLOSED.value))


@cache
def _settling() -> tuple[sa.Select[Any], ...]:
    """Questions with the suspicions they settle, one query for each direction.

    Made once: it takes longer to make them than to run them.
    """
    some = review.c.status.in_(sa.bindparam("statuses", expanding=True))
    return tuple(
        with_ids(query.where(some), question.c.face_id) for query in _directions()
    )


def _directions() -> Iterator[sa.Select[Any]]:
    about = character.alias("about")
    ours = survivor(about)
    directions = (
        (ALONE, review.c.face_id, review.c.character_id),
        (PAIRS, review.c.face_id, review.c.other_character_id),
        (PAIRS, review.c.other_face_id, review.c.character_id),
    )
    for kinds, face_id, character_id in directions:
        own_id = (
            review.c.character_id
            if character_id is review.c.other_character_id
            else review.c.other_character_id
        )
        joined = (
            sa.select(
                question.c.id,
                review.c.id.label("review_id"),
                review.c.status,
                question.c.label,
                _founded(own_id).label("founded"),
            )
            .select_from(question)
            .join(about, about.c.id == question.c.character_id)
        )
        yield joined.join(
            review,
            sa.and_(
                review.c.kind.in_([kind.value for kind in kinds]),
                face_id == question.c.face_id,
                # Merged since, it is still the one that was asked about.
                sa.or_(character_id == ours, character_id == question.c.character_id),
            ),
        )


def _founded(own_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether an answer may settle a suspicion.

    Of a merge, both faces must be right pictures of their characters: a face that is
    another character than its own says nothing about the two.

    Args:
        own_id: of a merge, the character whose reference was asked about.
    """
    face_id, shown = question.c.face_id, question.c.reference_face_id
    return sa.or_(
        review.c.kind != Suspicion.MERGE.value,
        sa.and_(
            is_confirmed(face_id, own_id),
            sa.not_(is_refused(face_id, own_id)),
            is_confirmed(shown, question.c.character_id),
            sa.not_(is_refused(shown, question.c.character_id)),
        ),
    )
