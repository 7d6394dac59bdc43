"""The reference face of each character, and what follows when it changes.

The filter chooses a reference for a character without one. A person's choice is never
replaced automatically, also the choice of none. A person may choose a picture before
its faces are known: then the character keeps it as ``reference_image_id`` until
`settle` finds the face.

When a reference changes, the faces of the album wait for identity again. People's
answers keep the reference they were asked with.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from icf.catalogue import ledger, row_state
from icf.catalogue.candidates import file_under
from icf.catalogue.confirmations import HAND as HAND
from icf.catalogue.confirmations import refusing
from icf.catalogue.entry_steps import Entry, step_at
from icf.catalogue.face_character import is_of
from icf.catalogue.row_state import RowState
from icf.catalogue.rows import CHUNK, lock_table
from icf.catalogue.schema import candidate, character, face, image, question
from icf.catalogue.stale_reviews import close_stale
from icf.codes import (
    BY_IDENTITY,
    GONE_FACES,
    FaceReason,
    ImageReason,
    Label,
    Verdict,
    meaning_of,
)
from icf.errors import WrongUse

#: The step of the ledger that labels questions.
LABEL = "label"

#: ``character.reference_by`` of a reference that answers brought back.
ANSWERS = "answers"

#: On a picture that shows several characters the largest face is the likeliest to be
#: the one meant, but a large doubtful box is more often no face at all.
CONFIDENT = 0.7

_COPIES = (FaceReason.EXACT_DUPLICATE.value, FaceReason.NEAR_DUPLICATE.value)
#: What the filter found before a face was embedded, and a person may overrule.
_OVERRULED = (
    FaceReason.PICTURE_OUT.value,
    FaceReason.LOW_SCORE.value,
    FaceReason.TOO_SMALL.value,
    FaceReason.HUMAN.value,
    FaceReason.DARK.value,
    FaceReason.FLAT.value,
    FaceReason.BLURRED.value,
    FaceReason.LOW_RESOLUTION.value,
    *_COPIES,
)


def choose_face(
    connection: sa.Connection, run_id: int, character_id: int, face_id: int
) -> int:
    """Make a face the reference, by hand; its picture is filed under the character.

    Args:
        connection: a transaction that writes.
        run_id: the run to charge it to.
        character_id: the character that the face shows.
        face_id: the face.

    Returns:
        The face that represents it: itself, or the better copy that it duplicates.

    Raises:
        WrongUse: there is no such face, or its picture is gone.
    """
    _follow_labels(connection)
    chosen, image_id = _representative(connection, face_id)
    _file(connection, image_id, character_id)
    changed = _assign(connection, character_id, chosen, HAND)
    _note(connection, run_id, character_id, f"face {chosen}, by hand")
    _set_refusals_aside(connection, run_id, character_id, chosen)
    _overrule(connection, run_id, [chosen])
    if changed:
        judge_again(connection, run_id, character_id)
    return chosen


def choose_image(
    connection: sa.Connection, run_id: int, character_id: int, image_id: int
) -> int | None:
    """Make the best face of a picture the reference, by hand.

    Returns:
        The face; None where the faces of the picture are not known yet.

    Raises:
        WrongUse: the picture has no face, or is gone.
    """
    _follow_labels(connection)
    query = sa.select(image.c.awaits, image.c.reason).where(image.c.id == image_id)
    row = connection.execute(query).one()
    if row.awaits != step_at(connection, Entry.NEW_IMAGE):
        best = best_face(connection, image_id)
        if best is None:
            meaning = meaning_of(ImageReason, row.reason)
            raise WrongUse(
                f"image {image_id} has no face to choose ({row.reason}: {meaning}); "
                "name another picture"
            )
        return choose_face(connection, run_id, character_id, best)
    _file(connection, image_id, character_id)
    connection.execute(
        sa.update(character)
        .where(character.c.id == character_id)
        .values(reference_image_id=image_id)
    )
    message = f"image {image_id}, by hand; its faces are not known yet"
    _note(connection, run_id, character_id, message)
    return None


def choose_none(connection: sa.Connection, run_id: int, character_id: int) -> None:
    """Choose, by hand, that a character has no reference."""
    _follow_labels(connection)
    changed = _assign(connection, character_id, None, HAND)
    _note(connection, run_id, character_id, "none, by hand", Verdict.DROPPED)
    if changed:
        judge_again(connection, run_id, character_id)


def clear(
    connection: sa.Connection, run_id: int, character_id: int, why: str = "cleared"
) -> None:
    """Clear the reference; the filter chooses one again."""
    _follow_labels(connection)
    _assign(connection, character_id, None, None)
    _note(connection, run_id, character_id, f"{why}; the filter chooses again")
    # Another reference of the album may have sent them back already, only not as far.
    compared = step_at(connection, Entry.CHANGED_REFERENCE)
    own = sa.and_(is_of(character_id), sa.or_(judged(), face.c.awaits == compared))
    _send_back(connection, run_id, own, Entry.CLEARED_REFERENCE, _changed(character_id))
    judge_again(connection, run_id, character_id)


def refuse(
    connection: sa.Connection, run_id: int, character_id: int, face_id: int
) -> bool:
    """Follow people who say that a face is no good reference of a character.

    The filter chooses another one. The questions that were asked against it are to be
    withdrawn by the caller.

    Returns:
        Whether it was the reference.
    """
    query = sa.select(character.c.reference_face_id).where(
        character.c.id == character_id
    )
    if connection.execute(query).scalar_one() != face_id:
        return False
    clear(connection, run_id, character_id, f"face {face_id} was refused by people")
    return True


def restore(
    connection: sa.Connection, run_id: int, character_id: int, face_id: int
) -> bool:
    """Follow people who took back that a face is no good reference of a character.

    Returns:
        Whether it is the reference again; not if a person chose another one.
    """
    query = sa.select(character.c.reference_face_id, character.c.reference_by)
    now = connection.execute(query.where(character.c.id == character_id)).one()
    if now.reference_by == HAND or now.reference_face_id == face_id:
        return False
    _assign(connection, character_id, face_id, ANSWERS)
    message = f"face {face_id}, which people no longer refuse"
    _note(connection, run_id, character_id, message)
    judge_again(connection, run_id, character_id)
    return True


def replace(
    connection: sa.Connection,
    run_id: int,
    character_id: int,
    face_id: int | None,
    by: str | None,
) -> list[int]:
    """Store an automatic choice, or that there is none; a person's choice is kept.

    Returns:
        The faces that were judged against another face before, or had none to be
        judged against; they are judged again.
    """
    query = sa.select(character.c.reference_face_id, character.c.reference_by)
    old = connection.execute(query.where(character.c.id == character_id)).one()
    if old.reference_by == HAND:
        return []
    connection.execute(
        sa.update(character)
        .where(character.c.id == character_id)
        .values(reference_face_id=face_id, reference_by=by)
    )
    if old.reference_face_id == face_id:
        return []
    close_stale(connection, [character_id])
    if old.reference_face_id is None:
        lacked = face.c.reason == FaceReason.NO_REFERENCE.value
        which = sa.and_(_in_album(character_id), lacked)
        why = _changed(character_id)
        return _send_back(connection, run_id, which, Entry.CHANGED_REFERENCE, why)
    return judge_again(connection, run_id, character_id)


def settle(connection: sa.Connection, run_id: int) -> None:
    """Find the face of each picture that a person chose, once faces are known.

    A face that a person chose and the filter dropped before it was embedded is sent on
    nevertheless: the character could not be compared with anything otherwise.
    """
    first = step_at(connection, Entry.NEW_IMAGE)
    chosen = (
        sa.select(character.c.id, character.c.reference_image_id)
        .join(image, image.c.id == character.c.reference_image_id)
        .where(image.c.awaits.is_distinct_from(first))
        .order_by(character.c.id)
    )
    for row in connection.execute(chosen).all():
        best = best_face(connection, row.reference_image_id)
        if best is not None:
            choose_face(connection, run_id, row.id, best)
    by_hand = sa.select(character.c.reference_face_id).where(
        character.c.reference_by == HAND, character.c.reference_face_id.is_not(None)
    )
    by_hand = by_hand.order_by(character.c.reference_face_id)
    _overrule(connection, run_id, list(connection.execute(by_hand).scalars()))


def best_face(connection: sa.Connection, image_id: int) -> int | None:
    """The largest face of a picture among those that the detector is sure of."""
    area = (face.c.x2 - face.c.x1) * (face.c.y2 - face.c.y1)
    query = (
        sa.select(face.c.id)
        .where(face.c.image_id == image_id, face.c.reason.not_in(GONE_FACES))
        .order_by(
            sa.case((face.c.reason == FaceReason.LOW_SCORE.value, 1), else_=0),
            sa.case((face.c.kind == "cartoon", 0), else_=1),
            sa.case((face.c.score >= CONFIDENT, 0), else_=1),
            area.desc(),
            face.c.id,
        )
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def judge_again(
    connection: sa.Connection, run_id: int, character_id: int, why: str | None = None
) -> list[int]:
    """Send the faces of a character's album back to identity.

    Every reference of an album takes part in judging its faces: as the one a face is
    like, or as the other that explains it better.

    Args:
        connection: a transaction that writes.
        run_id: the run to charge it to.
        character_id: a character of the album.
        why: the message of the ledger; None: its reference changed.

    Returns:
        Those faces.
    """
    return _send_back(
        connection,
        run_id,
        _in_album(character_id),
        Entry.CHANGED_REFERENCE,
        why or _changed(character_id),
    )


def identify_again(
    connection: sa.Connection, run_id: int, which: sa.ColumnElement[bool], why: str
) -> None:
    """Send faces that identity judged back to it.

    Args:
        connection: a transaction that writes.
        run_id: the run to charge it to.
        which: of faces; all of them `judged`.
        why: the message of the ledger.
    """
    _send_back(connection, run_id, which, Entry.CHANGED_REFERENCE, why)


def judged() -> sa.ColumnElement[bool]:
    """Of faces: identity has kept or dropped it, and nothing else has since."""
    return sa.and_(
        face.c.awaits.is_(None),
        sa.or_(
            face.c.verdict == Verdict.KEPT.value,
            face.c.reason.in_(BY_IDENTITY),
        ),
    )


def _in_album(character_id: int) -> sa.ColumnElement[bool]:
    album_id = (
        sa.select(character.c.album_id)
        .where(character.c.id == character_id)
        .scalar_subquery()
    )
    filed = (
        sa.select(candidate.c.image_id)
        .join(character, character.c.id == candidate.c.character_id)
        .where(character.c.album_id == album_id)
    )
    return sa.and_(judged(), face.c.image_id.in_(filed))


def _send_back(
    connection: sa.Connection,
    run_id: int,
    which: sa.ColumnElement[bool],
    entry: Entry,
    why: str,
) -> list[int]:
    step, by = step_at(connection, entry), _step(connection)
    waiting = sa.select(face.c.id).where(which).order_by(face.c.id).with_for_update()
    ids = list(connection.execute(waiting).scalars())
    forgotten = {"similarity": None, "probability": None}
    states = [RowState(_pending(face_id, by, why), step, forgotten) for face_id in ids]
    row_state.write(connection, run_id, states)
    return ids


def _follow_labels(connection: sa.Connection) -> None:
    """Wait until no labels follow from answers, and let none follow until the end.

    They change characters, faces and questions too, in an order of their own.
    """
    lock_table(connection, question)


def _overrule(connection: sa.Connection, run_id: int, ids: Sequence[int]) -> None:
    """Send faces to be embedded that were dropped before."""
    for face_id in ids:
        dropped = sa.and_(
            face.c.id == face_id,
            face.c.verdict == Verdict.DROPPED.value,
            face.c.reason.in_(_OVERRULED),
        )
        why = "a person chose it as reference, which overrules the filter"
        _send_back(connection, run_id, dropped, Entry.CHOSEN_FACE, why)


def _representative(connection: sa.Connection, face_id: int) -> tuple[int, int]:
    """The face that represents a face, and its picture."""
    query = sa.select(face.c.id, face.c.image_id, face.c.keeper_id, face.c.reason)
    row = connection.execute(query.where(face.c.id == face_id)).one_or_none()
    if row is None:
        raise WrongUse(f"the catalogue has no face {face_id}")
    if row.reason in GONE_FACES:
        meaning = meaning_of(FaceReason, row.reason)
        raise WrongUse(f"face {face_id} cannot be a reference: {meaning}")
    if row.reason in _COPIES and row.keeper_id is not None:
        keeper = connection.execute(query.where(face.c.id == row.keeper_id)).one()
        if keeper.reason not in GONE_FACES:
            return _representative(connection, keeper.id)
    return row.id, row.image_id


def _file(connection: sa.Connection, image_id: int, character_id: int) -> None:
    row = {"image_id": image_id, "character_id": character_id, "is_lead": False}
    file_under(connection, candidate, [row])


def _assign(
    connection: sa.Connection, character_id: int, face_id: int | None, by: str | None
) -> bool:
    """Store a choice by hand; return whether the face is another than before."""
    query = sa.select(character.c.reference_face_id).where(
        character.c.id == character_id
    )
    before = connection.execute(query).scalar_one()
    connection.execute(
        sa.update(character)
        .where(character.c.id == character_id)
        .values(reference_face_id=face_id, reference_by=by, reference_image_id=None)
    )
    if before != face_id:
        close_stale(connection, [character_id])
    return bool(before != face_id)


def _set_refusals_aside(
    connection: sa.Connection, run_id: int, character_id: int, face_id: int
) -> None:
    """Let a choice by hand count more than earlier answers against the face.

    What was withdrawn because of them is open again; its file can be imported again.
    """
    of_character = sa.select(question.c.id).where(
        question.c.character_id == character_id
    )
    refusals = of_character.where(sa.or_(*refusing(face_id)))
    withdrawn = of_character.where(
        question.c.reference_face_id == face_id,
        question.c.label == Label.WITHDRAWN.value,
    )
    again = list(connection.execute(withdrawn).scalars())
    refused = list(connection.execute(refusals).scalars())
    why = f"a person chose face {face_id} as reference of character {character_id}"
    relabel(connection, run_id, refused, Label.WITHDRAWN, why)
    relabel(connection, run_id, again, Label.OPEN, why)


def relabel(
    connection: sa.Connection,
    run_id: int,
    question_ids: Sequence[int],
    label: Label,
    why: str,
) -> None:
    """Give questions a label that does not come from their own answers."""
    for start in range(0, len(question_ids), CHUNK):
        part = question_ids[start : start + CHUNK]
        connection.execute(
            sa.update(question).where(question.c.id.in_(part)).values(label=label.value)
        )
    decisions = [
        ledger.Decision("question", key, LABEL, label.value, label.value, message=why)
        for key in question_ids
    ]
    ledger.append(connection, run_id, decisions)


def _note(
    connection: sa.Connection,
    run_id: int,
    character_id: int,
    message: str,
    verdict: Verdict = Verdict.KEPT,
) -> None:
    kept = verdict is Verdict.KEPT
    reason = FaceReason.OK if kept else FaceReason.NO_REFERENCE
    made = ledger.Decision(
        "character",
        character_id,
        _step(connection),
        verdict.value,
        reason.value,
        message=message,
    )
    ledger.append(connection, run_id, [made])


def _pending(face_id: int, step: str, why: str) -> ledger.Decision:
    verdict, reason = Verdict.PENDING.value, FaceReason.OK.value
    return ledger.Decision("face", face_id, step, verdict, reason, message=why)


def _step(connection: sa.Connection) -> str:
    """The step that choices of references are charged to."""
    return step_at(connection, Entry.CLEARED_REFERENCE)


def _changed(character_id: int) -> str:
    return f"the reference of character {character_id} changed"
