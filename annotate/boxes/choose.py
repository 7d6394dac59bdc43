"""Which pictures people are asked to box, a page of them at a time.

Pictures with a confirmed face come first: a detection set is made of them. A part of
each page is drawn at random from all drawn pictures, those in which the detector found
nothing among them, because no other tells which faces it misses.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.catalogue import ledger
from icf.catalogue.annotation.schema import box_task
from icf.catalogue.labels.confirmed import is_there
from icf.catalogue.rows import by_ids, count_rows, has_rows, lock_table
from icf.catalogue.schema import face, image, question
from icf.codes import BoxStatus, FaceReason, ImageReason, Label

#: The step's name in the ledger.
STEP = "boxes"

#: Pictures of a page, and how many of them are drawn at random.
PAGE = 200
AT_RANDOM = 50

#: Decoded and drawn, with or without a face that was found.
_DRAWN = (ImageReason.OK.value, ImageReason.NO_FACE.value)
#: Draws of random ids before all pictures are read instead.
_DRAWS = 8


@dataclass(frozen=True)
class Asking:
    """How pictures are asked about.

    Attributes:
        hidden: share of those whose proposals are not shown, the setting
            ``annotate.box_hidden``.
        page: pictures to add at a time.
        at_random: how many of them are drawn at random.
        seed: of what is random.
    """

    hidden: float
    page: int = PAGE
    at_random: int = AT_RANDOM
    seed: int = 0

    def hides(self, sha256: str) -> bool:
        """Whether the proposals of a picture are hidden: a coin that it always has.

        >>> Asking(hidden=1.0).hides("ab"), Asking(hidden=0.0).hides("ab")
        (True, False)
        """
        text = f"{self.seed}:{sha256}".encode()
        number = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
        return number < self.hidden * 2**64


@dataclass(frozen=True)
class Picked:
    """Pictures to ask about.

    Attributes:
        confirmed: those with a confirmed face.
        at_random: those that were drawn from all.
    """

    confirmed: tuple[int, ...]
    at_random: tuple[int, ...]


def ask_more(connection: sa.Connection, run_id: int, asking: Asking) -> int:
    """Ask about a page of pictures, in the caller's transaction.

    The same catalogue and seed give the same pictures.

    Returns:
        How many were added; 0: people were asked about every picture.
    """
    return insert(connection, run_id, pick(connection, asking), asking)


def pick(
    connection: sa.Connection, asking: Asking, *, confirmed: bool = True
) -> Picked:
    """Choose a page of pictures that people were not asked about.

    Args:
        connection: to the catalogue.
        asking: how.
        confirmed: whether to look for pictures with a confirmed face.
    """
    rng = np.random.default_rng([asking.seed, count_rows(connection, box_task)])
    found: list[int] = []
    if confirmed:
        found = _confirmed(connection, asking.page - asking.at_random, rng)
    drawn = _at_random(connection, asking.page - len(found), rng, set(found))
    return Picked(tuple(found), tuple(drawn))


def insert(
    connection: sa.Connection, run_id: int, picked: Picked, asking: Asking
) -> int:
    """Ask about pictures, but those that were asked about meanwhile.

    Returns:
        How many were added.
    """
    lock_table(connection, box_task)  # who asks meanwhile has picked the same
    reasons = dict.fromkeys(picked.at_random, "drawn at random")
    reasons |= dict.fromkeys(picked.confirmed, "people confirmed a face of it")
    query = sa.select(box_task.c.image_id)
    for row in list(by_ids(connection, query, box_task.c.image_id, list(reasons))):
        del reasons[row.image_id]
    _insert(connection, run_id, reasons, asking)
    return len(reasons)


def is_left(connection: sa.Connection) -> bool:
    """Whether there are pictures that people were not asked about yet."""
    query = sa.select(image.c.id).where(_is_unasked())
    # The newest are the likeliest.
    return has_rows(connection, query.order_by(image.c.id.desc()))


def _is_unasked() -> sa.ColumnElement[bool]:
    """Of pictures: drawn, can be shown, and nobody was asked about it."""
    withdrawn = face.alias("withdrawn")
    return sa.and_(
        image.c.reason.in_(_DRAWN),
        image.c.awaits.is_(None),
        image.c.width.is_not(None),
        image.c.height.is_not(None),
        ~sa.exists().where(box_task.c.image_id == image.c.id),
        # A picture that stays without a withdrawn face has no boxes of all its faces.
        ~sa.exists().where(
            withdrawn.c.image_id == image.c.id,
            withdrawn.c.reason == FaceReason.TAKEN_DOWN.value,
        ),
    )


def _confirmed(
    connection: sa.Connection, most: int, rng: np.random.Generator
) -> list[int]:
    """Draw pictures with a confirmed face."""
    query = (
        sa.select(image.c.id)
        .join(face, face.c.image_id == image.c.id)
        .join(question, question.c.face_id == face.c.id)
        .where(question.c.label == Label.SAME.value, is_there(), _is_unasked())
    )
    drawn = _draw(connection, query, question.c.id, most, rng)
    if len(drawn) < most:
        every = query.distinct().order_by(image.c.id).limit(most)
        drawn |= dict.fromkeys(connection.execute(every).scalars())
    return list(drawn)[:most]


def _at_random(
    connection: sa.Connection, count: int, rng: np.random.Generator, but: set[int]
) -> list[int]:
    """Draw pictures, each of those left with the same probability."""
    query = sa.select(image.c.id).where(_is_unasked())
    drawn = [
        key
        for key in _draw(connection, query, image.c.id, count + len(but), rng)
        if key not in but
    ]
    if len(drawn) >= count:
        return drawn[:count]
    every = connection.execute(query.order_by(image.c.id)).scalars()
    left = [each for each in every if each not in but]
    chosen = rng.permutation(len(left))[:count]
    return [left[place] for place in chosen]


def _draw(
    connection: sa.Connection,
    query: sa.Select[Any],
    key: sa.Column[int],
    count: int,
    rng: np.random.Generator,
) -> dict[int, None]:
    """Draw what a query finds by ids at random, as long as that is likely to hit.

    Of a million rows a few are found without a look at the others.

    Args:
        connection: to the catalogue.
        query: its first column is what is drawn.
        key: the ids, of which one stands for each row.
        count: how many are enough.
        rng: what draws.

    Returns:
        What was drawn, in an order that is as random; perhaps too few.
    """
    last = connection.execute(sa.select(sa.func.max(key))).scalar_one() or 0
    drawn: dict[int, None] = {}
    for _ in range(_DRAWS if last > 100 * count > 0 else 0):
        ids = list(dict.fromkeys(rng.integers(1, last + 1, 4 * count).tolist()))
        rows = by_ids(connection, query.add_columns(key.label("drawn")), key, ids)
        found = {row.drawn: row[0] for row in rows}
        drawn |= dict.fromkeys(found[each] for each in ids if each in found)
        if len(drawn) >= count:
            break
    return drawn


def _insert(
    connection: sa.Connection, run_id: int, reasons: dict[int, str], asking: Asking
) -> None:
    now = time.time()
    ids = sorted(reasons)
    hashes = _hashes(connection, ids)
    rows = [
        {
            "image_id": key,
            "hidden": asking.hides(hashes[key]),
            "status": BoxStatus.OPEN.value,
            "asked_at": now,
            "changed_at": now,
        }
        for key in ids
    ]
    if rows:
        connection.execute(sa.insert(box_task), rows)
    ledger.append(connection, run_id, _decisions(ids, reasons))


def _hashes(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    query = sa.select(image.c.id, image.c.sha256)
    return {row.id: row.sha256 for row in by_ids(connection, query, image.c.id, ids)}


def _decisions(
    ids: Sequence[int], reasons: dict[int, str]
) -> Iterable[ledger.Decision]:
    status = BoxStatus.OPEN.value
    for key in ids:
        yield ledger.Decision("image", key, STEP, status, status, message=reasons[key])
