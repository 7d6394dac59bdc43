"""Thumbnails for the report: kept faces with their reference, dropped samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.merges import survivor
from icf.codes import Code, FaceReason, ImageReason, Label, Verdict
from icf.dataset.report.counts import bars, count_by
from icf.images import Undecodable, decode, jpeg_url
from icf.stores.blobs import BlobStore

#: Side of a thumbnail in pixels, and the limits of how many are shown.
SIDE = 112
CHARACTERS, FACES, REASON_FACES, REASON_IMAGES = 6, 8, 10, 10

#: Margin around the box, as a share of its longer side.
MARGIN = 0.2

Pixels = npt.NDArray[np.uint8]
_Query = Callable[[sa.ColumnElement[bool], int], sa.Select[Any]]


@dataclass(frozen=True)
class Sheet:
    """A row of thumbnails, as data URIs.

    Attributes:
        title: a character's name, or a reason's code.
        note: its album, or the meaning of the reason.
        count: the number of all faces or pictures.
        reference: the reference face; empty if there is none.
        thumbnails: some of them.
    """

    title: str
    note: str
    count: int
    reference: str
    thumbnails: Sequence[str]


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
    return [
        Sheet(
            row.name,
            row.album,
            row.confirmed,
            face_thumbnail(connection, blobs, row.reference_face_id),
            _thumbnails(connection, blobs, _faces(_confirmed(row), FACES)),
        )
        for row in _spread(connection.execute(query).all())
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
            shown = _thumbnails(connection, blobs, rows)
            sheets.append(Sheet(bar.name, bar.meaning, bar.count, "", shown))
    return [sheet for sheet in sheets if sheet.thumbnails]


def face_thumbnail(
    connection: sa.Connection, blobs: BlobStore, face_id: int | None
) -> str:
    """Make a thumbnail of a face; empty if it or its picture is missing."""
    return "".join(_thumbnails(connection, blobs, _faces(_FACE.c.id == face_id, 1)))


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


def _thumbnails(
    connection: sa.Connection, blobs: BlobStore, query: sa.Select[Any]
) -> list[str]:
    """Make a thumbnail of each row, cropped if it has a box."""
    made = []
    for sha256, *box in connection.execute(query):
        pixels = _pixels(blobs, sha256)
        if pixels is not None:
            made.append(_data_uri(_crop(pixels, box) if box else pixels))
    return made


def _pixels(blobs: BlobStore, sha256: str) -> Pixels | None:
    """Decode a picture; None if it cannot be: many were dropped because of that."""
    try:
        return decode(blobs.get(sha256)).pixels
    except (FileNotFoundError, Undecodable):
        return None


def _crop(pixels: Pixels, box: Sequence[float]) -> Pixels:
    """Crop a square around the box, with a margin, clipped to the picture."""
    x1, y1, x2, y2 = box
    half = max(x2 - x1, y2 - y1) * (0.5 + MARGIN)
    across, down = (x1 + x2) / 2, (y1 + y2) / 2
    height, width = pixels.shape[:2]
    left, right = max(0, round(across - half)), min(width, round(across + half))
    top, bottom = max(0, round(down - half)), min(height, round(down + half))
    crop = pixels[top:bottom, left:right]
    return crop if crop.size else pixels


def _data_uri(pixels: Pixels) -> str:
    """Encode as JPEG of at most `SIDE` pixels a side."""
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 82])[1].tobytes()
    return jpeg_url(data)
