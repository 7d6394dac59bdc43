"""Re-evaluate the steps on what they judged before, with the current settings.

Every step is evaluated again on every row that ever reached it, in the order of the
chain; `state_after` says what follows. A step that judges by stored columns is
evaluated on all of them. A step that needs pictures is not: what passed it before still
passes, and a row that reaches it for the first time waits there for `icf-filter run`.
So the catalogue ends as a fresh run with the current settings would leave it, except
for people's decisions: a face that they confirmed or chose is not dropped as a copy.

This is not done by putting the rows back into the runner: that would write a decision
for every row at every step, where only changes are written here; it could not tell rows
that passed a step on pictures before, whose vectors are there; and it would leave the
catalogue without kept faces until it ends. Pages are written one at a time. After each
page any command can go on: killed in the middle and started again, it ends the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import sqlalchemy as sa

from icf.catalogue import references
from icf.catalogue.filing import filed_under
from icf.catalogue.rows import CHUNK, by_ids, lock_table
from icf.catalogue.schema import face, question
from icf.engine.runner import Bar, Chain, Progress
from icf.engine.step import Outcome, judge_each
from icf.engine.tables import TABLES
from icf.filter.rethreshold.chain_state import (
    ChainState,
    ChainStates,
    Ids,
    Steps,
    columns_of,
    passed_before,
)
from icf.filter.rethreshold.dry_run import ConnectionSource, DryRun
from icf.filter.rethreshold.moves import Move, Moved, write_moves
from icf.filter.rethreshold.rechoose import (
    HumanDecisions,
    lost_references,
    read_human_decisions,
    without_reference,
)
from icf.filter.step_names import EMBED, IDENTITY
from icf.filter.steps.reference import Reference

#: Two measures that differ by less are equal: the last digits of a cosine depend on how
#: many vectors are multiplied at a time.
SAME = 1e-6

#: The outcome of a step for each row; None where it cannot be judged yet.
Outcomes = dict[int, Outcome | None]


def state_after(place: int, before: ChainState, outcome: Outcome | None) -> ChainState:
    """The state of a row after a step that it has reached is evaluated again.

    Args:
        place: of the step.
        before: the state before: at that step, or further on.
        outcome: the outcome; None where the row cannot be judged yet.
    """
    if outcome is None or outcome.waits:
        return ChainState(place)
    if not outcome.passed:
        return ChainState(place, True, str(outcome.reason))
    return before if before.place > place else ChainState(place + 1)


def reevaluate(
    catalogue: ConnectionSource,
    run_id: int,
    chain: Chain,
    bar: Bar,
    after: str | None = None,
) -> list[Moved]:
    """Evaluate every step again, on images and then on their faces.

    Args:
        catalogue: the catalogue, or a dry run of it.
        run_id: the run that decisions are charged to.
        chain: all steps, in order, with the present settings.
        bar: opens a progress bar for each step.
        after: a step; only those that come after it in the chain are evaluated. None:
            all of them.

    Returns:
        The changes of images, and of faces.

    Raises:
        BrokenMachine: the disk or the database does not outcome.
    """
    moved = []
    names = [step.name for step in chain.steps]
    evaluated = names[names.index(after) + 1 :] if after else names
    for subject in TABLES:
        steps = [step for step in chain.steps if step.subject == subject]
        with catalogue.read() as connection:
            states = ChainStates(connection, steps)
            human = read_human_decisions(connection)
        reevaluation = _Reevaluation(catalogue, run_id, steps, states, human)
        for place, step in enumerate(steps):
            if step.name not in evaluated:
                continue
            with bar(step.name, len(states.reached(place))) as advance:
                reevaluation.evaluate(place, advance)
        moved.append(reevaluation.moved)
    return moved


@dataclass(frozen=True)
class _Reevaluation:
    """One pass of all rows of a subject through its steps."""

    catalogue: ConnectionSource
    run_id: int
    steps: Steps
    states: ChainStates
    human: HumanDecisions
    moved: Moved = field(default_factory=Moved)

    def evaluate(self, place: int, advance: Progress) -> None:
        """Evaluate one step on all rows that have reached it."""
        step = self.steps[place]
        if not step.stored:
            self._pass_again(place)
        elif step.grouped:
            self._evaluate_groups(place, advance)
        else:
            for ids in _chunks(self._evaluable(place)):
                with self.catalogue.read() as connection:
                    outcomes = self._outcomes(connection, place, ids)
                    moves = self._moves(connection, place, outcomes)
                self._move(moves)
                advance(len(ids))
        if isinstance(step, Reference):
            self._clear_lost(place)

    def _pass_again(self, place: int) -> None:
        """Let rows pass a step that needs pictures if they passed it before."""
        message = "passed before, and not evaluated again"
        for ids in _chunks(self.states.waiting(place)):
            with self.catalogue.read() as connection:
                passed = passed_before(connection, self.steps[place], ids)
                outcomes: Outcomes = {
                    each: Outcome(each, True, message=message)
                    for each in sorted(passed)
                }
                moves = self._moves(connection, place, outcomes)
            self._move(moves)

    def _evaluable(self, place: int) -> Ids:
        """The rows to evaluate a step on, of those that have reached it.

        A face that a person chose as reference is embedded whatever the steps before
        decide.
        """
        reached = self.states.reached(place)
        if self._place_of(EMBED) <= place:
            return reached
        further = self.states.reached(place + 1)
        return np.setdiff1d(reached, np.intersect1d(further, self.human.chosen))

    def _evaluate_groups(self, place: int, advance: Progress) -> None:
        """Evaluate a grouped step, by the first character of each face."""
        chooses = isinstance(self.steps[place], Reference)
        for character_id, ids in self._groups(place):
            if chooses:
                self._choose(place, character_id, ids)
            else:
                with self.catalogue.read() as connection:
                    outcomes = self._outcomes(connection, place, ids, character_id)
                    moves = self._moves(connection, place, outcomes)
                self._move(moves)
            advance(len(ids))

    def _choose(self, place: int, character_id: int, ids: Sequence[int]) -> None:
        """Choose the reference of a character among its kept faces."""
        with self.catalogue.write() as connection:
            self._begin(connection)
            with without_reference(connection, character_id) as hidden:
                outcomes = self._outcomes(connection, place, ids, character_id)
            moves = self._moves(connection, place, outcomes)
            done = write_moves(connection, self.run_id, self.steps, moves)
            sent: list[int] = []
            for each in outcomes.values():
                if each is not None and each.reference_of is not None:
                    chosen = each.reference_of, each.id, each.reference_by
                    sent += references.replace(connection, self.run_id, *chosen)
            if hidden in ids and not any(
                o and o.reference_of for o in outcomes.values()
            ):
                # An earlier version chose it, without evidence of whom it shows.
                none = character_id, None, None
                sent += references.replace(connection, self.run_id, *none)
        self._note(done)
        self._note_sent_back(sent)

    def _begin(self, connection: sa.Connection) -> None:
        """Let no labels follow from answers: they change faces and characters, too.

        For a dry run, which is one long transaction, they need not wait.
        """
        if not isinstance(self.catalogue, DryRun):
            lock_table(connection, question)

    def _clear_lost(self, place: int) -> None:
        """Clear the reference of a character that has no kept face any more."""
        with self.catalogue.read() as connection:
            lost = lost_references(connection)
        for character_id, face_id in lost:
            if face_id not in self.states or self.states[face_id].place < place:
                with self.catalogue.write() as connection:
                    self._begin(connection)
                    none = character_id, None, None
                    sent = references.replace(connection, self.run_id, *none)
                self._note_sent_back(sent)

    def _groups(self, place: int) -> Iterator[tuple[int, list[int]]]:
        """The faces that have reached a step, by the character of their picture."""
        ids = self.states.reached(place)
        filed = np.empty(len(ids), np.int64)
        start = 0
        for part in _chunks(ids):
            with self.catalogue.read() as connection:
                query = sa.select(face.c.id, face.c.image_id)
                rows = by_ids(connection, query, face.c.id, part)
                image_of = {row.id: row.image_id for row in rows}
                under = filed_under(connection, sorted(set(image_of.values())))
            filed[start : start + len(part)] = [under[image_of[each]] for each in part]
            start += len(part)
        order = np.argsort(filed, kind="stable")
        characters, begins = np.unique(filed[order], return_index=True)
        ends = [*begins[1:].tolist(), len(ids)]
        for character_id, begin, end in zip(
            characters.tolist(), begins.tolist(), ends, strict=False
        ):
            yield character_id, ids[order[begin:end]].tolist()

    def _outcomes(
        self,
        connection: sa.Connection,
        place: int,
        ids: Sequence[int],
        group: int | None = None,
    ) -> Outcomes:
        """Evaluate a step on rows.

        Faces that people decided on are context only, so that they are not dropped as
        copies. As reference any face may be chosen.
        """
        step = self.steps[place]
        judged = set(ids)
        if group is not None and not isinstance(step, Reference):
            judged -= {
                each
                for each in self.human.known.intersection(ids)
                if self.states[each].place > place
            }
        if group is not None and isinstance(step, Reference):
            read = step.select_as(connection, ids, group)
        else:
            read = step.select(connection, ids)
        items = [
            replace(item, fresh=item.id in judged, group=group or item.group)
            for item in read
        ]
        outcomes: Outcomes = dict.fromkeys(judged.difference(item.id for item in items))
        outcomes |= {each.id: each for each in judge_each(step, items)}
        return outcomes

    def _moves(
        self, connection: sa.Connection, place: int, outcomes: Outcomes
    ) -> list[Move]:
        """The moves that follow from outcomes."""
        moves = []
        same: dict[int, Outcome] = {}
        for row_id, outcome in sorted(outcomes.items()):
            before = self.states[row_id]
            after = state_after(place, before, outcome)
            if after != before:
                made = outcome or Outcome(row_id, True, message="cannot be judged yet")
                moves.append(Move(place, made, before, after))
            elif outcome is not None and (after.place == place or not after.dropped):
                same[row_id] = outcome
        return [*moves, *self._measured_differently(connection, place, same)]

    def _measured_differently(
        self, connection: sa.Connection, place: int, same: dict[int, Outcome]
    ) -> list[Move]:
        """Rows that keep their state, with another keeper or similarity."""
        names = {name for outcome in same.values() for name in outcome.columns}
        if not names:
            return []
        subject = self.steps[place].subject
        now = columns_of(connection, subject, names, list(same))
        return [
            Move(place, outcome, self.states[row_id], self.states[row_id])
            for row_id, outcome in same.items()
            if any(
                _differ(now[row_id][name], value)
                for name, value in outcome.columns.items()
            )
        ]

    def _move(self, moves: Sequence[Move]) -> None:
        if moves:
            with self.catalogue.write() as connection:
                done = write_moves(connection, self.run_id, self.steps, moves)
            self._note(done)

    def _note(self, done: Sequence[Move]) -> None:
        self.moved.note(self.steps, done)
        for move in done:
            self.states[move.outcome.id] = move.after

    def _note_sent_back(self, ids: Sequence[int]) -> None:
        """Note the faces that wait for identity again after a reference changed."""
        for row_id in ids:
            if row_id in self.states:
                before = self.states[row_id]
                if before.dropped:
                    step = self.steps[before.place].name
                    self.moved.restored_from(row_id, (step, before.reason))
                self.states[row_id] = ChainState(self._place_of(IDENTITY))

    def _place_of(self, name: str) -> int:
        """The place of a step; -1 if there is none of that name."""
        names = [step.name for step in self.steps]
        return names.index(name) if name in names else -1


def _differ(one: object, other: object) -> bool:
    """Whether two values of a column differ by more than rounding."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) > SAME
    return one != other


def _chunks(ids: Ids) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK].tolist()
