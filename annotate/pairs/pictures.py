"""The pictures of a pair, whatever source it is from."""

from __future__ import annotations

import sqlalchemy as sa

from icf.annotate.tasks.base import Pair, Shown
from icf.catalogue.schema import face, question
from icf.codes import Label

CANDIDATE, REFERENCE, CONTEXT = "candidate", "reference", "context"

#: Faces of the character that are shown beside its reference.
MOST_CONFIRMED = 4

#: Maximum sides in pixels: of faces, of the small ones, and of a whole picture.
FACE_SIDE, CONFIRMED_SIDE, CONTEXT_SIDE = 640, 320, 1600


def picture_of(connection: sa.Connection, pair: Pair, name: str) -> Shown:
    """Say which picture a name in a pair's payload means.

    Args:
        connection: to the catalogue.
        pair: what is asked.
        name: ``"candidate"``, ``"context"``, ``"reference"``, or ``"reference2"`` to
            ``"reference5"``.

    Raises:
        KeyError: there is no such picture.
    """
    if name == CANDIDATE:
        return Shown(face_id=pair.face_id, side=FACE_SIDE)
    if name == CONTEXT:
        return _context(connection, pair.face_id)
    if name == REFERENCE:
        return Shown(face_id=pair.reference_face_id, side=FACE_SIDE, again=True)
    names = {reference_name(each): each for each in range(1, 1 + MOST_CONFIRMED)}
    confirmed = confirmed_faces(connection, pair)
    place = names[name] - 1
    if place >= len(confirmed):
        raise KeyError(name)
    return Shown(face_id=confirmed[place], side=CONFIRMED_SIDE, again=True)


def reference_name(place: int) -> str:
    """The name of the reference picture at a place, counted from 0.

    >>> reference_name(0), reference_name(1)
    ('reference', 'reference2')
    """
    return REFERENCE if place == 0 else f"{REFERENCE}{place + 1}"


def confirmed_faces(connection: sa.Connection, pair: Pair) -> list[int]:
    """Other faces that people said to be the pair's character, at most four.

    A question about the reference itself is shown without them: it asks whether the
    reference is good by itself.
    """
    if pair.face_id == pair.reference_face_id:
        return []
    about = {
        "of_character": pair.character_id,
        "of_face": pair.face_id,
        "of_reference": pair.reference_face_id,
    }
    return list(connection.execute(_CONFIRMED, about).scalars())


# Made once: every pair that is shown asks it.
_CONFIRMED = (
    sa.select(question.c.face_id)
    .where(
        question.c.label == Label.SAME.value,
        question.c.character_id == sa.bindparam("of_character"),
        question.c.face_id != sa.bindparam("of_face"),
        question.c.face_id != sa.bindparam("of_reference"),
    )
    .order_by(question.c.id)
    .limit(MOST_CONFIRMED)
)


def _context(connection: sa.Connection, face_id: int) -> Shown:
    query = sa.select(face.c.image_id, face.c.x1, face.c.y1, face.c.x2, face.c.y2)
    row = connection.execute(query.where(face.c.id == face_id)).first()
    if row is None:
        raise KeyError(CONTEXT)
    return Shown(image_id=row[0], boxes=(tuple(row[1:]),), side=CONTEXT_SIDE)
