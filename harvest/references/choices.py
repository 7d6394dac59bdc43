"""The choices for a character's reference: faces, else whole pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue.entry_steps import Entry, step_at
from icf.catalogue.face_character import current_character
from icf.catalogue.references import CONFIDENT
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import (
    candidate,
    character,
    face,
    image,
)
from icf.codes import FaceReason

#: Copies of better faces, and faces that must not be chosen.
_NOT_SHOWN = (
    FaceReason.EXACT_DUPLICATE.value,
    FaceReason.NEAR_DUPLICATE.value,
    FaceReason.HUMAN.value,
    FaceReason.TAKEN_DOWN.value,
    FaceReason.NOT_A_FACE.value,
    FaceReason.MISSING_BLOB.value,
    FaceReason.STEP_FAILED.value,
)


@dataclass(frozen=True)
class Choice:
    """A face, or a picture whose faces are not known yet.

    Attributes:
        value: its name in `references.csv`.
        sha256: of the picture.
        box: of the face, in pixels of the upright picture; None for a whole picture.
        current: whether it is the reference, or the reference will be taken from it.
        is_lead: whether it is on the lead picture of the character's page.
        score: of the detector, for a face.
        sharpness: of a face.
    """

    value: str
    sha256: str
    box: tuple[float, float, float, float] | None
    current: bool
    is_lead: bool
    score: float | None = None
    sharpness: float | None = None


def read_choices(
    connection: sa.Connection, character_ids: Sequence[int], limit: int
) -> dict[int, list[Choice]]:
    """Return the best choices of each character, best first.

    The current reference is first, then the page's lead picture; faces are before
    pictures that the filter has not processed.
    """
    first = step_at(connection, Entry.NEW_IMAGE)
    found: dict[int, list[Choice]] = {each: [] for each in character_ids}
    for query, make in ((_faces(), _face), (_pictures(first), _picture)):
        ranked = query.subquery()
        chosen = sa.select(ranked).where(ranked.c.place <= limit)
        rows: Iterable[sa.Row[Any]] = by_ids(
            connection, chosen, ranked.c.character_id, character_ids
        )
        for row in sorted(rows, key=lambda row: (row.character_id, row.place)):
            found[row.character_id].append(make(row))
    return {
        who: sorted(all_of, key=lambda one: (not one.current, not one.is_lead))[:limit]
        for who, all_of in found.items()
    }


def _faces() -> sa.Select[Any]:
    current = sa.case((face.c.id == character.c.reference_face_id, 1), else_=0)
    area = (face.c.x2 - face.c.x1) * (face.c.y2 - face.c.y1)
    order = (
        current.desc(),
        candidate.c.is_lead.desc(),
        sa.case((face.c.reason == FaceReason.OK.value, 0), else_=1),
        sa.case((current_character() == candidate.c.character_id, 0), else_=1),
        sa.case((face.c.score >= CONFIDENT, 0), else_=1),
        area.desc(),
        face.c.id,
    )
    return (
        sa.select(
            candidate.c.character_id,
            candidate.c.is_lead,
            current.label("current"),
            _place(order),
            image.c.sha256,
            face.c.id,
            face.c.x1,
            face.c.y1,
            face.c.x2,
            face.c.y2,
            face.c.score,
            face.c.sharpness,
        )
        .join(character, character.c.id == candidate.c.character_id)
        .join(image, image.c.id == candidate.c.image_id)
        .join(face, face.c.image_id == candidate.c.image_id)
        .where(sa.or_(face.c.reason.not_in(_NOT_SHOWN), current == 1))
    )


def _pictures(first: str) -> sa.Select[Any]:
    current = sa.case((image.c.id == character.c.reference_image_id, 1), else_=0)
    order = (current.desc(), candidate.c.is_lead.desc(), image.c.id)
    return (
        sa.select(
            candidate.c.character_id,
            candidate.c.is_lead,
            current.label("current"),
            _place(order),
            image.c.sha256,
        )
        .join(character, character.c.id == candidate.c.character_id)
        .join(image, image.c.id == candidate.c.image_id)
        .where(image.c.awaits == first)
    )


def _place(order: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[int]:
    """The rank of a row among those of its character, from 1."""
    window = sa.func.row_number().over(
        partition_by=candidate.c.character_id, order_by=order
    )
    return window.label("place")


def _face(row: sa.Row[Any]) -> Choice:
    return Choice(
        f"face:{row.id}",
        row.sha256,
        (row.x1, row.y1, row.x2, row.y2),
        bool(row.current),
        bool(row.is_lead),
        row.score,
        row.sharpness,
    )


def _picture(row: sa.Row[Any]) -> Choice:
    value = f"image:{row.sha256}"
    return Choice(value, row.sha256, None, bool(row.current), bool(row.is_lead))
