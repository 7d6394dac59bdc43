"""What is done and by whom: numbers for a person's page, and for the admin's.

A page must come at once with a million questions. So shares and medians are of the last
answers, and what needs all rows is counted by an index.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from icf.annotate.gold.score import Score, score_of
from icf.annotate.people.listing import Known, everybody
from icf.annotate.tasks.leases import Now
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.annotation.schema import (
    attribute_answer,
    box_answer,
    box_task,
    gold_answer,
    label_audit_answer,
    label_audit_item,
    lease,
)
from icf.catalogue.schema import answer, question, review
from icf.codes import BoxStatus, Label, ReviewStatus

#: Answers of which a person's pace and agreement are computed.
LAST = 200

#: What each table's answers are called. Known questions and audits look like any other
#: pair, and are counted as such.
_TABLES = (
    ("pairs", answer),
    ("pairs", gold_answer),
    ("pairs", label_audit_answer),
    ("boxes", box_answer),
    ("attributes", attribute_answer),
)


@dataclass(frozen=True)
class Share:
    """A share of something that was looked at.

    Attributes:
        hits: how many were.
        of: of how many.
    """

    hits: int
    of: int

    @property
    def percent(self) -> float | None:
        """From 0 to 100; None: nothing was looked at.

        >>> Share(3, 4).percent
        75.0
        """
        return 100 * self.hits / self.of if self.of else None


@dataclass(frozen=True)
class Work:
    """What a person did.

    Attributes:
        answers: that count, of all kinds.
        today: of them, since midnight.
        seconds: median of the last answers to pairs; None: unknown.
        agreement: of the last answers to pairs, those that others agree with, of those
            that others answered too.
        gold: where the answer is known.
    """

    answers: int
    today: int
    seconds: float | None
    agreement: Share
    gold: Score


@dataclass(frozen=True)
class Row:
    """A person on the admin's page.

    Attributes:
        known: who it is.
        work: what the person did.
        holds: things that are before the person now, by the task that shows them.
    """

    known: Known
    work: Work
    holds: Mapping[str, int]


@dataclass(frozen=True)
class Progress:
    """How far a task is.

    Attributes:
        task: its name.
        done: things that are settled.
        total: all that were asked about.
        open: those that wait for people.
    """

    task: str
    done: int
    total: int
    open: int

    @property
    def percent(self) -> float:
        """How much is done, from 0 to 100."""
        return 100 * self.done / self.total if self.total else 0.0


@dataclass(frozen=True)
class Overview:
    """All that the admin's page shows.

    Attributes:
        progress: of each task.
        labels: pairs by label.
        agreement: of the last answers to pairs of everybody.
        people: everybody.
    """

    progress: tuple[Progress, ...]
    labels: Mapping[str, int]
    agreement: Share
    people: tuple[Row, ...]


def work_of(connection: sa.Connection, name: str) -> Work:
    """Count what a person did."""
    midnight = _midnight()
    found = [_count(connection, table, name, midnight) for _, table in _TABLES]
    return Work(
        answers=sum(each[0] for each in found),
        today=sum(each[1] for each in found),
        seconds=_pace(connection, name),
        agreement=_agreement(connection, name),
        gold=score_of(connection, name),
    )


def overview(connection: sa.Connection) -> Overview:
    """Count what everybody did, and how far all of it is."""
    labels = _by_label(connection)
    counted = _count_by_person(connection, _midnight())
    holds = _held(connection)
    rows = []
    for known in everybody(connection):
        name = known.person.name
        answers, today = counted.get(name, (0, 0))
        work = Work(
            answers,
            today,
            _pace(connection, name),
            _agreement(connection, name),
            score_of(connection, name),
        )
        rows.append(Row(known, work, holds.get(known.person.id, {})))
    return Overview(
        progress=tuple(_progress(connection, labels)),
        labels=labels,
        agreement=_agreement(connection, None),
        people=tuple(rows),
    )


def _midnight() -> float:
    now = datetime.now().astimezone()
    return now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def _count(
    connection: sa.Connection, table: sa.Table, name: str, since: float
) -> tuple[int, int]:
    """A person's answers in a table: all that count, and those since a time."""
    late = sa.case((table.c.answered_at >= since, 1), else_=0)
    query = sa.select(sa.func.count(), sa.func.sum(late)).where(
        table.c.annotator == name, table.c.replaced_at.is_(None)
    )
    total, today = connection.execute(query).one()
    return total, today or 0


