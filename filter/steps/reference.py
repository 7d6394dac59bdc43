"""Choose the face that questions about a character show as its reference.

It is the largest face on the picture that the character's own page leads with; if
there is none, the medoid: the face most similar to all others on pictures of the
character alone. A face that is on neither, as those of comics and videos, is no
evidence of whom it shows: a character that has only such faces gets no reference, and
waits for a person's choice. That is never changed here, also the choice of none.

A face that people refused is never chosen. Those that are probably the same as it come
last: a folder with many pictures of another character would offer one after the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import sqlalchemy as sa

from icf.catalogue import calibrations
from icf.catalogue.confirmations import refusals
from icf.catalogue.face_character import current_character
from icf.catalogue.filing import named_alone
from icf.catalogue.references import CONFIDENT, HAND
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face
from icf.codes import FaceReason, Verdict
from icf.engine.step import Item, Outcome, Step, Subject, by_group
from icf.filter import resources
from icf.filter.step_names import REFERENCE


@dataclass(frozen=True)
class PossibleReference(Item):
    """A face, and what ranks it as reference of its character."""

    area: float
    score: float
    embedder: str | None
    leads: bool
    has_reference: bool
    #: Whether it is on a picture of this character alone.
    named: bool = True
    #: Whether people said that it is no good picture of the character.
    refused: bool = False
    #: The cosine of even odds by its embedder; None where that has no curve.
    even: float | None = None


@dataclass(frozen=True)
class Reference(Step[PossibleReference]):
    """Gives each character a reference, if it has none; every face passes.

    Args:
        vectors: the folder of the vector store.
    """

    name: ClassVar[str] = REFERENCE
    subject: ClassVar[Subject] = "face"
    grouped: ClassVar[bool] = True
    #: The vectors are stored.
    stored: ClassVar[bool] = True

    vectors: Path

    def select(
        self, connection: sa.Connection, ids: Sequence[int]
    ) -> list[PossibleReference]:
        """Read sizes, lead pictures and the references there are."""
        return self._read(connection, ids, current_character())

    def select_as(
        self, connection: sa.Connection, ids: Sequence[int], character_id: int
    ) -> list[PossibleReference]:
        """Read faces as those of one character, whatever they are filed under now.

        Where the reference is one of them and a later step failed, as on lost bytes,
        the character has one nevertheless.
        """
        return self._read(connection, ids, sa.literal(character_id), frozenset(ids))

    def _read(
        self,
        connection: sa.Connection,
        ids: Sequence[int],
        character_id: sa.ColumnElement[int],
        reached: Collection[int] = (),
    ) -> list[PossibleReference]:
        refused = refusals(connection, ids)
        earlier = face.alias("earlier")
        query = (
            sa.select(
                face.c.id,
                character_id.label("character_id"),
                face.c.awaits,
                ((face.c.x2 - face.c.x1) * (face.c.y2 - face.c.y1)).label("area"),
                face.c.score,
                face.c.embedder,
                character.c.reference_by,
                earlier.c.id.label("reference_id"),
                earlier.c.verdict.label("reference_verdict"),
                earlier.c.reason.label("reference_reason"),
            )
            .select_from(face)
            .join(character, character.c.id == character_id)
            .outerjoin(earlier, earlier.c.id == character.c.reference_face_id)
        )
        pictures = _pictures(connection, ids)
        images = sorted({each for some in pictures.values() for each in some})
        leads = named_alone(connection, images, leads=True)
        named = named_alone(connection, images)
        rows = list(by_ids(connection, query, face.c.id, ids))
        curves = calibrations.curves(
            connection, {row.embedder for row in rows if row.embedder}
        )
        even = {model: curve.even for model, curve in curves.items()}
        return [
            PossibleReference(
                row.id,
                row.area,
                row.score,
                row.embedder,
                leads=_any_of(leads, pictures[row.id], row.character_id),
                has_reference=_is_reference(row, reached),
                named=_any_of(named, pictures[row.id], row.character_id),
                refused=(row.id, row.character_id) in refused,
                even=even.get(row.embedder),
                group=row.character_id,
                fresh=row.awaits == self.name,
            )
            for row in rows
        ]

    def judge(self, batch: Sequence[PossibleReference]) -> list[Outcome]:
        """Choose for each character that has none."""
        return [o for group in by_group(batch) for o in self._judge_group(group)]

    def _judge_group(self, group: Sequence[PossibleReference]) -> list[Outcome]:
        fresh = sorted((item for item in group if item.fresh), key=lambda i: i.id)
        chosen: PossibleReference | None = None
        by = None
        if fresh and not group[0].has_reference:
            refused = [item for item in group if item.refused]
            good = [item for item in fresh if not item.refused]
            leads = [i for i in good if i.leads and i.score >= CONFIDENT]
            chosen = max(leads, key=lambda i: i.area, default=None)
            by = "lead"
            named = [item for item in good if item.named]
            if chosen is None and named:
                chosen, by = self._medoid(self._unlike(named, refused)), "medoid"
        return [
            Outcome(item.id, True, reference_of=item.group, reference_by=by)
            if item is chosen
            else Outcome(item.id, True)
            for item in fresh
        ]

    def _unlike(
        self,
        items: Sequence[PossibleReference],
        refused: Sequence[PossibleReference],
    ) -> Sequence[PossibleReference]:
        """Those that are probably not the same as a refused face, if there are any."""
        model = items[0].embedder
        wrong = [item.id for item in refused if item.embedder == model]
        if model is None or not wrong:
            return items
        store = resources.vectors(self.vectors)
        embedded = [item for item in items if item.embedder == model]
        faces = store.get(model, np.array([item.id for item in embedded]))
        closest = (faces @ store.get(model, np.array(wrong)).T).max(axis=1)
        even = items[0].even or resources.embedder().curve.even
        others = [i for i, one in zip(embedded, closest, strict=True) if one < even]
        return others or items

    def _medoid(self, items: Sequence[PossibleReference]) -> PossibleReference:
        """The face with the highest mean cosine to the others."""
        model = items[0].embedder
        comparable = [item for item in items if item.embedder == model]
        if model is None or len(comparable) < 3:
            # Of two faces neither is more typical: the larger shows more.
            return max(items, key=lambda i: i.area)
        store = resources.vectors(self.vectors)
        matrix = store.get(model, np.array([item.id for item in comparable]))
        return comparable[int(np.argmax(matrix @ matrix.sum(axis=0)))]


def _is_reference(row: sa.Row[Any], reached: Collection[int]) -> bool:
    """Whether a character's reference still is one; a choice by hand always is.

    Args:
        row: with the reference of a face's character.
        reached: the faces that reach the step again; a failure later on does not count.
    """
    if row.reference_by == HAND:
        return True
    if row.reference_id is None:
        return False
    failed = row.reference_reason == FaceReason.STEP_FAILED.value
    return row.reference_verdict != Verdict.DROPPED.value or (
        failed and row.reference_id in reached
    )


def _pictures(
    connection: sa.Connection, ids: Sequence[int]
) -> defaultdict[int, set[int]]:
    """The pictures that each face is on, itself or as the better copy of another."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for column in (face.c.id, face.c.keeper_id):
        query = sa.select(column.label("face_id"), face.c.image_id)
        for row in by_ids(connection, query, column, ids):
            found[row.face_id].add(row.image_id)
    return found


def _any_of(
    character_of: Mapping[int, int], images: Iterable[int], character_id: int
) -> bool:
    return any(character_of.get(each) == character_id for each in images)
