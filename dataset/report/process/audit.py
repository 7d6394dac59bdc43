"""The label error of the data set for the report, as the newest audit found it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.annotation.audits import read_last_found


@dataclass(frozen=True)
class AuditedPart:
    """What an audit found in a part of the labels.

    Attributes:
        meaning: which labels they are.
        labels: how many there are.
        checked: how many of them were checked.
        errors: how many of these were wrong.
        error: the same as a share.
        bound: at most this share of all of them is wrong.
        certified: whether this is at most what was to be proved.
    """

    meaning: str
    labels: int
    checked: int
    errors: int
    error: float
    bound: float
    certified: bool


@dataclass(frozen=True)
class ShownAudit:
    """The newest complete audit.

    Attributes:
        number: its id.
        confidence: of each bound.
        max_error: what was to be proved.
        certified: whether it was proved.
        parts: the parts of the labels, what releases contain first.
    """

    number: int
    confidence: float
    max_error: float
    certified: bool
    parts: Sequence[AuditedPart]


def read_audit(connection: sa.Connection) -> ShownAudit | None:
    """Read it; None where no audit is complete."""
    found = read_last_found(connection)
    if found is None:
        return None
    parts = [
        AuditedPart(
            each["meaning"],
            each["labels"],
            each["n"],
            each["errors"],
            each["errors"] / each["n"],
            each["bound"],
            each["certified"],
        )
        for each in found["parts"].values()
    ]
    return ShownAudit(
        found["audit"],
        found["confidence"],
        found["max_error"],
        found["certified"],
        parts,
    )
