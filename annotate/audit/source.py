"""An audit's labels on the page of pairs, where they look like any other pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import sqlalchemy as sa

from icf.annotate.audit.checks import (
    SOURCE,
    Check,
    RefusedCheck,
    store_check,
    unchecked,
)
from icf.annotate.audit.shown import references
from icf.annotate.pairs.choices import read_choice
from icf.annotate.pairs.pictures import picture_of
from icf.annotate.people.people import Person
from icf.annotate.tasks.base import Given, Lease, Pair, RefusedAnswer, Shown
from icf.catalogue.annotation.schema import label_audit_item
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face
from icf.codes import FaceReason


class AuditSource:
    """The labels of the open audit that wait for somebody to check them."""

    name: ClassVar[str] = SOURCE

    def take(self, connection: sa.Connection, person: Person, count: int) -> list[int]:
        """Choose labels that this person did not help to make."""
        return list(unchecked(connection, person, count))

    def pairs(self, connection: sa.Connection, ids: Sequence[int]) -> dict[int, Pair]:
        """Read what some labels are about; those taken down are left out."""
        item = label_audit_item.c
        query = (
            sa.select(item.id, item.face_id, item.character_id, item.reference_face_id)
            .join(face, face.c.id == item.face_id)
            .where(face.c.reason != FaceReason.TAKEN_DOWN.value)
        )
        rows = list(by_ids(connection, query, item.id, ids))
        shown = references(connection, rows)
        return {
            row.id: Pair(row.face_id, row.character_id, reference)
            for row, reference in zip(rows, shown, strict=True)
        }

    def store(self, connection: sa.Connection, given: Given) -> None:
        """Store a check.

        Raises:
            RefusedAnswer: the audit is over, or the person answered the question
                somewhere else meanwhile.
        """
        store_given(connection, given, decides=False)

    def picture(self, connection: sa.Connection, lease: Lease, name: str) -> Shown:
        """Say which picture a name in the payload means."""
        return picture_of(
            connection, pair_of_item(connection, lease.subject_id, name), name
        )


def store_given(connection: sa.Connection, given: Given, *, decides: bool) -> None:
    """Store what somebody says of a label.

    Args:
        connection: a write transaction.
        given: the answer; its subject is a label of an audit's sample.
        decides: whether it is a reviewer's decision.

    Raises:
        RefusedAnswer: the audit cannot take it.
    """
    check = Check(
        given.lease.subject_id,
        given.lease.person.name,
        read_choice(given.value),
        given.answered_at,
        given.seconds,
        given.client_id,
        decides=decides,
    )
    try:
        store_check(connection, check)
    except RefusedCheck as error:
        raise RefusedAnswer(str(error)) from error


def pair_of_item(connection: sa.Connection, item_id: int, name: str) -> Pair:
    """Read what a label is about.

    Raises:
        KeyError: it was taken down, and has no picture of this name.
    """
    pair = AuditSource().pairs(connection, [item_id]).get(item_id)
    if pair is None:
        raise KeyError(name)
    return pair
