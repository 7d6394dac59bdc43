"""What people say of an audit's labels: checks, disagreements, decisions.

Each label of the sample is checked by somebody who did not help to make it. Where the
check and the label differ, or the check is unsure, a reviewer decides: somebody who
neither checked nor made the label. Nothing is dropped on the way: a label that was
taken down before it was looked at counts as wrong, and so does one of which the
reviewer is unsure.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa

from icf.annotate.audit.shown import references
from icf.annotate.formats.values import is_credible
from icf.annotate.people.people import Person
from icf.annotate.tasks.leases import Now
from icf.catalogue.annotation.schema import (
    label_audit,
    label_audit_answer,
    label_audit_item,
    lease,
)
from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import LINK_ENDS, answer, character, face, face_link, question
from icf.codes import Choice, FaceReason, Label
from icf.errors import IcfError

#: The source of the annotation page whose subjects are an audit's labels.
SOURCE = "audit"

#: What agrees with each label. What shows no face is not the character, either.
_AGREES = {
    Label.SAME.value: (Choice.TRUE,),
    Label.DIFFERENT.value: (Choice.FALSE, Choice.NOT_A_FACE),
}


class RefusedCheck(IcfError):
    """An answer that an audit cannot take; the message says why."""


class Verdict(Enum):
    """What became of a label of the sample."""

    TO_CHECK = "to_check"
    TO_DECIDE = "to_decide"
    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True)
class Check:
    """One person's answer to an item.

    Attributes:
        item_id: the label of the sample.
        annotator: who gave it.
        choice: the answer.
        answered_at: UTC epoch seconds; None: now.
        seconds: from when it was shown until it was answered.
        client_id: the id that the browser gave it.
        file: that it was imported from; None: the page.
        decides: whether a reviewer decides with it.
    """

    item_id: int
    annotator: str
    choice: Choice
    answered_at: float | None = None
    seconds: float | None = None
    client_id: str | None = None
    file: str | None = None
    decides: bool = False


@dataclass(frozen=True)
class Item:
    """A label of the sample, and what people said of it.

    Attributes:
        id: in the catalogue.
        face_id, character_id, reference_face_id: what is shown; in place of a
            reference that was withdrawn another face of the character.
        label: "same" or "different".
        parts: that it stands for.
        gone: whether its picture was taken down.
        checks: what other people said, by name.
        decision: what a reviewer said.
    """

    id: int
    face_id: int
    character_id: int
    reference_face_id: int
    label: str
    parts: tuple[str, ...]
    gone: bool
    checks: Mapping[str, Choice]
    decision: Choice | None

    @property
    def verdict(self) -> Verdict:
        """Whether the label is right, as far as that is known."""
        agreeing = _AGREES[self.label]
        if self.decision is not None:
            return Verdict.RIGHT if self.decision in agreeing else Verdict.WRONG
        if self.checks and all(each in agreeing for each in self.checks.values()):
            return Verdict.RIGHT
        if self.gone:
            return Verdict.WRONG
        return Verdict.TO_DECIDE if self.checks else Verdict.TO_CHECK


def read_items(connection: sa.Connection, audit_id: int) -> list[Item]:
    """Read the sample of an audit, with all that was said, in its order."""
    columns = [each for each in label_audit_item.c if each.name != "audit_id"]
    columns.append(face.c.reason)
    query = (
        sa.select(*columns)
        .join(face, face.c.id == label_audit_item.c.face_id)
        .where(label_audit_item.c.audit_id == audit_id)
        .order_by(label_audit_item.c.id)
    )
    rows = connection.execute(query).all()
    checks: dict[int, dict[str, Choice]] = defaultdict(dict)
    decisions: dict[int, Choice] = {}
    said = sa.select(label_audit_answer).where(
        label_audit_answer.c.replaced_at.is_(None)
    )
    shown = references(connection, rows)
    ids = [row.id for row in rows]
    for each in by_ids(connection, said, label_audit_answer.c.item_id, ids):
        choice = Choice[each.choice.upper()]
        if each.decides:
            decisions[each.item_id] = choice
        else:
            checks[each.item_id][each.annotator] = choice
    return [
        Item(
            row.id,
            row.face_id,
            row.character_id,
            reference,
            row.label,
            tuple(row.part.split(",")),
            row.reason == FaceReason.TAKEN_DOWN.value,
            checks.get(row.id, {}),
            decisions.get(row.id),
        )
        for row, reference in zip(rows, shown, strict=True)
    ]


def disagreements(connection: sa.Connection) -> list[Item]:
    """Read the labels of the open audit on which a reviewer must decide."""
    query = sa.select(label_audit.c.id).where(label_audit.c.ended_at.is_(None))
    found = connection.execute(query.order_by(label_audit.c.id.desc())).scalar()
    items = read_items(connection, found) if found is not None else []
    return [each for each in items if each.verdict is Verdict.TO_DECIDE]


def involved(
    connection: sa.Connection, items: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], set[str]]:
    """Read who gave any answer that the label of a face as a character may follow from.

    Args:
        connection: to the catalogue.
        items: faces, each with its character; answers about other faces of its track,
            and about characters that were merged into it, count.
    """
    wanted: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for pair in items:
        wanted[pair[0]].add(pair)
    for face_id, other_id in list(_tracked(connection, sorted(wanted))):
        wanted[other_id] |= {pair for pair in wanted[face_id] if pair[0] == face_id}
    owners = sorted({pair[1] for some in wanted.values() for pair in some})
    merged = sa.select(character.c.id, survivor().label("now"))
    now = {
        row.id: row.now for row in by_ids(connection, merged, character.c.id, owners)
    }
    query = (
        sa.select(question.c.face_id, survivor().label("owner"), answer.c.annotator)
        .join(answer, answer.c.question_id == question.c.id)
        .join(character, character.c.id == question.c.character_id)
    )
    found: dict[tuple[int, int], set[str]] = defaultdict(set)
    for row in by_ids(connection, query, question.c.face_id, sorted(wanted)):
        for pair in wanted[row.face_id]:
            if now.get(pair[1]) == row.owner:
                found[pair].add(row.annotator)
    return found


def _tracked(
    connection: sa.Connection, faces: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Yield faces with other faces of their tracks."""
    for own, linked in LINK_ENDS:
        query = sa.select(own.label("own"), linked.label("linked")).where(
            face_link.c.same
        )
        for row in by_ids(connection, query, own, faces):
            yield row.own, row.linked


