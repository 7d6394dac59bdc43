"""Known pairs, as something that people are shown."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from icf.annotate.pairs.choices import read_choice
from icf.annotate.pairs.pictures import picture_of
from icf.annotate.people.people import Person
from icf.annotate.tasks.answers import insert_answer
from icf.annotate.tasks.base import Given, Lease, Pair, RefusedAnswer, Shown
from icf.catalogue.annotation.schema import (
    gold,
    gold_answer,
    label_audit_answer,
    label_audit_item,
    lease,
)
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, character, face, question
from icf.codes import GONE_FACES, Choice


@dataclass(frozen=True)
class GoldSource:
    """Pairs whose answer is known. Nobody gets one twice, or one he was asked before.

    Attributes:
        random: in which order they come; nobody must be able to predict it.
    """

    random: random.Random

    name: ClassVar[str] = "gold"

    def take(self, connection: sa.Connection, person: Person, count: int) -> list[int]:
        """Choose known pairs that a person never saw, in random order."""
        left = list(connection.execute(_unseen(person)).scalars())
        return self.random.sample(left, min(count, len(left)))

    def intruders(
        self, connection: sa.Connection, person: Person, pair: Pair, count: int
    ) -> list[int]:
        """Choose known pairs of a character and reference with another one's face."""
        query = _unseen(person).where(
            gold.c.truth == Choice.FALSE.value,
            gold.c.character_id == pair.character_id,
            gold.c.reference_face_id == pair.reference_face_id,
            gold.c.face_id != pair.reference_face_id,
        )
        left = list(connection.execute(query).scalars())
        return self.random.sample(left, min(count, len(left)))

    def pairs(self, connection: sa.Connection, ids: Sequence[int]) -> dict[int, Pair]:
        """Read what some of them are about."""
        rows = by_ids(connection, _pairs(), gold.c.id, ids)
        return {row.id: _pair(row) for row in rows}

    def store(self, connection: sa.Connection, given: Given) -> None:
        """Store an answer; the score follows from it.

        Raises:
            RefusedAnswer: it is none, or the pair was taken down.
        """
        choice = read_choice(given.value)
        query = sa.select(gold.c.id).where(gold.c.id == given.lease.subject_id)
        if connection.execute(query).first() is None:
            raise RefusedAnswer("this picture was taken down, so its question is gone")
        insert_answer(
            connection,
            gold_answer,
            gold_answer.c.gold_id,
            given,
            choice=choice.value,
        )

    def picture(self, connection: sa.Connection, lease: Lease, name: str) -> Shown:
        """Say which picture a name in the payload means."""
        query = _pairs().where(gold.c.id == lease.subject_id)
        found = connection.execute(query).first()
        if found is None:
            raise KeyError(name)
        return picture_of(connection, _pair(found), name)


def in_use() -> sa.Select[Any]:
    """Ids of known pairs that can be shown now.

    Not where another reference was chosen since, or a picture is gone: questions are
    asked against the reference of today, and a known pair must look like one.
    """
    reference = face.alias("reference")
    return (
        sa.select(gold.c.id)
        .join(character, character.c.id == gold.c.character_id)
        .join(face, face.c.id == gold.c.face_id)
        .join(reference, reference.c.id == gold.c.reference_face_id)
        .where(
            gold.c.retired_at.is_(None),
            character.c.merged_into.is_(None),
            character.c.reference_face_id == gold.c.reference_face_id,
            face.c.reason.not_in(GONE_FACES),
            reference.c.reason.not_in(GONE_FACES),
        )
    )


def _unseen(person: Person) -> sa.Select[Any]:
    answered = sa.select(gold_answer.c.gold_id).where(
        gold_answer.c.annotator == person.name
    )
    holds = sa.select(lease.c.subject_id).where(
        lease.c.person_id == person.id,
        lease.c.source == GoldSource.name,
        lease.c.ended_at.is_(None),
    )
    # Not by the index of people: it would read all of a person's answers for each pair.
    annotator = sa.func.coalesce(answer.c.annotator, "")
    asked = sa.exists().where(
        answer.c.question_id == question.c.id,
        annotator == person.name,
        question.c.face_id == gold.c.face_id,
        question.c.character_id == gold.c.character_id,
    )
    # Read once: items have no index by face.
    audited = (
        sa.select(label_audit_item.c.face_id, label_audit_item.c.character_id)
        .join(label_audit_answer, label_audit_answer.c.item_id == label_audit_item.c.id)
        .where(label_audit_answer.c.annotator == person.name)
    )
    return (
        in_use()
        .where(
            gold.c.id.not_in(answered),
            gold.c.id.not_in(holds),
            ~asked,
            sa.tuple_(gold.c.face_id, gold.c.character_id).not_in(audited),
        )
        .order_by(gold.c.id)
    )


def _pairs() -> sa.Select[Any]:
    return sa.select(
        gold.c.id, gold.c.face_id, gold.c.character_id, gold.c.reference_face_id
    )


def _pair(row: sa.Row[Any]) -> Pair:
    return Pair(row.face_id, row.character_id, row.reference_face_id)
