"""Insert rows of ``image``: stored bytes that the filter has not processed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.bulk_insert import among, insert_new
from icf.catalogue.entry_steps import Entry, step_at
from icf.catalogue.rows import lock
from icf.catalogue.schema import image
from icf.codes import ImageReason, Verdict


@dataclass(frozen=True)
class NewImage:
    """Bytes in the blob store.

    Attributes:
        size: in bytes.
        format, width, height: from the picture's header, if it could be read.
        no_training: what its metadata says against training on it, or None.
    """

    sha256: str
    size: int
    format: str | None = None
    width: int | None = None
    height: int | None = None
    no_training: str | None = None


def insert_images(
    connection: sa.Connection, images: Iterable[NewImage]
) -> dict[str, int]:
    """Insert images that are not known yet; return the ids of all, by SHA-256."""
    new = {one.sha256: one for one in images}
    if not new:
        return {}
    first, now = step_at(connection, Entry.NEW_IMAGE), time.time()
    rows = [
        {
            "sha256": one.sha256,
            "bytes": one.size,
            "format": one.format,
            "width": one.width,
            "height": one.height,
            "no_training": one.no_training,
            "awaits": first,
            "verdict": Verdict.PENDING.value,
            "reason": ImageReason.OK.value,
            "stored_at": now,
        }
        for one in new.values()
    ]
    insert_new(connection, image, ["sha256"], rows)
    _mark_known(connection, [one for one in new.values() if one.no_training])
    known = sa.select(image.c.sha256, image.c.id).where(
        among(connection, image.c.sha256, new)
    )
    return {row.sha256: row.id for row in connection.execute(known)}


def _mark_known(connection: sa.Connection, marked: Sequence[NewImage]) -> None:
    """Mark pictures that were stored before anybody looked for marks."""
    if not marked:
        return
    unmarked = image.c.no_training.is_(None)
    hashes = [one.sha256 for one in marked]
    lock(connection, image, among(connection, image.c.sha256, hashes) & unmarked)
    for one in marked:
        same = (image.c.sha256 == one.sha256) & unmarked
        values = {"no_training": one.no_training}
        connection.execute(sa.update(image).where(same).values(values))
