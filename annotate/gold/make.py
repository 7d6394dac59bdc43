"""Make known pairs: of labels that are certain, planted, or by hand.

Half of what is made of labels is the character, half another one:

- *confirmed*: a label that an expert gave, or two people or more with nobody against
  them, and that a calibrated model does not find doubtful;
- *planted*: a confirmed face of another character, against the reference of this one.
  Faces that look like it are planted first, of the same album where it has any; never
  one of two characters that may be one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import sqlalchemy as sa

from icf.annotate.gold.certain import Certain, certain_labels
from icf.annotate.gold.lookalikes import plantable
from icf.catalogue.annotation.schema import gold
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import by_ids, lock_table
from icf.catalogue.schema import question
from icf.codes import Choice, Label
from icf.stores.vectors import VectorStore

#: ``gold.made_by``.
CONFIRMED, PLANTED, HAND = "confirmed", "planted", "hand"


@dataclass(frozen=True)
class Known:
    """A pair whose answer is known.

    Attributes:
        face_id, character_id, reference_face_id: what is shown.
        same: whether the face is the character.
        made_by: how it is known.
    """

    face_id: int
    character_id: int
    reference_face_id: int
    same: bool
    made_by: str

    @property
    def key(self) -> tuple[int, int, int]:
        """What is shown."""
        return self.face_id, self.character_id, self.reference_face_id


def of_labels(
    connection: sa.Connection, vectors: VectorStore, number: int
) -> list[Known]:
    """Choose new known pairs of what people agree on, spread over the characters.

    Args:
        connection: to the catalogue.
        vectors: those of the faces, to find look-alikes.
        number: how many are wanted; there may be fewer.
    """
    labels = certain_labels(connection)
    known = _existing(connection)
    same = [each for each in labels if each.same]
    confirmed = _new(
        (
            Known(one.face_id, one.character_id, one.reference_face_id, True, CONFIRMED)
            for one in same
        ),
        known,
    )
    different = _new(
        (
            Known(
                one.face_id, one.character_id, one.reference_face_id, False, CONFIRMED
            )
            for one in labels
            if not one.same
        ),
        known,
    )
    half = number - number // 2
    negative = _spread(different, (number // 2) // 2)
    wanted = number // 2 - len(negative)
    # All characters have their turn, so more of them are not looked at.
    planted = islice(_planted(connection, vectors, same, known), wanted)
    negative += _spread(list(chain.from_iterable(planted)), wanted)
    return _spread(confirmed, half) + negative


def _planted(
    connection: sa.Connection,
    vectors: VectorStore,
    same: Sequence[Certain],
    existing: set[tuple[int, int, int]],
) -> Iterator[list[Known]]:
    """Of each character that has any, new pairs with another one's face."""
    for one, faces in plantable(connection, vectors, same):
        shown = one.character_id, one.reference_face_id
        found = _new((Known(each, *shown, False, PLANTED) for each in faces), existing)
        if found:
            yield found


def add(connection: sa.Connection, known: Sequence[Known]) -> int:
    """Add known pairs that the catalogue does not have; return how many are new.

    One that was retired stays retired.
    """
    lock_table(connection, gold)
    existing = _existing(connection)
    new = {each.key: each for each in known}.values()
    rows = [
        {
            "face_id": each.face_id,
            "character_id": each.character_id,
            "reference_face_id": each.reference_face_id,
            "truth": (Choice.TRUE if each.same else Choice.FALSE).value,
            "made_by": each.made_by,
            "made_at": time.time(),
        }
        for each in new
        if each.key not in existing
    ]
    if rows:
        connection.execute(sa.insert(gold), rows)
    return len(rows)


def retire(connection: sa.Connection, ids: Sequence[int]) -> int:
    """Let known pairs be asked, and count, no more; return how many there were."""
    query = sa.select(gold.c.id).where(gold.c.retired_at.is_(None))
    found = [row.id for row in by_ids(connection, query, gold.c.id, ids)]
    for key in found:
        update = sa.update(gold).where(gold.c.id == key)
        connection.execute(update.values(retired_at=time.time()))
    return len(found)


def retire_unfounded(catalogue: Catalogue) -> int:
    """Retire known pairs that people say otherwise of now; return how many there were.

    One that a label was the ground of goes with the label, and a planted face with the
    label that says who it is.
    """
    with catalogue.read() as connection:
        ids = list(connection.execute(_unfounded()).scalars())
    if not ids:
        return 0
    with catalogue.write() as connection:
        return retire(connection, ids)


def _unfounded() -> sa.Select[Any]:
    same = question.c.label == Label.SAME.value
    different = question.c.label == Label.DIFFERENT.value
    is_yes = gold.c.truth == Choice.TRUE.value
    ground = sa.exists().where(
        question.c.face_id == gold.c.face_id,
        question.c.character_id == gold.c.character_id,
        sa.or_(sa.and_(is_yes, same), sa.and_(sa.not_(is_yes), different)),
    )
    own = sa.exists().where(
        question.c.face_id == gold.c.face_id,
        question.c.character_id != gold.c.character_id,
        same,
    )
    return sa.select(gold.c.id).where(
        gold.c.retired_at.is_(None),
        sa.or_(
            sa.and_(gold.c.made_by == CONFIRMED, ~ground),
            sa.and_(gold.c.made_by == PLANTED, ~own),
        ),
    )


def read_truths(connection: sa.Connection) -> dict[tuple[int, int, int], bool]:
    """Read what is known of each pair that is in use: whether it is the character."""
    shown = gold.c.face_id, gold.c.character_id, gold.c.reference_face_id
    query = sa.select(*shown, gold.c.truth).where(gold.c.retired_at.is_(None))
    return {
        _key(row): row.truth == Choice.TRUE.value for row in connection.execute(query)
    }


def _existing(connection: sa.Connection) -> set[tuple[int, int, int]]:
    query = sa.select(gold.c.face_id, gold.c.character_id, gold.c.reference_face_id)
    return {_key(row) for row in connection.execute(query)}


def _key(row: Any) -> tuple[int, int, int]:
    return row[0], row[1], row[2]


def _new(known: Iterable[Known], existing: set[tuple[int, int, int]]) -> list[Known]:
    return [each for each in known if each.key not in existing]


def _spread(known: Sequence[Known], number: int) -> list[Known]:
    """The first of each character, then the second of each, and so on."""
    rank: dict[int, int] = {}
    ranked = []
    for place, each in enumerate(known):
        rank[each.character_id] = rank.get(each.character_id, -1) + 1
        ranked.append((rank[each.character_id], place, each))
    ranked.sort(key=lambda one: one[:2])
    return [each for _, _, each in ranked[:number]]
