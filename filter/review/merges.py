"""Apply the merges of characters that people confirmed, and undo them.

Merges are applied only by the command `icf-filter review --apply`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from icf.catalogue import merges, reviews
from icf.catalogue.find_character import character_names
from icf.catalogue.rows import lock_table
from icf.catalogue.schema import character, question, review
from icf.codes import ReviewStatus, Suspicion
from icf.workspace import Workspace


@dataclass(frozen=True)
class Merge:
    """A character to merge into another.

    Attributes:
        review_id: the suspicion that people confirmed.
        gone: the character with fewer confirmed faces, or the newer one of equals.
        gone_name: its name.
        stays: the character that remains.
        stays_name: its name.
        confirmed: number of confirmed faces of both.
    """

    review_id: int
    gone: int
    gone_name: str
    stays: int
    stays_name: str
    confirmed: int


@dataclass(frozen=True)
class Plan:
    """Merges to apply.

    Attributes:
        merges: in the order in which they are applied; a character that remains after
            one merge may be merged again by a later one.
        contradicted: ids of confirmed suspicions that other answers contradict: they
            say that two of the characters to merge are different.
    """

    merges: tuple[Merge, ...] = ()
    contradicted: tuple[int, ...] = ()


@dataclass
class _MergeState:
    """The characters after the merges planned so far."""

    merged_into: dict[int, int] = field(default_factory=dict)
    confirmed: dict[int, int] = field(default_factory=dict)

    def survivor(self, character_id: int) -> int:
        while character_id in self.merged_into:
            character_id = self.merged_into[character_id]
        return character_id

    def merge(self, one: int, other: int) -> tuple[int, int]:
        gone, stays = sorted((one, other), key=lambda key: (self.confirmed[key], -key))
        self.merged_into[gone] = stays
        self.confirmed[stays] += self.confirmed[gone]
        return gone, stays


def plan(connection: sa.Connection) -> Plan:
    """Plan the merges that people confirmed and that are not applied yet."""
    state = _MergeState()
    different = _pairs(connection, ReviewStatus.DIFFERENT)
    made: list[Merge] = []
    contradicted: list[int] = []
    for row in _pairs(connection, ReviewStatus.SAME):
        one, other = state.survivor(row.one), state.survivor(row.other)
        if one == other:
            continue
        cannot_link = (
            {state.survivor(pair.one), state.survivor(pair.other)} for pair in different
        )
        if {one, other} in cannot_link:
            contradicted.append(row.id)
            continue
        for key in (one, other):
            if key not in state.confirmed:
                state.confirmed[key] = merges.confirmed(connection, key)
        gone, stays = state.merge(one, other)
        names = character_names(connection, [gone, stays])
        confirmed = state.confirmed[stays]
        made.append(
            Merge(row.id, gone, names[gone].name, stays, names[stays].name, confirmed)
        )
    return Plan(tuple(made), tuple(contradicted))


def apply(workspace: Workspace) -> Plan:
    """Apply the plan; the faces of the characters then wait for the step identity.

    Returns:
        The plan that was applied.
    """
    run_id = workspace.begin_run("icf-filter review --apply")
    with workspace.catalogue.write() as connection:
        # Labels that follow from answers change faces after it.
        lock_table(connection, question)
        done = plan(connection)
        merges.lock_faces(connection, [each.gone for each in done.merges])
        for each in done.merges:
            merges.merge(connection, run_id, each.gone, each.stays)
            reviews.close(connection, characters=[each.gone])
    workspace.end_run(run_id)
    return done


def undo(workspace: Workspace, character_id: int) -> int:
    """Undo one merge permanently: its suspicion becomes ``different``.

    Returns:
        The character that it was merged into.

    Raises:
        WrongUse: the character does not exist or is not merged.
    """
    run_id = workspace.begin_run("icf-filter review --undo")
    with workspace.catalogue.write() as connection:
        lock_table(connection, question)
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
    """The suspected merges with a status, with the current survivor of each side."""
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
