"""Everybody who was invited or answered, and what they did."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from icf.annotate.people.people import Person, person_of
from icf.catalogue.annotation.schema import (
    box_answer,
    invite,
    page_session,
    person,
)
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import answer


@dataclass(frozen=True)
class Known:
    """A person, as lists show one.

    Attributes:
        person: who it is.
        revoked_at: when the person was shut out; None: never.
        seen_at: when a session of the person was last used.
        invited_until: when the person's invite link ends; None: there is none.
    """

    person: Person
    revoked_at: float | None
    seen_at: float | None
    invited_until: float | None

    @property
    def state(self) -> str:
        """``"revoked"``, ``"paused"``, ``"invited"`` (never came) or ``"active"``."""
        if self.revoked_at is not None:
            return "revoked"
        if self.person.paused is not None:
            return "paused"
        return "invited" if self.seen_at is None else "active"


def everybody(connection: sa.Connection) -> list[Known]:
    """List everybody who was invited, by name."""
    seen = (
        sa.select(sa.func.max(page_session.c.seen_at))
        .where(page_session.c.person_id == person.c.id)
        .scalar_subquery()
    )
    until = (
        sa.select(sa.func.max(invite.c.expires_at))
        .where(invite.c.person_id == person.c.id, invite.c.revoked_at.is_(None))
        .scalar_subquery()
    )
    query = sa.select(person, seen.label("seen"), until.label("until"))
    return [
        Known(person_of(row), row.revoked_at, row.seen, row.until)
        for row in connection.execute(query.order_by(person.c.name))
    ]


def answers_by_person(connection: sa.Connection) -> dict[str, int]:
    """Count the answers to questions that count, by who gave them."""
    query = (
        sa.select(answer.c.annotator, sa.func.count())
        .where(answer.c.replaced_at.is_(None))
        .group_by(answer.c.annotator)
    )
    return {name: number for name, number in connection.execute(query)}


def who_boxed(connection: sa.Connection) -> set[str]:
    """Name everybody who drew boxes, or could not tell of a picture."""
    query = sa.select(box_answer.c.annotator).distinct()
    return set(connection.execute(query).scalars())


def boxed_by(connection: sa.Connection, name: str) -> int:
    """Count the pictures that somebody drew boxes on, or could not tell of."""
    by_them = box_answer.c.annotator == name, box_answer.c.replaced_at.is_(None)
    return count_rows(connection, box_answer, *by_them)


def nobody_invited(connection: sa.Connection) -> bool:
    """Whether nobody can come in: no link works, and nobody is logged in."""
    now = time.time()
    links = sa.exists().where(
        invite.c.person_id == person.c.id,
        invite.c.revoked_at.is_(None),
        invite.c.expires_at > now,
    )
    sessions = sa.exists().where(
        page_session.c.person_id == person.c.id,
        page_session.c.ended_at.is_(None),
        page_session.c.expires_at > now,
    )
    query = sa.select(person.c.id).where(person.c.revoked_at.is_(None))
    found = connection.execute(query.where(sa.or_(links, sessions)).limit(1))
    return found.first() is None
