"""Count the pictures whose metadata forbids training on them."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.schema import image, url
from icf.codes import FetchStatus, ImageReason


@dataclass(frozen=True)
class Marked:
    """Pictures whose metadata forbids training on them.

    Attributes:
        refused: number of URLs that were not stored for it.
        stored: number of stored pictures, with ``harvest.no_training = "count"``.
    """

    refused: int
    stored: int


def count_marked(connection: sa.Connection) -> Marked:
    """Count pictures by what became of their mark."""
    refused = sa.select(sa.func.count()).where(
        url.c.fate == FetchStatus.NO_TRAINING.value
    )
    stored = sa.select(sa.func.count()).where(
        image.c.no_training.is_not(None),
        image.c.reason != ImageReason.TAKEN_DOWN.value,
    )
    return Marked(
        int(connection.execute(refused).scalar_one()),
        int(connection.execute(stored).scalar_one()),
    )
