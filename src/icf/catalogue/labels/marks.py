"""Count the pictures whose metadata, or whose host, forbids training on them."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.rows import count_rows
from icf.catalogue.schema import image, image_source, url
from icf.codes import FetchStatus, ImageReason


@dataclass(frozen=True)
class Marked:
    """Pictures whose metadata forbids training on them.

    Attributes:
        refused: number of URLs that were not stored for it.
        stored: number of stored pictures, with ``harvest.no_training = "count"``.
        reserved: number of stored pictures whose host speaks against it, with the same.
    """

    refused: int
    stored: int
    reserved: int


def count_marked(connection: sa.Connection) -> Marked:
    """Count pictures by what became of their mark."""
    is_refused = url.c.fate == FetchStatus.NO_TRAINING.value
    says_so = sa.select(image_source.c.image_id).where(
        image_source.c.reserved.is_not(None)
    )
    is_there = image.c.reason != ImageReason.TAKEN_DOWN.value
    return Marked(
        count_rows(connection, url, is_refused),
        count_rows(connection, image, image.c.no_training.is_not(None), is_there),
        count_rows(connection, image, image.c.id.in_(says_so), is_there),
    )
