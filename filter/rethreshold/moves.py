"""Move images and faces in the chain, and count the changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from icf.catalogue import row_state
from icf.catalogue.filing import filed_under
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face
from icf.engine.runner import decision
from icf.engine.step import Outcome
from icf.engine.tables import TABLES
from icf.filter.rethreshold.chain_state import (
    ChainState,
    Steps,
    read_chain_states,
)
from icf.filter.step_names import IDENTITY


@dataclass(frozen=True)
class Move:
    """The change of a row's state that follows from a step's outcome.

    Attributes:
        place: of the step in the chain.
        outcome: the outcome, with the row's id.
        before: the state before.
        after: the state afterwards.
    """

    place: int
    outcome: Outcome
    before: ChainState
    after: ChainState


def write_moves(
    connection: sa.Connection, run_id: int, steps: Steps, moves: Sequence[Move]
) -> list[Move]:
    """Append the decisions and move the rows, except those that moved meanwhile.

    Args:
        connection: a transaction that writes.
        run_id: the run to charge it to.
        steps: all steps of the rows' subject.
        moves: the changes to write.

    Returns:
        The changes that were written.
    """
    table = TABLES[steps[0].subject]
    ids = sorted(move.outcome.id for move in moves)
    # Others may refer to the rows meanwhile (a source of a picture, a question).
    held = sa.select(table.c.id).with_for_update(key_share=True)
    held_ids = [row.id for row in by_ids(connection, held, table.c.id, ids)]
    now = read_chain_states(connection, steps, held_ids)
    moves = [move for move in moves if now.get(move.outcome.id) == move.before]
    resets = _reset_columns(connection, steps, moves)
    states = [_state(steps, move, resets[move.outcome.id]) for move in moves]
    row_state.write(connection, run_id, states)
    return list(moves)


def _state(
    steps: Steps, move: Move, resets: Mapping[str, object]
) -> row_state.RowState:
    after, step = move.after, steps[move.place]
    waits = not after.dropped and after.place < len(steps)
    awaits = steps[after.place].name if waits else None
    decided = decision(
        step, move.outcome, awaits, dropped=after.dropped, reason=after.reason
    )
    return row_state.RowState(decided, awaits, {**resets, **move.outcome.columns})


def _reset_columns(
    connection: sa.Connection, steps: Steps, moves: Sequence[Move]
) -> Mapping[int, dict[str, object]]:
    """Column values to reset: those set by steps that the row has not passed."""
    columns: dict[int, dict[str, object]] = {
        move.outcome.id: {"keeper_id": None} for move in moves
    }
    names = [step.name for step in steps]
    if IDENTITY not in names:
        return columns
    compared = names.index(IDENTITY)
    again = [move.outcome.id for move in moves if move.after.place <= compared]
    query = sa.select(face.c.id, face.c.image_id)
    rows = by_ids(connection, query, face.c.id, again)
    image_of = {row.id: row.image_id for row in rows}
    filed = filed_under(connection, sorted(set(image_of.values())))
    for face_id, image_id in image_of.items():
        columns[face_id] |= {
            "similarity": None,
            "probability": None,
            "filed_under_id": filed[image_id],
            "character_id": None,
        }
    return columns


#: The name of the step that dropped a row, and its reason.
Place = tuple[str, str]


@dataclass
class Moved:
    """Sums up several moves of the same rows.

    Attributes:
        dropped: rows that were not dropped at first and are now, with the new place.
        restored: rows that were dropped at first and are not now, with the old place.
        other_reason: how many were dropped at another place at first, by the new one.
    """

    dropped: dict[int, Place] = field(default_factory=dict)
    restored: dict[int, Place] = field(default_factory=dict)
    other_reason: Counter[Place] = field(default_factory=Counter)

    def note(self, steps: Steps, moves: Sequence[Move]) -> None:
        """Count what `write_moves` wrote."""
        for move in moves:
            if move.before.dropped:
                self.restored_from(move.outcome.id, _place(steps, move.before))
            if move.after.dropped:
                self.dropped_at(move.outcome.id, _place(steps, move.after))

    def restored_from(self, row_id: int, place: Place) -> None:
        """Note a row that was dropped at a place and is not any more."""
        if self.dropped.pop(row_id, None) is None:
            self.restored[row_id] = place

    def dropped_at(self, row_id: int, place: Place) -> None:
        """Note a row that was not dropped and is now, at a place."""
        earlier = self.restored.pop(row_id, None)
        if earlier is None:
            self.dropped[row_id] = place
        elif earlier != place:
            self.other_reason[place] += 1


def _place(steps: Steps, state: ChainState) -> Place:
    return steps[state.place].name, state.reason
