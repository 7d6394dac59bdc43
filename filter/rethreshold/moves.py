"""Move images and faces in the chain, and keep count of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from icf.catalogue import row_state
from icf.catalogue.filing import filed_under
from icf.catalogue.schema import face
from icf.engine.rows import TABLES, by_ids
from icf.engine.runner import decision
from icf.engine.step import Outcome
from icf.filter.rethreshold.chain_state import (
    ChainState,
    Steps,
    read_chain_states,
)
from icf.filter.step_names import IDENTITY


@dataclass(frozen=True)
class Move:
    """What a step's answer makes of a row.

    Attributes:
        place: of the step in the chain.
        outcome: its answer, with the row's id.
        before: where the row stood.
        after: where it stands now.
    """

    place: int
    outcome: Outcome
    before: ChainState
    after: ChainState


def write_moves(
    connection: sa.Connection, run_id: int, steps: Steps, moves: Sequence[Move]
) -> list[Move]:
    """Append the decisions and move the rows, but for those that moved meanwhile.

    Args:
        connection: a transaction that writes.
        run_id: the run to charge it to.
        steps: all steps of the rows' subject.
        moves: what is to be done.

    Returns:
        What was done.
    """
    table = TABLES[steps[0].subject]
    ids = sorted(move.outcome.id for move in moves)
    held = sa.select(table.c.id).with_for_update()
    held_ids = [row.id for row in by_ids(connection, held, table.c.id, ids)]
    now = read_chain_states(connection, steps, held_ids)
    moves = [move for move in moves if now.get(move.outcome.id) == move.before]
    first = _first_columns(connection, steps, moves)
    states = [_state(steps, move, first[move.outcome.id]) for move in moves]
    row_state.write(connection, run_id, states)
    return list(moves)


def _state(steps: Steps, move: Move, first: Mapping[str, object]) -> row_state.RowState:
    after, step = move.after, steps[move.place]
    waits = not after.out and after.place < len(steps)
    awaits = steps[after.place].name if waits else None
    decided = decision(
        step, move.outcome, awaits, dropped=after.out, reason=after.reason
    )
    return row_state.RowState(decided, awaits, {**first, **move.outcome.columns})


def _first_columns(
    connection: sa.Connection, steps: Steps, moves: Sequence[Move]
) -> Mapping[int, dict[str, object]]:
    """What stands in a row until a step that it has not passed sets it."""
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


#: A step's name, and the reason for which it has something out.
Place = tuple[str, str]


@dataclass
class Moved:
    """Follows rows through several moves.

    Attributes:
        out: where each row stands that was in or waiting at first, and is out now.
        back: where each row stood that was out at first, and is not now.
        otherwise: how many are out, and were elsewhere, by where they are now.
    """

    out: dict[int, Place] = field(default_factory=dict)
    back: dict[int, Place] = field(default_factory=dict)
    otherwise: Counter[Place] = field(default_factory=Counter)

    def note(self, steps: Steps, moves: Sequence[Move]) -> None:
        """Note what `write_moves` did."""
        for move in moves:
            if move.before.out:
                self.came_back(move.outcome.id, _place(steps, move.before))
            if move.after.out:
                self.went_out(move.outcome.id, _place(steps, move.after))

    def came_back(self, row_id: int, place: Place) -> None:
        """Note a row that was out there, and is not out now."""
        if self.out.pop(row_id, None) is None:
            self.back[row_id] = place

    def went_out(self, row_id: int, place: Place) -> None:
        """Note a row that was not out, and is out there now."""
        earlier = self.back.pop(row_id, None)
        if earlier is None:
            self.out[row_id] = place
        elif earlier != place:
            self.otherwise[place] += 1


def _place(steps: Steps, standing: ChainState) -> Place:
    return steps[standing.place].name, standing.reason
