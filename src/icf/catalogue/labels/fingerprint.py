"""A text that changes when what people said changes, without reading each answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from icf.catalogue.annotation.schema import box_task, verified_box
from icf.catalogue.confirmations import HAND
from icf.catalogue.labels.given_boxes import NAMES
from icf.catalogue.schema import (
    audit_item,
    character,
    face,
    face_link,
    image,
    image_source,
    question,
)

#: A prime. Products of two remainders, added over 10^9 rows, fit into 64 bits.
_PRIME = 65_521


def label_fingerprint(connection: sa.Connection) -> str:
    """Return the hash of counts and sums over all rows that labels depend on.

    The sums are of products of ids and values, so that two rows that swap their values
    change them. It takes one pass over each table in the database itself.
    """
    digest = hashlib.sha256()
    for query in _QUERIES:
        rows = sorted(map(tuple, connection.execute(query)), key=repr)
        digest.update(repr([tuple(map(str, row)) for row in rows]).encode())
    return digest.hexdigest()


def _sum(*columns: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The sum over the products of some columns, an order that does not matter."""
    product: sa.ColumnElement[Any] = sa.literal(1)
    for column in columns:
        product = product * (sa.func.coalesce(column, 0) % _PRIME + 1)
    return sa.func.sum(product)


def _counts(
    key: sa.ColumnElement[Any],
    *values: sa.ColumnElement[Any],
    by: Sequence[sa.ColumnElement[Any]] = (),
) -> sa.Select[Any]:
    return sa.select(
        *by, sa.func.count(), _sum(key), *(_sum(key, value) for value in values)
    ).group_by(*by)


_BY_HAND = sa.case((character.c.reference_by == HAND, 1), else_=0)
_GIVEN = sa.case((face.c.detector.in_(NAMES), face.c.detector), else_="")


def _corners(table: sa.Table) -> list[sa.ColumnElement[int]]:
    """The corners of boxes, in sixteenths of a pixel."""
    columns = (table.c[name] for name in ("x1", "y1", "x2", "y2"))
    return [sa.cast(each * 16, sa.BigInteger) for each in columns]


_QUERIES = (
    _counts(
        question.c.id,
        question.c.face_id,
        question.c.character_id,
        by=[question.c.label],
    ),
    _counts(
        character.c.id, character.c.merged_into, character.c.reference_face_id, _BY_HAND
    ),
    _counts(
        face.c.id,
        face.c.image_id,
        face.c.keeper_id,
        *_corners(face),
        by=[face.c.kind, face.c.reason, _GIVEN],
    ),
    _counts(face_link.c.face_id, face_link.c.other_id, by=[face_link.c.same]),
    _counts(image.c.id, image.c.keeper_id, by=[image.c.reason]),
    _counts(image_source.c.image_id, image_source.c.id),
    _counts(box_task.c.image_id, by=[box_task.c.status]),
    _counts(
        verified_box.c.image_id,
        verified_box.c.face_id,
        *_corners(verified_box),
    ),
    _counts(audit_item.c.subject_id, by=[audit_item.c.kind]),
)
