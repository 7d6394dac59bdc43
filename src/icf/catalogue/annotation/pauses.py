"""Whose answers count: not those of people with a low score, or who are discounted.

The answers stay in the table, and count again when the person goes on.
"""

from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue.annotation.schema import person
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
    paused = sa.select(person.c.name).where(
        person.c.paused_at.is_not(None), person.c.paused_why.in_(NOT_COUNTED)
    )
    return sa.and_(of.c.replaced_at.is_(None), of.c.annotator.not_in(paused))