def store_check(connection: sa.Connection, check: Check) -> bool:
    """Store an answer; a later one of the same person replaces the earlier one.

    Args:
        connection: a transaction that writes.
        check: the answer; with ``decides`` it settles a disagreement. From the page it
            is stored even if it says the same again, or comes after a later one, as
            the page was told that nothing is lost.

    Returns:
        False if it is known, or a file has it and it comes after a later one.

    Raises:
        RefusedCheck: there is no such item, its audit is over, the person helped to
            make the label, or there is nothing to decide.
    """
    if _is_sent_twice(connection, check):
        return False
    row = _item(connection, check.item_id)
    earlier = _given(connection, check.item_id)
    mine = earlier.get(check.annotator)
    if mine is not None and check.client_id is None and _is_known(check, mine):
        return False
    _check_allowed(connection, check, row, earlier)
    now = time.time()
    when = now if check.answered_at is None else check.answered_at
    is_late = (
        mine is not None and mine.answered_at > when and is_credible(mine.answered_at)
    )
    if is_late and check.client_id is None:
        return False
    if mine is not None and not is_late:
        table = label_audit_answer
        update = sa.update(table).where(table.c.id == mine.id)
        connection.execute(update.values(replaced_at=now))
    connection.execute(
        sa.insert(label_audit_answer).values(
            item_id=check.item_id,
            choice=check.choice.value,
            decides=check.decides,
            annotator=check.annotator,
            seconds=check.seconds,
            answered_at=when,
            client_id=check.client_id,
            replaced_at=now if is_late else None,
            file=check.file,
        )
    )
    return True


def unchecked(connection: sa.Connection, person: Person, count: int) -> Sequence[int]:
    """Choose labels of the open audit that nobody has checked, or holds on the page.

    Args:
        connection: to the catalogue.
        person: who is asked: not about a label that the person helped to make.
        count: how many.

    Returns:
        Ids of items, in the order of the sample.
    """
    item, given, holds = label_audit_item.c, label_audit_answer.c, lease.c
    checked = sa.exists().where(given.item_id == item.id, given.replaced_at.is_(None))
    held = sa.exists().where(
        holds.source == SOURCE,
        holds.subject_id == item.id,
        holds.ended_at.is_(None),
        holds.until > Now(),
    )
    query = (
        sa.select(item.id)
        .join(label_audit, label_audit.c.id == item.audit_id)
        .join(face, face.c.id == item.face_id)
        .where(
            label_audit.c.ended_at.is_(None),
            face.c.reason != FaceReason.TAKEN_DOWN.value,
            ~checked,
            ~held,
            *(~each for each in _helped(person)),
        )
        .order_by(item.id)
        .limit(count)
    )
    return list(connection.execute(query).scalars())