def _count_by_person(
    connection: sa.Connection, since: float
) -> dict[str, tuple[int, int]]:
    """Everybody's answers in all tables: all that count, and those since a time."""
    found: dict[str, tuple[int, int]] = {}
    for _, table in _TABLES:
        late = sa.case((table.c.answered_at >= since, 1), else_=0)
        query = (
            sa.select(table.c.annotator, sa.func.count(), sa.func.sum(late))
            .where(table.c.replaced_at.is_(None))
            .group_by(table.c.annotator)
        )
        for name, total, today in connection.execute(query):
            before = found.get(name, (0, 0))
            found[name] = before[0] + total, before[1] + (today or 0)
    return found


def _pace(connection: sa.Connection, name: str) -> float | None:
    """The median seconds of a person's last answers."""
    last = (
        sa.select(answer.c.seconds)
        .where(answer.c.annotator == name)
        .order_by(answer.c.id.desc())
        .limit(LAST)
    )
    found = [each for each in connection.execute(last).scalars() if each is not None]
    return statistics.median(found) if found else None


def _agreement(connection: sa.Connection, name: str | None) -> Share:
    """How often others say the same, of the last answers of a person or of all."""
    mine = sa.select(answer.c.question_id, answer.c.annotator, answer.c.choice).where(
        answer.c.replaced_at.is_(None)
    )
    if name is not None:
        mine = mine.where(answer.c.annotator == name)
    last = mine.order_by(answer.c.id.desc()).limit(LAST).subquery()
    other = answer.alias()
    same = sa.case((other.c.choice == last.c.choice, 1), else_=0)
    query = sa.select(sa.func.sum(same), sa.func.count()).join_from(
        last,
        other,
        sa.and_(
            other.c.question_id == last.c.question_id,
            other.c.annotator != last.c.annotator,
            other.c.replaced_at.is_(None),
        ),
    )
    hits, of = connection.execute(query).one()
    return Share(hits or 0, of)


def _by_label(connection: sa.Connection) -> dict[str, int]:
    query = sa.select(question.c.label, sa.func.count()).group_by(question.c.label)
    found = connection.execute(query.order_by(question.c.label))
    return {label: number for label, number in found}


def _progress(
    connection: sa.Connection, labels: Mapping[str, int]
) -> Iterator[Progress]:
    """How far each kind of work is; what was withdrawn is not asked any more."""
    waits = labels.get(Label.OPEN.value, 0)
    total = sum(labels.values()) - labels.get(Label.WITHDRAWN.value, 0)
    yield Progress("pairs", total - waits, total, waits)
    boxes = _two(connection, box_task.c.status == BoxStatus.OPEN.value, box_task)
    yield Progress("boxes", boxes[0] - boxes[1], boxes[0], boxes[1])
    faces = sa.select(sa.func.count(attribute_answer.c.face_id.distinct()))
    described = connection.execute(faces.where(counts(attribute_answer))).scalar_one()
    # People describe faces that were confirmed, and every one of these in the end.
    all_faces = max(labels.get(Label.SAME.value, 0), described)
    yield Progress("attributes", described, all_faces, all_faces - described)
    undecided = [ReviewStatus.OPEN.value, ReviewStatus.ASKED.value]
    found = _two(connection, review.c.status.in_(undecided), review)
    disputed = labels.get(Label.DISPUTED.value, 0)
    settled, left = found[0] - found[1], found[1] + disputed
    yield Progress("review", settled, settled + left, left)
    checked = (
        sa.exists()
        .where(label_audit_answer.c.item_id == label_audit_item.c.id)
        .where(label_audit_answer.c.replaced_at.is_(None))
    )
    items = _two(connection, ~checked, label_audit_item)
    yield Progress("audit", items[0] - items[1], items[0], items[1])


def _two(
    connection: sa.Connection, condition: sa.ColumnElement[bool], table: sa.Table
) -> tuple[int, int]:
    """Count the rows of a table, and those of a condition."""
    query = sa.select(
        sa.func.count(), sa.func.sum(sa.case((condition, 1), else_=0))
    ).select_from(table)
    total, some = connection.execute(query).one()
    return total, some or 0


def _held(connection: sa.Connection) -> dict[int, dict[str, int]]:
    """How many things each person holds now, by task."""
    query = (
        sa.select(lease.c.person_id, lease.c.task, sa.func.count())
        .where(lease.c.ended_at.is_(None), lease.c.until > Now())
        .group_by(lease.c.person_id, lease.c.task)
    )
    found: dict[int, dict[str, int]] = {}
    for person_id, task, number in connection.execute(query):
        found.setdefault(person_id, {})[task] = number
    return found
