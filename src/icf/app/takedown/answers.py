"""Remove what people were asked and said about withdrawn faces, pictures, characters.

Samples of audits stay as they were drawn, or their bounds would mean nothing: they name
faces by number, and what nobody had looked at counts as wrong
(`icf.annotate.audit`). Everything else goes with its answers and leases. The caller's
transaction is used throughout.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import sqlalchemy as sa

from icf.catalogue.annotation.schema import (
    attribute_answer,
    box_answer,
    box_task,
    gold,
    gold_answer,
    lease,
    verified_box,
)
from icf.catalogue.rows import CHUNK, locked
from icf.catalogue.schema import answer, face, question

#: `lease.source` of everything that is about a row of each table.
_ABOUT_QUESTIONS = ("question", "conflict")
_ABOUT_GOLD = ("gold",)
_ABOUT_IMAGES = ("boxes", "box-review")
_ABOUT_FACES = ("attributes",)


def remove_questions(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Delete questions with their answers."""
    for part in parts(ids):
        # Or an answer that is stored meanwhile would refer to one.
        gone = sa.select(question.c.id).where(question.c.id.in_(part))
        connection.execute(gone.order_by(question.c.id).with_for_update())
        _delete(connection, answer, answer.c.question_id.in_(part))
        _delete_leases(connection, _ABOUT_QUESTIONS, part)
        _delete(connection, question, question.c.id.in_(part))


def remove_about_faces(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Delete what is known of faces; the boxes of their pictures go with them.

    A picture that stays without one of its faces is no truth of all its faces.
    """
    for part in parts(ids):
        about = sa.or_(gold.c.face_id.in_(part), gold.c.reference_face_id.in_(part))
        _remove_gold(connection, about)
        _delete(connection, attribute_answer, attribute_answer.c.face_id.in_(part))
        _delete_leases(connection, _ABOUT_FACES, part)
        shown_on = sa.select(face.c.image_id).where(face.c.id.in_(part)).distinct()
        remove_about_images(connection, list(connection.execute(shown_on).scalars()))


def remove_about_images(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Delete the boxes that people drew in pictures."""
    for part in parts(sorted(ids)):
        # As whoever stores boxes does it.
        boxed = sa.select(box_task.c.image_id).where(box_task.c.image_id.in_(part))
        connection.execute(boxed.order_by(box_task.c.image_id).with_for_update())
        for table in (box_answer, verified_box, box_task):
            _delete(connection, table, table.c.image_id.in_(part))
        _delete_leases(connection, _ABOUT_IMAGES, part)


def remove_about_character(connection: sa.Connection, key: int) -> None:
    """Delete known questions about a character."""
    _remove_gold(connection, gold.c.character_id == key)


def parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield ids in parts of which two fit into the conditions of a statement."""
    size = CHUNK // 2
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _remove_gold(connection: sa.Connection, where: sa.ColumnElement[bool]) -> None:
    found = list(connection.execute(sa.select(gold.c.id).where(where)).scalars())
    for part in parts(found):
        _delete(connection, gold_answer, gold_answer.c.gold_id.in_(part))
        _delete_leases(connection, _ABOUT_GOLD, part)
        _delete(connection, gold, gold.c.id.in_(part))


def _delete_leases(
    connection: sa.Connection, sources: Collection[str], ids: Sequence[int]
) -> None:
    # A number may be given again, and a late answer must not be about another thing.
    about = sa.and_(lease.c.source.in_(sources), lease.c.subject_id.in_(ids))
    _delete(connection, lease, about)


def _delete(
    connection: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool]
) -> None:
    if "id" in table.c:
        where = locked(connection, table, where)
    connection.execute(sa.delete(table).where(where))
