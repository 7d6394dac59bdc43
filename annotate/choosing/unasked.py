"""How many questions are not asked yet."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.choosing.frames import count_rows, pairs_to_ask
from icf.annotate.choosing.references import references_to_ask, some_unconfirmed
from icf.catalogue.labels.sure_faces import is_sure
from icf.catalogue.sampling import kept_frame


@dataclass(frozen=True)
class Unasked:
    """Questions that were not asked yet.

    Attributes:
        references: about references that nobody has confirmed.
        faces: about kept faces and suspicions.
        waiting: those of the faces that wait until their reference is confirmed.
        sure: kept faces that need none; not among the others.
    """

    references: int
    faces: int
    waiting: int
    sure: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.references + self.faces


def count_unasked(
    connection: sa.Connection, *, confirmed: bool = True, risk: float = 0.0
) -> Unasked:
    """How many questions can be asked, now or when references are confirmed.

    Args:
        connection: to the catalogue.
        confirmed: ask only against references that people confirmed.
        risk: of `Shares`.
    """
    references = count_rows(connection, references_to_ask(confirmed=confirmed))
    every = now = count_rows(connection, pairs_to_ask(confirmed=False, risk=risk))
    if confirmed and some_unconfirmed(connection):
        now = count_rows(connection, pairs_to_ask(confirmed=True, risk=risk))
    sure = count_rows(connection, kept_frame().where(is_sure(risk))) if risk else 0
    return Unasked(references, every, every - now, sure)