def _helped(person: Person) -> Iterator[sa.ColumnElement[bool]]:
    """Of items, in three ways: the person answered what the label may follow from."""
    item = label_audit_item.c
    asked, labelled = character.alias("asked"), character.alias("labelled")
    # Not by the index of people: it would read all of a person's answers for each item.
    annotator = sa.func.coalesce(answer.c.annotator, "")
    answered = (
        sa.select(question.c.id)
        .join(answer, answer.c.question_id == question.c.id)
        .join(asked, asked.c.id == question.c.character_id)
        .join(labelled, survivor(labelled) == survivor(asked))
        .where(labelled.c.id == item.character_id, annotator == person.name)
    )
    yield answered.where(question.c.face_id == item.face_id).exists()
    for own, linked in LINK_ENDS:
        tracked = answered.join(face_link, linked == question.c.face_id)
        yield tracked.where(own == item.face_id, face_link.c.same).exists()


def _is_sent_twice(connection: sa.Connection, check: Check) -> bool:
    if check.client_id is None:
        return False
    table = label_audit_answer.c
    query = sa.select(table.item_id, table.annotator)
    row = connection.execute(query.where(table.client_id == check.client_id)).first()
    if row is None:
        return False
    if (row.item_id, row.annotator) != (check.item_id, check.annotator):
        raise RefusedCheck("its id is that of another answer")
    return True


def _is_known(check: Check, mine: sa.Row[Any]) -> bool:
    """Whether the person said so before; a check is no decision that says the same."""
    return mine.choice == check.choice.value and (mine.decides or not check.decides)


def _check_allowed(
    connection: sa.Connection,
    check: Check,
    item: sa.Row[Any],
    earlier: Mapping[str, sa.Row[Any]],
) -> None:
    """Refuse an answer that would make the audit prove less."""
    if item.ended_at is not None:
        raise RefusedCheck("this question was settled meanwhile")
    pair = (item.face_id, item.character_id)
    if check.annotator in involved(connection, [pair]).get(pair, ()):
        raise RefusedCheck(
            f"{check.annotator} answered this question before; only other people can "
            "check the label"
        )
    mine, given = earlier.get(check.annotator), list(earlier.values())
    if check.decides:
        _check_decision(check, item.label, given)
    elif mine is not None and mine.decides:
        raise RefusedCheck(f"{check.annotator} decided on this label already")
    elif mine is None and check.file is not None and _is_disputed(item.label, given):
        raise RefusedCheck(
            "others checked this label and a reviewer is to decide on it; a file of "
            "decisions needs --decides"
        )


def _item(connection: sa.Connection, item_id: int) -> sa.Row[Any]:
    """Read an item, of which nobody else says anything until the transaction ends."""
    query = (
        sa.select(label_audit_item, label_audit.c.ended_at)
        .join(label_audit, label_audit.c.id == label_audit_item.c.audit_id)
        .where(label_audit_item.c.id == item_id)
        .with_for_update(of=label_audit_item, key_share=True)
    )
    row = connection.execute(query).first()
    if row is None:
        raise RefusedCheck(f"no audit has a label {item_id}")
    return row


def _given(connection: sa.Connection, item_id: int) -> dict[str, sa.Row[Any]]:
    query = sa.select(label_audit_answer).where(
        label_audit_answer.c.item_id == item_id,
        label_audit_answer.c.replaced_at.is_(None),
    )
    return {row.annotator: row for row in connection.execute(query)}


def _check_decision(check: Check, label: str, rows: Sequence[sa.Row[Any]]) -> None:
    """Refuse a decision where there is none to be taken, or not by this person."""
    for row in rows:
        if row.decides and row.annotator != check.annotator:
            raise RefusedCheck("another reviewer decided on this label already")
        if not row.decides and row.annotator == check.annotator:
            raise RefusedCheck(
                f"{check.annotator} checked this label; somebody else must decide"
            )
    if not any(row.decides for row in rows) and not _is_disputed(label, rows):
        raise RefusedCheck("nobody disagrees with it: there is nothing to decide")


def _is_disputed(label: str, rows: Sequence[sa.Row[Any]]) -> bool:
    """Whether a check says otherwise than the label, and nobody has decided."""
    agreeing = [each.value for each in _AGREES[label]]
    return not any(row.decides for row in rows) and any(
        row.choice not in agreeing for row in rows
    )
