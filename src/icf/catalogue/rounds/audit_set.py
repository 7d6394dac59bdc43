"""What was set aside to compare models on, at the first round: the frozen audit set.

Its characters and pictures are never trained on, and the sampler never chooses them for
what it is unsure of: they are asked about at random. A character that is merged with
one of them is set aside, too. Nothing is ever moved out of it. Where it is too small,
characters that came later join it, if no model can know them.

It is a systematic sample: the characters stand album by album, within an album and the
albums among each other in an order that the seed draws, and each n-th is taken. So each
album gives its share, as far as that is a whole number.

Where there are no characters, pictures with verified boxes can be set aside alone.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa

from icf.catalogue.annotation.schema import box_task
from icf.catalogue.bulk_insert import insert_new
from icf.catalogue.merges import survivor
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import (
    album,
    audit_item,
    candidate,
    character,
    face,
    image,
    question,
)
from icf.codes import BoxStatus, Label, Verdict

Kind = Literal["character", "image"]

#: Kept faces that a character needs: one is compared with the others.
LEAST_FACES = 3
#: Of the characters that could be set aside, at most.
LARGEST_SHARE = 0.5


@dataclass(frozen=True)
class AuditSet:
    """How much is set aside.

    Attributes:
        characters: the characters, those that were merged with them among them.
        images: the pictures.
        added: how many of both are new.
    """

    characters: int
    images: int
    added: int = 0


@cache
def set_aside(kind: Kind) -> sa.Select[Any]:
    """Select the ids that were set aside, for an ``IN``.

    Of characters: also those that were merged with one of them.
    """
    own = sa.select(audit_item.c.subject_id).where(audit_item.c.kind == kind)
    if kind == "image":
        return own
    one, other = character.alias("set_aside"), character.alias("merged_with_it")
    stays = sa.select(survivor(one)).where(one.c.id.in_(own))
    return sa.select(other.c.id).where(survivor(other).in_(stays))


def is_set_aside() -> sa.ColumnElement[bool]:
    """Of faces that identity assigned: its character or its picture is set aside."""
    return sa.or_(
        face.c.character_id.in_(set_aside("character")),
        face.c.image_id.in_(set_aside("image")),
    )


def count(connection: sa.Connection) -> AuditSet:
    """Count what is set aside."""
    return AuditSet(
        count_rows(connection, set_aside("character")),
        count_rows(connection, set_aside("image")),
    )


def count_confirmed(connection: sa.Connection) -> int:
    """Count the faces that people confirmed for what was set aside."""
    query = sa.select(sa.func.count(sa.distinct(question.c.face_id))).where(
        question.c.label == Label.SAME.value,
        question.c.character_id.in_(set_aside("character")),
    )
    return int(connection.execute(query).scalar_one())


def freeze(connection: sa.Connection, share: float, least: int, seed: int) -> AuditSet:
    """Set characters aside at the first call, and their pictures at every one.

    A character can be set aside if it is not merged and has a reference and
    `LEAST_FACES` kept faces. Later calls add the pictures that were found since. They
    add characters only while fewer than ``least`` are set aside, and of these only
    such as nobody has confirmed a face of: no model was trained on them.

    Args:
        connection: a transaction that writes.
        share: of these characters, from 0 to 1.
        least: but at least so many, up to half of them.
        seed: another one draws others.
    """
    now = time.time()
    rows = [
        _row("character", each, now)
        for each in _more_characters(connection, share, least, seed)
    ]
    insert_new(connection, audit_item, ["kind", "subject_id"], rows)
    known = set(connection.execute(set_aside("image")).scalars())
    shown = sa.select(candidate.c.image_id).where(
        candidate.c.character_id.in_(set_aside("character"))
    )
    new = sorted(set(connection.execute(shown).scalars()) - known)
    pictures = [_row("image", each, now) for each in new]
    insert_new(connection, audit_item, ["kind", "subject_id"], pictures)
    made = count(connection)
    return AuditSet(made.characters, made.images, len(rows) + len(pictures))


def _more_characters(
    connection: sa.Connection, share: float, least: int, seed: int
) -> list[int]:
    """Draw the characters that are set aside now."""
    drawn = audit_item.c.kind == "character"
    known = count_rows(connection, audit_item, drawn)
    if known and known >= least:
        return []
    cast = _eligible(connection)
    most = math.floor(len(cast) * LARGEST_SHARE) - known
    if known:
        seen = {*_confirmed(connection)}
        seen.update(connection.execute(set_aside("character")).scalars())
        cast = [each for each in cast if each[0] not in seen]
    return draw(cast, share, least - known, seed, most)


def _confirmed(connection: sa.Connection) -> Sequence[int]:
    """Characters of which people confirmed a face, as they are merged now."""
    query = (
        sa.select(survivor())
        .distinct()
        .join(question, question.c.character_id == character.c.id)
        .where(question.c.label == Label.SAME.value)
    )
    return connection.execute(query).scalars().all()


def set_verified_aside(connection: sa.Connection, share: float, seed: int) -> AuditSet:
    """Set pictures aside of which people verified the boxes, to compare detectors on.

    Which ones their bytes say, so that a later call with the same share adds its part
    of those that were verified since.

    Args:
        connection: a transaction that writes.
        share: of these pictures, from 0 to 1.
        seed: another one draws others.
    """
    known = set(connection.execute(set_aside("image")).scalars())
    verified = (
        sa.select(image.c.id, image.c.sha256)
        .join(box_task, box_task.c.image_id == image.c.id)
        .where(box_task.c.status == BoxStatus.VERIFIED.value)
    )
    now = time.time()
    rows = [
        _row("image", row.id, now)
        for row in connection.execute(verified.order_by(image.c.id))
        if row.id not in known and _fraction(seed, row.sha256) < share
    ]
    insert_new(connection, audit_item, ["kind", "subject_id"], rows)
    made = count(connection)
    return AuditSet(made.characters, made.images, len(rows))


def draw(
    cast: Sequence[tuple[int, str, str]],
    share: float,
    least: int,
    seed: int,
    most: int | None = None,
) -> list[int]:
    """Draw a systematic sample of characters.

    The same names give the same characters, whatever their ids.

    Args:
        cast: id, album and name of each character.
        share: how many of them, from 0 to 1.
        least: but at least so many, up to ``most``.
        seed: another one draws others.
        most: of them; None: half.

    Returns:
        Their ids, ascending.
    """
    if most is None:
        most = math.floor(len(cast) * LARGEST_SHARE)
    wanted = min(max(math.ceil(len(cast) * share), least), most, len(cast))
    if wanted <= 0 or not share:
        return []
    albums: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for key, album_name, name in cast:
        albums[_place(seed, album_name)].append((_place(seed, album_name, name), key))
    ordered = [key for _, some in sorted(albums.items()) for _, key in sorted(some)]
    step = len(ordered) / wanted
    start = _fraction(seed, "start")
    return sorted(ordered[int((place + start) * step)] for place in range(wanted))


def _place(seed: int, *words: str) -> str:
    return hashlib.sha256("\0".join([str(seed), *words]).encode()).hexdigest()


def _fraction(seed: int, word: str) -> float:
    """A number from 0 to 1, below 1."""
    return int(_place(seed, word)[:8], 16) / 16**8


def _row(kind: Kind, key: int, now: float) -> dict[str, Any]:
    return {"kind": kind, "subject_id": key, "set_aside_at": now}


def _eligible(connection: sa.Connection) -> list[tuple[int, str, str]]:
    """Characters that can be set aside: id, album and name."""
    kept = (
        sa.select(face.c.character_id, sa.func.count().label("faces"))
        .where(face.c.verdict == Verdict.KEPT.value)
        .group_by(face.c.character_id)
        .subquery()
    )
    query = (
        sa.select(character.c.id, album.c.name.label("album"), character.c.name)
        .join(album, album.c.id == character.c.album_id)
        .join(kept, kept.c.character_id == character.c.id)
        .where(
            character.c.merged_into.is_(None),
            character.c.reference_face_id.is_not(None),
            kept.c.faces >= LEAST_FACES,
        )
        .order_by(character.c.id)
    )
    return [(row.id, row.album, row.name) for row in connection.execute(query)]
