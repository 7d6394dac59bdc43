"""What an answer says of the other faces of its frame.

Two faces of one frame are two characters (`icf.catalogue.labels.same_picture`). Where
one is confirmed, the other one is not asked about; the ledger of that face says so, and
says it when the answer is taken back. Where people confirm both as one character, one
of the answers is wrong, or the link is: an expert decides. What an expert settled
stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.labels import Labelled, read_labelled
from icf.annotate.rule import Rule
from icf.catalogue import ledger, references, reviews
from icf.catalogue.confirmations import HAND
from icf.catalogue.labels.same_picture import beside
from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face, question
from icf.codes import FaceReason, Label, Verdict

_CONFIRMS = (Label.SAME, Label.DISPUTED)

#: A face and a character that is not merged.
Pair = tuple[int, int]


def follow_frames(
    connection: sa.Connection, run_id: int, asked: Sequence[Labelled], rule: Rule
) -> dict[int, Label]:
    """Let the other faces of frames follow the labels of some questions.

    Args:
        connection: the transaction in which they were labelled.
        run_id: the run to charge it to.
        asked: the questions, as they were before, with the labels they have now.
        rule: how labels follow from answers.

    Returns:
        New labels of questions, by id: people contradict what the frame says, or no
        longer do.
    """
    decided = [each for each in asked if {each.before, each.agreed} & {*_CONFIRMS}]
    frames = beside(connection, sorted({each.face_id for each in decided}))
    if not frames:
        return {}
    faces = sorted({*frames, *(one for others in frames.values() for one in others)})
    frames = beside(connection, faces)
    known = _read(connection, faces, rule)
    _note(connection, run_id, decided, known, frames)
    return _relabel(connection, run_id, known, frames)


@dataclass(frozen=True)
class _Known:
    """What is known of some faces.

    Attributes:
        questions: those that confirm a face, or would, by id.
        pairs: what each of them is about.
        by_hand: references that a person chose, with their characters.
    """

    questions: Mapping[int, Labelled]
    pairs: Mapping[int, Pair]
    by_hand: frozenset[Pair]

    def confirmed(self) -> set[Pair]:
        """Faces that are confirmed, each with its character."""
        return {
            self.pairs[key]
            for key, each in self.questions.items()
            if each.agreed is Label.SAME
        } | self.by_hand


def _read(connection: sa.Connection, faces: Sequence[int], rule: Rule) -> _Known:
    query = sa.select(
        question.c.id, question.c.face_id, survivor().label("owner"), question.c.label
    ).join(character, character.c.id == question.c.character_id)
    pairs = {
        row.id: (row.face_id, row.owner)
        for row in by_ids(connection, query, question.c.face_id, faces)
        if row.label in [label.value for label in _CONFIRMS]
    }
    found = read_labelled(connection, sorted(pairs), rule)
    hand = sa.select(character.c.reference_face_id, survivor().label("owner")).where(
        character.c.reference_by == HAND
    )
    by_hand = by_ids(connection, hand, character.c.reference_face_id, faces)
    return _Known(
        {each.id: each for each in found},
        pairs,
        frozenset((row.reference_face_id, row.owner) for row in by_hand),
    )


def _relabel(
    connection: sa.Connection,
    run_id: int,
    known: _Known,
    frames: Mapping[int, Collection[int]],
) -> dict[int, Label]:
    """Give contradicting questions to an expert, and take back what no longer is."""
    confirmed = known.confirmed()
    made: dict[int, Label] = {}
    for key, each in known.questions.items():
        face_id, owner = known.pairs[key]
        if each.agreed is not Label.SAME:
            continue
        others = [
            other for other in frames.get(face_id, ()) if (other, owner) in confirmed
        ]
        label = Label.DISPUTED if others and not each.settled.by_expert else Label.SAME
        if label is each.before:
            continue
        why = "no other face of its picture is confirmed as this character any more"
        if others:
            why = f"face {others[0]} of the same picture is confirmed as this character"
        references.relabel(connection, run_id, [key], label, why)
        made[key] = label
    return made


def _note(
    connection: sa.Connection,
    run_id: int,
    decided: Iterable[Labelled],
    known: _Known,
    frames: Mapping[int, Collection[int]],
) -> None:
    """Write to the ledger of each face what it is ruled out to be, or no longer is."""
    confirmed = known.confirmed()
    changed = {
        each.face_id: each
        for each in decided
        if (each.before is Label.SAME) != (each.agreed is Label.SAME)
    }
    others = sorted({one for key in changed for one in frames.get(key, ())})
    query = sa.select(face.c.id, face.c.character_id).where(
        face.c.verdict == Verdict.KEPT.value,
        face.c.awaits.is_(None),
        ~reviews.asked_before(face.c.id, face.c.character_id),
    )
    owners = {
        row.id: row.character_id for row in by_ids(connection, query, face.c.id, others)
    }
    decisions = []
    for key, each in changed.items():
        for other in frames.get(key, ()):
            if owners.get(other) != _owner(connection, each.character_id):
                continue
            is_out = (key, owners[other]) in confirmed
            end = "so this one is not, and is not asked about it"
            message = (
                f"face {key} of the same picture is character {owners[other]} "
                f"(question:{each.id}), {end}"
                if is_out
                else f"face {key} of the same picture is no longer known to be "
                f"character {owners[other]} (question:{each.id})"
            )
            decisions.append(_kept(other, message))
    ledger.append(connection, run_id, decisions)


def _owner(connection: sa.Connection, character_id: int) -> int:
    query = sa.select(survivor()).where(character.c.id == character_id)
    return int(connection.execute(query).scalar_one())


def _kept(face_id: int, message: str) -> ledger.Decision:
    """A line that changes nothing of what the face is."""
    return ledger.Decision(
        "face",
        face_id,
        references.LABEL,
        Verdict.KEPT.value,
        FaceReason.OK.value,
        message=message,
    )
