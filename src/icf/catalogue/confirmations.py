"""What people said of references: whether a face is a good picture of a character.

A reference is asked about by a question that shows it alone: its face is its own
reference. It is confirmed if people say so, or chose it by hand. It is refused if they
say that it is another character, no face, or a wrong reference for other faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, question
from icf.codes import Label

#: ``character.reference_by`` of a person's choice.
HAND = "hand"

_said = question.alias("said")
_said_about = character.alias("said_about")
_chosen = character.alias("chosen_by_hand")


def is_confirmed(
    face_id: sa.ColumnElement[Any], character_id: sa.ColumnElement[Any]
) -> sa.ColumnElement[bool]:
    """Whether people confirmed that a face is a good picture of a character.

    Args:
        face_id: the face.
        character_id: a character, merged or not.
    """
    by_hand = sa.exists().where(
        _chosen.c.id == character_id,
        _chosen.c.reference_face_id == face_id,
        _chosen.c.reference_by == HAND,
    )
    said = _about(character_id).where(
        _said.c.face_id == face_id,
        _said.c.reference_face_id == face_id,
        _said.c.label == Label.SAME.value,
    )
    return sa.or_(by_hand, said.exists())


def is_refused(
    face_id: sa.ColumnElement[Any], character_id: sa.ColumnElement[Any]
) -> sa.ColumnElement[bool]:
    """Whether people said that a face is no good picture of a character.

    Args:
        face_id: the face.
        character_id: a character, merged or not.
    """
    # Two searches by an index each, instead of one by "or".
    refusals = [_about(character_id).where(each) for each in refusing(face_id, _said)]
    return sa.or_(is_no_face(face_id), *(each.exists() for each in refusals))


def is_no_face(face_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether people said that it shows no face."""
    no_face = _said.c.label == Label.NOT_A_FACE.value
    return sa.exists().where(_said.c.face_id == face_id, no_face)


def refusals(
    connection: sa.Connection, face_ids: Sequence[int]
) -> set[tuple[int, int]]:
    """Which of some faces people refused, and as reference of which characters.

    Merged characters count as the one that they were merged into.
    """
    survivor = sa.func.coalesce(character.c.merged_into, character.c.id)
    found: set[tuple[int, int]] = set()
    for column, labels in (
        (question.c.face_id, (Label.DIFFERENT, Label.NOT_A_FACE)),
        (question.c.reference_face_id, (Label.WRONG_REFERENCE,)),
    ):
        query = (
            sa.select(column, survivor, question.c.label)
            .select_from(question)
            .join(character, character.c.id == question.c.character_id)
        )
        rows = by_ids(connection, query, column, face_ids)
        # With a condition on labels, SQLite would look for the faces among all of them.
        found.update(_pair(row) for row in rows if row.label in labels)
    return found


def _pair(row: Any) -> tuple[int, int]:
    return row[0], row[1]


def refusing(
    face_id: sa.ColumnElement[Any] | int, of: sa.FromClause = question
) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Two ways in which a question about a character says that a face is another one.

    Args:
        face_id: the face.
        of: the table ``question``, or an alias of it.
    """
    return (
        sa.and_(of.c.face_id == face_id, of.c.label == Label.DIFFERENT.value),
        sa.and_(
            of.c.reference_face_id == face_id,
            of.c.label == Label.WRONG_REFERENCE.value,
        ),
    )


def _about(character_id: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Questions about a character, or about one that was merged into it."""
    return (
        sa.select(_said.c.id)
        .join(_said_about, _said_about.c.id == _said.c.character_id)
        .where(
            sa.or_(
                _said_about.c.id == character_id,
                _said_about.c.merged_into == character_id,
            )
        )
    )
