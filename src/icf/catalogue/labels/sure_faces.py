"""Kept faces that need no question: the model is sure enough of them.

With ``annotate.risk`` r > 0, a face that nobody was asked about is accepted where its
probability is at least 1 - r, and rejected where it is at most r. That holds only

- for a model whose probabilities were held against people's answers,
- for a character whose reference people confirmed, and
- for a face that is no open suspicion.

A part of each batch is drawn at random from all faces, sure ones too
(`icf.catalogue.sampling`), so the share of wrong ones among them is measured.
"""

from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue.labels.checked import Checked
from icf.catalogue.labels.suspected import is_suspected
from icf.catalogue.sampling import confirmed_characters, kept_frame, read_asked
from icf.catalogue.schema import calibration, face


def is_accepted(risk: float) -> sa.ColumnElement[bool]:
    """Of kept faces that nobody was asked about: it is taken to be its character."""
    if not risk:
        return sa.false()
    return sa.and_(face.c.probability >= 1 - risk, _is_known())


def is_rejected(risk: float) -> sa.ColumnElement[bool]:
    """Of kept faces that nobody was asked about: it is taken to be somebody else."""
    if not risk:
        return sa.false()
    return sa.and_(face.c.probability <= risk, _is_known())


def is_sure(risk: float) -> sa.ColumnElement[bool]:
    """Of kept faces that nobody was asked about: it is accepted or rejected."""
    return sa.or_(is_accepted(risk), is_rejected(risk))


def accepted(connection: sa.Connection, risk: float) -> dict[int, int]:
    """Read the accepted faces, each with its character; none without a risk."""
    return _read(connection, is_accepted(risk)) if risk else {}


def rejected(connection: sa.Connection, risk: float) -> dict[int, int]:
    """Read the rejected faces, each with the character that it is not."""
    return _read(connection, is_rejected(risk)) if risk else {}


def _read(connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[int, int]:
    query = kept_frame().where(which).order_by(face.c.id)
    return {row.id: row.character_id for row in connection.execute(query)}


def checked(connection: sa.Connection, risk: float) -> Checked:
    """Count the answers about faces that would have been accepted without them."""
    asked = read_asked(connection)
    drawn = asked.settled & (asked.inclusion < 1) & ~asked.dropped
    sure = drawn & (asked.probability >= 1 - risk)
    return Checked(int(sure.sum()), int((sure & ~asked.same).sum()))


def _is_known() -> sa.ColumnElement[bool]:
    """What its probability was computed from and by is right, as people say."""
    return sa.and_(
        face.c.embedder.in_(sa.select(calibration.c.model)),
        face.c.character_id.in_(confirmed_characters()),
        sa.not_(is_suspected()),
    )
