"""Which face an audit's label is compared with, where its own was withdrawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face, question
from icf.codes import FaceReason, Label


def references(connection: sa.Connection, items: Sequence[sa.Row[Any]]) -> list[int]:
    """Say which face each label of a sample is compared with.

    In place of one that was withdrawn it is another face of the character, or else its
    reference of now, or the face itself, as where an audit is planned.

    Args:
        connection: to the catalogue.
        items: with ``face_id``, ``character_id`` and ``reference_face_id``.
    """
    others = in_place_of(connection, items)
    return [
        next((key for key in some if key != row.face_id), row.face_id)
        if some is not None
        else row.reference_face_id
        for row, some in zip(items, others, strict=True)
    ]


def in_place_of(
    connection: sa.Connection, items: Sequence[sa.Row[Any]]
) -> list[list[int] | None]:
    """The faces that may be shown in place of each reference that was withdrawn.

    Returns:
        For each item the faces, the best first; None where its reference is there.
    """
    planned = {row.reference_face_id for row in items}
    gone = tombstones.withdrawn_faces(connection, planned)
    owners = {row.character_id for row in items if row.reference_face_id in gone}
    found = _faces_of(connection, sorted(owners))
    return [
        found.get(row.character_id, []) if row.reference_face_id in gone else None
        for row in items
    ]


def _faces_of(
    connection: sa.Connection, characters: Sequence[int]
) -> dict[int, list[int]]:
    """The labelled faces of characters that are there, and their references."""
    is_there = face.c.reason != FaceReason.TAKEN_DOWN.value
    same = (
        sa.select(question.c.character_id, question.c.face_id)
        .join(face, face.c.id == question.c.face_id)
        .where(is_there, question.c.label == Label.SAME.value)
    )
    chosen = (
        sa.select(character.c.id, character.c.reference_face_id)
        .join(face, face.c.id == character.c.reference_face_id)
        .where(is_there)
    )
    found: dict[int, list[int]] = defaultdict(list)
    for row in by_ids(connection, same, question.c.character_id, characters):
        found[row.character_id].append(row.face_id)
    for some in found.values():
        some.sort()
    for row in by_ids(connection, chosen, character.c.id, characters):
        found[row.id].append(row.reference_face_id)
    return found
