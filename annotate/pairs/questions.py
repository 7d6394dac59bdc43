"""The questions of the catalogue, as something that people are shown."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from icf.annotate.pairs.choices import read_choice
from icf.annotate.pairs.open_questions import IS_OPEN, OpenInOrder
from icf.annotate.pairs.pictures import picture_of
from icf.annotate.people.people import Person
from icf.annotate.tasks.answers import insert_answer, is_known
from icf.annotate.tasks.base import Given, Lease, Pair, RefusedAnswer, Shown
from icf.annotate.tasks.leases import Now
from icf.catalogue.annotation.schema import lease
from icf.catalogue.rows import by_given_ids, with_ids
from icf.catalogue.schema import answer, question
from icf.codes import Choice, Label

#: ``answer.file`` of what was answered on the page.
PAGE = "page"


@dataclass(frozen=True)
class QuestionSource:
    """Open questions, the most useful first: in the order in which they were asked.

    Attributes:
        overlap: people who may have the same question before them at one time.
    """

    overlap: int = 1

    name: ClassVar[str] = "question"

    def take(self, connection: sa.Connection, person: Person, count: int) -> list[int]:
        """Choose what a person is asked next."""
        query = askable(person, self.overlap).order_by(question.c.id).limit(count)
        return [row.id for row in connection.execute(query)]

    def pairs(self, connection: sa.Connection, ids: Sequence[int]) -> dict[int, Pair]:
        """Read what some of them are about; those withdrawn are left out."""
        rows = by_given_ids(connection, _NOT_WITHDRAWN, ids)
        return {row.id: _pair(row) for row in rows}

    def store(self, connection: sa.Connection, given: Given) -> None:
        """Store an answer, which waits until the label follows."""
        store_answer(connection, given, read_choice(given.value))

    def picture(self, connection: sa.Connection, lease: Lease, name: str) -> Shown:
        """Say which picture a name in the payload means."""
        found = connection.execute(_PAIR, {"of_id": lease.subject_id}).first()
        if found is None:
            raise KeyError(name)
        return picture_of(connection, _pair(found), name)


def store_answer(
    connection: sa.Connection, given: Given, choice: Choice, *, decides: bool = False
) -> None:
    """Store an answer to a question, which waits until the label follows.

    Args:
        connection: a write transaction.
        given: the answer.
        choice: what it says.
        decides: an expert says so, and it settles the question.

    Raises:
        RefusedAnswer: the question was taken down or withdrawn.
    """
    label = connection.execute(_LABEL, {"of_id": given.lease.subject_id}).scalar()
    if label is None:
        raise RefusedAnswer("this picture was taken down, so its question is gone")
    is_gone = label == Label.WITHDRAWN.value
    if is_gone and not is_known(connection, answer.c.question_id, given):
        raise RefusedAnswer(
            "this question was withdrawn: its reference turned out to be wrong, or its "
            "picture to show no face"
        )
    insert_answer(
        connection,
        answer,
        answer.c.question_id,
        given,
        choice=choice.value,
        imported_at=time.time(),
        file=PAGE,
        file_sha256="",
        line=0,
        decides=decides or None,
        waits=True,
    )


def askable(person: Person, overlap: int, *, in_order: bool = True) -> sa.Select[Any]:
    """Open questions that a person can be asked now: id, face, character.

    Not those that the person answered or has on another page, nor those that as many
    others as may have them hold, nor those with an answer that waits: within a second
    it may settle them.

    Args:
        person: who is asked.
        overlap: people who may have the same question at one time.
        in_order: they are read in the order of their ids; else some other condition
            leaves few of them.
    """
    is_open = OpenInOrder() if in_order else IS_OPEN
    said = answer.alias("said")
    counts = sa.select(said.c.id).where(
        said.c.question_id == question.c.id,
        sa.or_(
            sa.and_(said.c.annotator == person.name, said.c.replaced_at.is_(None)),
            said.c.waits.is_(sa.true()),
        ),
    )
    # With an OFFSET, PostgreSQL asks it of each question; else it reads all answers.
    answered = counts.limit(1).offset(0).exists()
    holds = lease.alias("holds")
    of_this = sa.and_(
        holds.c.source == QuestionSource.name,
        holds.c.subject_id == question.c.id,
        holds.c.ended_at.is_(None),
        holds.c.until > Now(),
    )
    own = sa.exists().where(of_this, holds.c.person_id == person.id)
    free = ~sa.exists().where(of_this)
    if overlap > 1:
        holders = (
            sa.select(sa.func.count(sa.distinct(holds.c.person_id)))
            .where(of_this)
            .scalar_subquery()
        )
        free = sa.and_(~own, holders < overlap)
    return sa.select(question.c.id, question.c.face_id, question.c.character_id).where(
        is_open, ~answered, free
    )


# Made once: every picture and every answer asks them.
_PAIRS: sa.Select[Any] = sa.select(
    question.c.id,
    question.c.face_id,
    question.c.character_id,
    question.c.reference_face_id,
)
_PAIR = _PAIRS.where(question.c.id == sa.bindparam("of_id"))
_NOT_WITHDRAWN = with_ids(
    _PAIRS.where(question.c.label != Label.WITHDRAWN.value), question.c.id
)
_LABEL = sa.select(question.c.label).where(question.c.id == sa.bindparam("of_id"))


def _pair(row: sa.Row[Any]) -> Pair:
    return Pair(row.face_id, row.character_id, row.reference_face_id)
