"""Whose answers count: not those of people with a low score, or who are discounted.

The answers stay in the table, and count again when the person goes on.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from icf.catalogue.annotation.schema import box_answer, person
from icf.catalogue.schema import answer

#: ``person.paused_why`` of those who are wrong too often where the answer is known.
LOW_SCORE = "too few known questions were answered right"
#: That of those whom `icf-annotate discount` paused.
DISCOUNTED = "no answer of the person counts"
#: Why a person is paused whose answers do not count.
NOT_COUNTED = (LOW_SCORE, DISCOUNTED)


def counts(of: sa.Table = answer) -> sa.ColumnElement[bool]:
    """Of answers: no later one replaced it, and its person is not paused for them.

    Args:
        of: a table of answers.
    """
    return _counts(of, NOT_COUNTED)


def boxes_count() -> sa.ColumnElement[bool]:
    """Of answers with boxes: the same; a low score says nothing of boxes."""
    return _counts(box_answer, (DISCOUNTED,))


def _counts(of: sa.Table, why: Collection[str]) -> sa.ColumnElement[bool]:
    paused = sa.select(person.c.name).where(
        person.c.paused_at.is_not(None), person.c.paused_why.in_(why)
    )
    return sa.and_(of.c.replaced_at.is_(None), of.c.annotator.not_in(paused))
