"""Thumbnails for the report: kept faces with their reference, dropped samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.merges import survivor
from icf.codes import Code, FaceReason, ImageReason, Label, Verdict
from icf.dataset.report.counts import bars, count_by
from icf.dataset.report.pictures.thumbnails import (
    Thumbnail,
    face_thumbnails,
    thumbnails,
)
from icf.stores.blobs import BlobStore

#: Limits of how many are shown.
CHARACTERS, FACES, REASON_FACES, REASON_IMAGES = 6, 8, 10, 10

_Query = Callable[[sa.ColumnElement[bool], int], sa.Select[Any]]


@dataclass(frozen=True)
class Sheet:
    """A row of thumbnails.

    Attributes:
        title: a character's name, or a reason's code.
        note: its album, or the meaning of the reason.
        count: the number of all faces or pictures.
        reference: the reference face; None if there is none.
        thumbnails: some of them.
    """

    title: str
    note: str
    count: int
    reference: Thumbnail | None
    thumbnails: Sequence[Thumbnail]


def kept_sheets(connection: sa.Connection, blobs: BlobStore) -> list[Sheet]:
    """Show the characters with most confirmed faces, of as many albums as possible."""
    count = sa.func.count(schema.question.c.id)
    query = (
        sa.select(
            schema.character.c.id,
            schema.character.c.name,
            schema.album.c.name.label("album"),
            schema.character.c.reference_face_id,
            count.label("confirmed"),
        )
        .select_from(schema.question)
        .join(_ASKED, _ASKED.c.id == schema.question.c.character_id)
        .join(schema.character, schema.character.c.id == survivor(_ASKED))
        .join(schema.album, schema.album.c.id == schema.character.c.album_id)
        .where(schema.question.c.label == Label.SAME.value)
        .group_by(schema.character.c.id, schema.album.c.id)
        .order_by(count.desc(), schema.character.c.id)
        .limit(50 * CHARACTERS)
    )
    rows = _spread(connection.execute(query).all())
    chosen = [row.reference_face_id for row in rows if row.reference_face_id]
    references = face_thumbnails(connection, blobs, chosen)
    return [
        Sheet(
            row.name,
            row.album,
            row.confirmed,
            references.get(row.reference_face_id),
            thumbnails(blobs, connection.execute(_faces(_confirmed(row), FACES))),
        )
        for row in rows
    ]


def dropped_sheets(connection: sa.Connection, blobs: BlobStore) -> list[Sheet]:
    """Show samples of dropped faces, then of dropped pictures, for every reason.

    The most frequent reason comes first.
    """
    groups: tuple[tuple[type[Code], sa.Table, _Query, int], ...] = (
        (FaceReason, _FACE, _faces, REASON_FACES),
        (ImageReason, schema.image, _images, REASON_IMAGES),
    )
    sheets = []
    for codes, table, query, most in groups:
        dropped = table.c.verdict == Verdict.DROPPED.value
        for bar in bars(count_by(connection, table.c.reason, dropped), codes):
            rows = query(sa.and_(dropped, table.c.reason == bar.name), most)
            shown = thumbnails(blobs, connection.execute(rows))
            sheets.append(Sheet(bar.name, bar.meaning, bar.count, None, shown))
    return [sheet for sheet in sheets if sheet.thumbnails]


_FACE = schema.face
#: The character of a question; it may have been merged into another one since.
_ASKED = schema.character.alias("asked")


def _spread(rows: Sequence[sa.Row[Any]]) -> list[sa.Row[Any]]:
    """Choose at most `CHARACTERS` rows, from as many albums as possible."""
    turns: dict[str, int] = {}
    ordered = []
    for place, row in enumerate(rows):
        turns[row.album] = turns.get(row.album, 0) + 1
        ordered.append((turns[row.album], place, row))
    return [row for _, _, row in sorted(ordered, key=lambda each: each[:2])][
        :CHARACTERS
    ]


def _confirmed(row: sa.Row[Any]) -> sa.ColumnElement[bool]:
    faces = (
        sa.select(schema.question.c.face_id)
        .join(_ASKED, _ASKED.c.id == schema.question.c.character_id)
        .where(schema.question.c.label == Label.SAME.value, survivor(_ASKED) == row.id)
    )
    chosen = _FACE.c.id.in_(faces)
    if row.reference_face_id is None:
        return chosen
    return sa.and_(chosen, _FACE.c.id != row.reference_face_id)


def _faces(where: sa.ColumnElement[bool], most: int) -> sa.Select[Any]:
    """Select the pictures and boxes of the first faces that fulfil a condition."""
    box = (_FACE.c.x1, _FACE.c.y1, _FACE.c.x2, _FACE.c.y2)
    query = sa.select(schema.image.c.sha256, *box).join_from(
        schema.image, _FACE, schema.image.c.id == _FACE.c.image_id
    )
    return query.where(where).order_by(_FACE.c.id).limit(most)


def _images(where: sa.ColumnElement[bool], most: int) -> sa.Select[Any]:
    """Select the first pictures that fulfil a condition."""
    query = sa.select(schema.image.c.sha256).where(where)
    return query.order_by(schema.image.c.id).limit(most)
