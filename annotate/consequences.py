"""What follows from answers for references and faces.

- A reference that people refuse is chosen again by the filter, and what was asked
  against it is withdrawn: neither "same" nor "different" says anything then.
- What people call no face is dropped.
- What they take back is undone: questions get the labels of their answers, and the
  reference and the face come back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa

from icf.annotate.labels import Labelled, read_labelled
from icf.annotate.rule import Rule
from icf.catalogue import references, row_state
from icf.catalogue.confirmations import is_confirmed, is_no_face, is_refused
from icf.catalogue.entry_steps import Entry, step_at
from icf.catalogue.ledger import Decision
from icf.catalogue.row_state import RowState
from icf.catalogue.rows import by_given_ids, by_ids, with_ids
from icf.catalogue.schema import character, face, question
from icf.catalogue.stale_reviews import close_stale, close_witnesses
from icf.codes import UNSETTLED, FaceReason, Label, Verdict

#: Why a face is out whatever people say of it.
_OUT = (
    FaceReason.NOT_A_FACE.value,
    FaceReason.TAKEN_DOWN.value,
    FaceReason.MISSING_BLOB.value,
)

#: A character, and a face as its reference.
Pair = tuple[int, int]


@dataclass
class Effects:
    """What followed.

    Attributes:
        relabelled: new labels of questions, by id, that do not follow from their own
            answers alone.
        refused: characters whose reference was refused.
        restored: characters whose reference is no longer refused.
        faces_out: faces that are none.
        faces_back: faces that are faces after all.
    """

    relabelled: dict[int, Label] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    restored: set[int] = field(default_factory=set)
    faces_out: set[int] = field(default_factory=set)
    faces_back: set[int] = field(default_factory=set)

    @property
    def filter_next(self) -> bool:
        """Whether faces or references wait for the filter now."""
        return bool(self.refused or self.restored or self.faces_back)

    def add(self, others: Effects) -> None:
        """Add what followed from further answers."""
        self.relabelled.update(others.relabelled)
        for mine, also in (
            (self.refused, others.refused),
            (self.restored, others.restored),
            (self.faces_out, others.faces_out),
            (self.faces_back, others.faces_back),
        ):
            mine |= also


def follow(
    connection: sa.Connection,
    run_id: int,
    asked: Sequence[Labelled],
    rule: Rule,
) -> Effects:
    """Let references and faces follow the labels of some questions.

    Args:
        connection: the transaction in which they were labelled.
        run_id: the run to charge it to.
        asked: the questions, as they were before, with the labels they have now.
        rule: how labels follow from answers.
    """
    effects = Effects()
    no_face = Label.NOT_A_FACE
    changed = {each.face_id for each in asked if no_face in (each.before, each.agreed)}
    _follow_faces(connection, run_id, changed, effects)
    pairs = {(each.character_id, each.reference_face_id) for each in asked}
    pairs |= _as_references(connection, changed)
    refused = _refused(connection, pairs)
    for pair in sorted(refused):
        _refuse(connection, run_id, pair, effects)
    no_longer = {
        (each.character_id, each.reference_face_id)
        for each in asked
        if each.refuses(each.before)
    }
    no_longer |= {pair for pair in pairs if pair[1] in effects.faces_back}
    for pair in sorted(no_longer - refused):
        _restore(connection, run_id, pair, effects)
    _ask_again(connection, run_id, pairs - refused, effects, rule)
    close_stale(connection, sorted({each.character_id for each in asked}))
    return effects


def _follow_faces(
    connection: sa.Connection, run_id: int, ids: Collection[int], effects: Effects
) -> None:
    query = sa.select(
        face.c.id,
        face.c.reason,
        is_no_face(face.c.id).label("is_none"),
    )
    states = []
    for row in by_ids(connection, query, face.c.id, sorted(ids)):
        if row.is_none and row.reason not in _OUT:
            made = _decision(row.id, Verdict.DROPPED, FaceReason.NOT_A_FACE)
            states.append(RowState(made, None))
            effects.faces_out.add(row.id)
        elif not row.is_none and row.reason == FaceReason.NOT_A_FACE.value:
            made = _decision(row.id, Verdict.PENDING, FaceReason.OK)
            step = step_at(connection, Entry.CHANGED_REFERENCE)
            states.append(RowState(made, step))
            effects.faces_back.add(row.id)
    row_state.write(connection, run_id, states)
    about = sa.select(question.c.id).where(question.c.label.in_(UNSETTLED))
    open_ids = by_ids(connection, about, question.c.face_id, sorted(effects.faces_out))
    why = "people say that it shows no face"
    _withdraw(connection, run_id, [row.id for row in open_ids], why, effects)


def _decision(face_id: int, verdict: Verdict, reason: FaceReason) -> Decision:
    return Decision("face", face_id, references.LABEL, verdict.value, reason.value)


def _as_references(connection: sa.Connection, faces: Iterable[int]) -> set[Pair]:
    """The characters that some faces are, or were, shown as the reference of."""
    ids = sorted(faces)
    now = sa.select(character.c.id, character.c.reference_face_id)
    then = sa.select(question.c.character_id, question.c.reference_face_id)
    return {
        _pair(row)
        for query, column in (
            (now, character.c.reference_face_id),
            (then, question.c.reference_face_id),
        )
        for row in by_ids(connection, query, column, ids)
    }


def _refused(connection: sa.Connection, pairs: Collection[Pair]) -> set[Pair]:
    """Those pairs whose face people refuse as reference."""
    faces = sorted({face_id for _, face_id in pairs})
    return {
        pair
        for query in _refused_among()
        for row in by_given_ids(connection, query, faces)
        if (pair := _pair(row)) in pairs
    }


@cache
def _refused_among() -> tuple[sa.Select[Any], ...]:
    """Characters with those of some faces that are refused references, now and then."""
    queries = []
    for owner, shown in (
        (character.c.id, character.c.reference_face_id),
        (question.c.character_id, question.c.reference_face_id),
    ):
        # Each pair once, and then what people say of it: a reference may have
        # thousands of questions, each of which would look through all of them.
        each = sa.select(owner.label("owner"), shown.label("shown"))
        some = with_ids(each, shown).order_by(None).distinct().subquery()
        queries.append(sa.select(some).where(is_refused(some.c.shown, some.c.owner)))
    return tuple(queries)


def _pair(row: Any) -> Pair:
    return row[0], row[1]


def _refuse(
    connection: sa.Connection, run_id: int, pair: Pair, effects: Effects
) -> None:
    character_id, face_id = pair
    asked = sa.select(question.c.id).where(
        question.c.character_id == character_id,
        question.c.reference_face_id == face_id,
        question.c.label.not_in(
            (
                Label.WITHDRAWN.value,
                Label.WRONG_REFERENCE.value,
                Label.NOT_A_FACE.value,
            )
        ),
        sa.not_(
            sa.and_(
                question.c.face_id == face_id,
                question.c.label == Label.DIFFERENT.value,
            )
        ),
    )
    ids = list(connection.execute(asked).scalars())
    why = f"face {face_id} is no good reference of character {character_id}"
    _withdraw(connection, run_id, ids, why, effects)
    close_witnesses(connection, character_id, face_id)
    if references.refuse(connection, run_id, character_id, face_id):
        effects.refused.add(character_id)


def _restore(
    connection: sa.Connection, run_id: int, pair: Pair, effects: Effects
) -> None:
    """Bring a reference back, unless the one chosen since is confirmed."""
    character_id, face_id = pair
    query = sa.select(
        is_confirmed(character.c.reference_face_id, character.c.id)
    ).where(character.c.id == character_id)
    if connection.execute(query).scalar_one():
        return
    if references.restore(connection, run_id, character_id, face_id):
        effects.restored.add(character_id)


def _ask_again(
    connection: sa.Connection,
    run_id: int,
    pairs: Collection[Pair],
    effects: Effects,
    rule: Rule,
) -> None:
    """Give withdrawn questions whose reference is right the labels of their answers."""
    query = sa.select(
        question.c.id, question.c.character_id, question.c.reference_face_id
    ).where(
        question.c.label == Label.WITHDRAWN.value,
        sa.not_(is_no_face(question.c.face_id)),
    )
    faces = sorted({face_id for _, face_id in pairs})
    ids = [
        row.id
        for row in by_ids(connection, query, question.c.reference_face_id, faces)
        if (row.character_id, row.reference_face_id) in pairs
    ]
    by_label: dict[Label, list[int]] = {}
    for each in read_labelled(connection, ids, rule):
        # A choice by hand has set aside what refused it.
        if not each.refuses(each.agreed):
            by_label.setdefault(each.agreed, []).append(each.id)
    for label, some in by_label.items():
        why = "its reference is no longer refused"
        references.relabel(connection, run_id, some, label, why)
        effects.relabelled.update(dict.fromkeys(some, label))


def _withdraw(
    connection: sa.Connection,
    run_id: int,
    ids: Sequence[int],
    why: str,
    effects: Effects,
) -> None:
    references.relabel(connection, run_id, ids, Label.WITHDRAWN, why)
    effects.relabelled.update(dict.fromkeys(ids, Label.WITHDRAWN))
