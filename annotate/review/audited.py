"""Labels of an audit on which a reviewer must decide, on the page of review."""

from __future__ import annotations

from typing import ClassVar

import sqlalchemy as sa

from icf.annotate.audit.source import pair_of_item, store_given
from icf.annotate.review.sources import expert_picture
from icf.annotate.tasks.answers import is_known
from icf.annotate.tasks.base import Given, Lease, Shown, check_reviewer
from icf.catalogue.annotation.schema import label_audit_answer


class DecisionSource:
    """The labels of the open audit on which a reviewer must decide."""

    name: ClassVar[str] = "audit_decision"

    def store(self, connection: sa.Connection, given: Given) -> None:
        """Store a decision.

        Raises:
            RefusedAnswer: the audit is over, the person is no reviewer, or checked the
                label or helped to make it, or another reviewer decided.
        """
        if not is_known(connection, label_audit_answer.c.item_id, given):
            check_reviewer(given)
        store_given(connection, given, decides=True)

    def picture(self, connection: sa.Connection, lease: Lease, name: str) -> Shown:
        """Say which picture a name in the payload means."""
        pair = pair_of_item(connection, lease.subject_id, name)
        return expert_picture(connection, pair, name)
