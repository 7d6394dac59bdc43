"""Merge characters that people found to be the same: one represents both.

``character.merged_into`` names it, never a character that is merged itself, so that one
look-up resolves any chain. Every merge can be undone: pictures stay filed under the
character they were found under, answers under the one they were about, and readers call
`survivor` for the character that they belong to now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue import ledger, references
from icf.catalogue.bulk_insert import among
from icf.catalogue.rows import lock
from icf.catalogue.schema import candidate, character, face, question, review
from icf.codes import Label, ReviewStatus, Suspicion
from icf.errors import WrongUse

#: The step's name in the ledger.
STEP = "merge"

_OF_FACES = (face.c.filed_under_id, face.c.character_id)


def survivor(of: sa.FromClause = character) -> sa.ColumnElement[Any]:
    """The character that represents one: itself, or the one it was merged into.

    Args:
        of: the table ``character``, or an alias of it.
    """
    return sa.func.coalesce(of.c.merged_into, of.c.id)


def survivor_of(connection: sa.Connection, character_id: int) -> int:
    """The character that represents ``character_id``.

    Raises:
        WrongUse: there is no such character.
    """
    query = sa.select(survivor()).where(character.c.id == character_id)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise WrongUse(f"the catalogue has no character {character_id}")
    return int(found)


def confirmed(connection: sa.Connection, character_id: int) -> int:
    """How many faces people confirmed for a character and those merged into it."""
    query = (
        sa.select(sa.func.count(sa.distinct(question.c.face_id)))
        .join(character, character.c.id == question.c.character_id)
        .where(question.c.label == Label.SAME.value, survivor() == character_id)
    )
    return int(connection.execute(query).scalar_one())


def merge(connection: sa.Connection, run_id: int, gone: int, stays: int) -> None:
    """Merge one character into another; its faces wait for identity again.

    Args:
        connection: a transaction that writes.
        run_id: the run to charge it to.
        gone: the character that is merged; not merged yet.
        stays: the one that represents both; not merged itself.
    """
    lock_faces(connection, [gone])
    connection.execute(
        sa.update(character)
        .where(sa.or_(character.c.id == gone, character.c.merged_into == gone))
        .values(merged_into=stays)
    )
    for column in _OF_FACES:
        connection.execute(
            sa.update(face).where(column == gone).values({column: stays})
        )
    why = f"character {gone} was merged into character {stays}"
    _note(connection, run_id, gone, why)
    _note(connection, run_id, stays, why)
    references.judge_again(connection, run_id, gone, why)


def lock_faces(connection: sa.Connection, characters: Sequence[int]) -> None:
    """Lock the faces of characters; of several merges, before the first.

    Args:
        connection: a transaction that writes.
        characters: their ids.
    """
    if connection.dialect.name == "sqlite":
        return
    theirs = sa.or_(*(among(connection, each, characters) for each in _OF_FACES))
    lock(connection, face, theirs)


def undo(connection: sa.Connection, run_id: int, character_id: int) -> int:
    """Undo a merge; return the character it was merged into.

    Characters that were merged into it before are not changed.

    Raises:
        WrongUse: it is not merged.
    """
    stays = survivor_of(connection, character_id)
    if stays == character_id:
        raise WrongUse(f"character {character_id} is not merged into another one")
    lock_faces(connection, [stays])
    connection.execute(
        sa.update(character)
        .where(character.c.id == character_id)
        .values(merged_into=None)
    )
    filed_here = sa.select(candidate.c.image_id).where(
        candidate.c.character_id == character_id
    )
    filed_there = sa.select(candidate.c.image_id).where(
        candidate.c.character_id == stays
    )
    for column in _OF_FACES:
        connection.execute(
            sa.update(face)
            .where(
                column == stays,
                face.c.image_id.in_(filed_here),
                face.c.image_id.not_in(filed_there),
            )
            .values({column: character_id})
        )
    why = f"character {character_id} is no longer merged into character {stays}"
    _note(connection, run_id, character_id, why, ReviewStatus.DIFFERENT)
    _note(connection, run_id, stays, why, ReviewStatus.DIFFERENT)
    references.judge_again(connection, run_id, character_id, why)
    return stays


def unfounded(connection: sa.Connection) -> list[int]:
    """Merged characters that no answers link with their survivor any more, ascending.

    Answers link two characters where a suspicion that they are one was confirmed.
    """
    merged = dict(
        connection.execute(
            sa.select(character.c.id, character.c.merged_into).where(
                character.c.merged_into.is_not(None)
            )
        ).all()
    )
    if not merged:
        return []
    pairs = connection.execute(
        sa.select(review.c.character_id, review.c.other_character_id).where(
            review.c.kind == Suspicion.MERGE.value,
            review.c.status == ReviewStatus.SAME.value,
        )
    )
    first = connected_components((row[0], row[1]) for row in pairs)
    return sorted(
        gone
        for gone, stays in merged.items()
        if first.get(gone, gone) != first.get(stays, stays)
    )


def connected_components(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """For each node of the edges ``pairs`` the smallest node of its component."""
    least: dict[int, int] = {}

    def root(each: int) -> int:
        while least.setdefault(each, each) != each:
            each = least[each]
        return each

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        least[high] = low
    return {each: root(each) for each in least}


def _note(
    connection: sa.Connection,
    run_id: int,
    character_id: int,
    message: str,
    status: ReviewStatus = ReviewStatus.SAME,
) -> None:
    made = ledger.Decision(
        "character", character_id, STEP, status.value, status.value, message=message
    )
    ledger.append(connection, run_id, [made])
