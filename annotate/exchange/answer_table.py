"""The answers of a workspace as a table for others: who said what, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.annotation.pauses import counts
from icf.catalogue.schema import album, answer, character, question

#: Rows that are read together.
_PAGE = 5000


@dataclass(frozen=True)
class GivenAnswer:
    """An answer that counts; its fields are the columns of a file.

    Attributes:
        question: the question's id.
        batch_id: its batch.
        album, character: who the face may be.
        face, reference: ids of the two faces; the same: is it a good picture?
        answer: `icf.codes.Choice`.
        annotator: who gave it.
        answered_at: UTC epoch seconds, if known.
        seconds: that it took, if known.
        expert: whether it settles what others contradict each other about.
        label: of the question, which follows from all of its answers.
    """

    question: int
    batch_id: str
    album: str
    character: str
    face: int
    reference: int
    answer: str
    annotator: str
    answered_at: float | None
    seconds: float | None
    expert: bool
    label: str


def read_answers_given(
    connection: sa.Connection, name: Callable[[str], str]
) -> Iterator[GivenAnswer]:
    """Yield every answer that counts, in the order in which they came.

    Args:
        connection: to the catalogue.
        name: from a person's name to what to call the person.
    """
    query = (
        sa.select(
            answer.c.id,
            answer.c.question_id,
            question.c.batch_id,
            album.c.name.label("album"),
            character.c.name.label("character"),
            question.c.face_id,
            question.c.reference_face_id,
            answer.c.choice,
            answer.c.annotator,
            answer.c.answered_at,
            answer.c.seconds,
            answer.c.decides,
            question.c.label,
        )
        .select_from(answer)
        .join(question, question.c.id == answer.c.question_id)
        .join(character, character.c.id == question.c.character_id)
        .join(album, album.c.id == character.c.album_id)
        .where(counts())
        .order_by(answer.c.id)
        .limit(_PAGE)
    )
    last = 0
    while rows := connection.execute(query.where(answer.c.id > last)).all():
        for row in rows:
            yield GivenAnswer(
                question=row.question_id,
                batch_id=row.batch_id,
                album=row.album,
                character=row.character,
                face=row.face_id,
                reference=row.reference_face_id,
                answer=row.choice,
                annotator=name(row.annotator),
                answered_at=row.answered_at,
                seconds=row.seconds,
                expert=bool(row.decides),
                label=row.label,
            )
        last = rows[-1].id
