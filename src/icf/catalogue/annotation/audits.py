"""Audits of labels, as the catalogue has them, and their certificates.

An audit is about the labels that were there when it was planned; all of them are kept
with it, so that what a release contains can be compared with what was audited.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.catalogue.annotation.schema import (
    label_audit,
    label_audit_answer,
    label_audit_item,
)
from icf.catalogue.schema import release

IntArray = npt.NDArray[np.int64]

#: What the third column of an audit's labels says: of which parts a label is.
REJECT, ACCEPT, ACCEPT_OF_TEST = 0, 1, 2
_COLUMNS = 3


@dataclass(frozen=True, eq=False)
class Certified:
    """A certificate, and the labels that it is about.

    Attributes:
        audit_id: of the audit.
        certificate: its content, see `icf.annotate.audit.result`.
        certified_at: UTC epoch seconds.
        labels: shape (n, 3): faces, characters, and `REJECT`, `ACCEPT` or
            `ACCEPT_OF_TEST`.
        later: what audits found that came later, were looked at and got no certificate:
            ``audit``, ``n``, ``errors`` and ``bound``; but for the first None where
            one was given up.
    """

    audit_id: int
    certificate: Mapping[str, Any]
    certified_at: float
    labels: IntArray
    later: tuple[Mapping[str, Any], ...] = ()

    def accepts(self) -> dict[int, int]:
        """The audited labels *same*: the character of each face."""
        return self._owners(self.labels[:, 2] != REJECT)

    def of_test(self) -> dict[int, int]:
        """Those of them in the test of a release, if that is a part of its own."""
        return self._owners(self.labels[:, 2] == ACCEPT_OF_TEST)

    def _owners(self, which: npt.NDArray[np.bool_]) -> dict[int, int]:
        return {int(row[0]): int(row[1]) for row in self.labels[which]}


def read_certified(connection: sa.Connection) -> Certified | None:
    """Read the newest certificate; None where no audit has one."""
    query = (
        sa.select(label_audit)
        .where(label_audit.c.certified_at.is_not(None))
        .order_by(label_audit.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    labels = unpack(row.labels, _COLUMNS)
    return Certified(
        row.id,
        json.loads(row.certificate),
        row.certified_at,
        labels,
        _without_certificate_after(connection, row.id),
    )


def _without_certificate_after(
    connection: sa.Connection, audit_id: int
) -> tuple[Mapping[str, Any], ...]:
    was_looked_at = sa.exists().where(
        label_audit_item.c.audit_id == label_audit.c.id,
        label_audit_answer.c.item_id == label_audit_item.c.id,
    )
    query = (
        sa.select(label_audit.c.id, label_audit.c.certificate)
        .where(
            label_audit.c.id > audit_id,
            label_audit.c.ended_at.is_not(None),
            label_audit.c.certified_at.is_(None),
            was_looked_at,
        )
        .order_by(label_audit.c.id)
    )
    made = []
    for row in connection.execute(query):
        found = json.loads(row.certificate) if row.certificate else {}
        figures = {key: found.get(key) for key in ("n", "errors", "bound")}
        made.append({"audit": row.id, **figures})
    return tuple(made)


def read_last_found(connection: sa.Connection) -> dict[str, Any] | None:
    """Read what the newest complete audit found, with a certificate or without."""
    query = (
        sa.select(label_audit.c.certificate)
        .where(label_audit.c.certificate.is_not(None))
        .order_by(label_audit.c.id.desc())
        .limit(1)
    )
    text = connection.execute(query).scalar()
    return None if text is None else dict(json.loads(text))


def last_test(connection: sa.Connection) -> tuple[str, IntArray] | None:
    """Read the path and the test's faces of the newest release that noted them."""
    query = (
        sa.select(release.c.path, release.c.test_faces)
        .where(release.c.test_faces.is_not(None))
        .order_by(release.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return (row.path, unpack(row.test_faces, 1)[:, 0]) if row else None


def pack(table: IntArray) -> bytes:
    """Compress a table of ids; sorted by its first column it takes least.

    >>> unpack(pack(np.array([[3, 7], [5, 7]])), 2).tolist()
    [[3, 7], [5, 7]]
    """
    steps = np.diff(table.astype("<i8"), axis=0, prepend=0)
    return zlib.compress(steps.T.tobytes())


def unpack(data: bytes, columns: int) -> IntArray:
    """Return the table, shape (n, columns), that `pack` has compressed."""
    steps = np.frombuffer(zlib.decompress(data), "<i8").reshape(columns, -1)
    return np.cumsum(steps, axis=1).T.astype(np.int64)
