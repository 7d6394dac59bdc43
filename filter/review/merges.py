"""Carry out the merges that people said yes to, and take one back.

Never by itself: `icf-filter review --apply` is a command of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from icf.catalogue import merges, reviews
from icf.catalogue.schema import character, review
from icf.codes import ReviewStatus, Suspicion
from icf.workspace import Workspace


@dataclass(frozen=True)
class Merge:
    """One character that another is to stand for.

    Attributes:
        review_id: the suspicion that people confirmed.
        gone: the character with fewer confirmed faces; of equals the younger.
        stays: the one that stands for both.
        confirmed: how many confirmed faces both have together.
    """

    review_id: int
    gone: int
    gone_name: str
    stays: int
    stays_name: str
    confirmed: int


@dataclass(frozen=True)
class Plan:
    """What there is to do.

    Attributes:
        merges: in the order in which they are done; a later one may be about a
            character that an earlier one made larger.
        contradicted: suspicions that people confirmed, although they said of two
            characters who would become one by it that they are two.
    """

    merges: tuple[Merge, ...] = ()
    contradicted: tuple[int, ...] = ()


@dataclass
class _Stands:
    """Who stands for whom once the merges so far are done."""

    of: dict[int, int] = field(default_factory=dict)
    confirmed: dict[int, int] = field(default_factory=dict)

    def who(self, character_id: int) -> int:
        while character_id in self.of:
            character_id = self.of[character_id]
        return character_id

    def merge(self, one: int, other: int) -> tuple[int, int]:
        gone, stays = sorted((one, other), key=lambda key: (self.confirmed[key], -key))
        self.of[gone] = stays
        self.confirmed[stays] += self.confirmed[gone]
        return gone, stays


def plan(connection: sa.Connection) -> Plan:
    """Work out which merges people confirmed that are not done yet."""
    stands = _Stands()
    two = _pairs(connection, ReviewStatus.DIFFERENT)
    made: list[Merge] = []
    contradicted: list[int] = []
    for row in _pairs(connection, ReviewStatus.SAME):
        one, other = stands.who(row.one), stands.who(row.other)
        if one == other:
            continue
        apart = ({stands.who(pair.one), stands.who(pair.other)} for pair in two)
        if {one, other} in apart:
            contradicted.append(row.id)
            continue
        for key in (one, other):
            if key not in stands.confirmed:
                stands.confirmed[key] = merges.confirmed(connection, key)
        gone, stays = stands.merge(one, other)
        names = _names(connection, gone, stays)
        number = stands.confirmed[stays]
        made.append(Merge(row.id, gone, names[gone], stays, names[stays], number))
    return Plan(tuple(made), tuple(contradicted))


def apply(workspace: Workspace) -> Plan:
    """Do it; the faces of both then wait for the step identity.

    Returns:
        What was done.
    """
    run_id = workspace.begin_run("icf-filter review --apply")
    with workspace.catalogue.write() as connection:
        done = plan(connection)
        for each in done.merges:
            merges.merge(connection, run_id, each.gone, each.stays)
            reviews.close(connection, characters=[each.gone])
    workspace.end_run(run_id)
    return done


def undo(workspace: Workspace, character_id: int) -> int:
    """Take one merge back, for good: its suspicion becomes ``different``.

    Returns:
        The character that it was merged into.

    Raises:
        WrongUse: there is no such character, or it is not merged.
    """
    run_id = workspace.begin_run("icf-filter review --undo")
    with workspace.catalogue.write() as connection:
        stays = merges.undo(connection, run_id, character_id)
        ids = [
            row.id
            for row in _pairs(connection, ReviewStatus.SAME)
            if {row.one, row.other} == {character_id, stays}
        ]
        connection.execute(
            sa.update(review)
            .where(review.c.id.in_(ids))
            .values(status=ReviewStatus.DIFFERENT.value)
        )
    workspace.end_run(run_id)
    return stays


def _pairs(
    connection: sa.Connection, status: ReviewStatus
) -> list[sa.Row[tuple[int, int, int]]]:
    """The merges with a status, and who stands for each side now."""
    one, other = character.alias("one"), character.alias("other")
    query = (
        sa.select(
            review.c.id,
            merges.survivor(one).label("one"),
            merges.survivor(other).label("other"),
        )
        .join(one, one.c.id == review.c.character_id)
        .join(other, other.c.id == review.c.other_character_id)
        .where(review.c.kind == Suspicion.MERGE.value, review.c.status == status.value)
        .order_by(review.c.id)
    )
    return list(connection.execute(query))


def _names(connection: sa.Connection, *ids: int) -> dict[int, str]:
    query = sa.select(character.c.id, character.c.name)
    return {
        row.id: row.name
        for row in connection.execute(query.where(character.c.id.in_(ids)))
    }
