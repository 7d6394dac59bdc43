"""Ask the steps again about what they judged before, with the settings of now.

Every step is asked again of every row that ever came to it, in the order of the chain;
`state_after` says what follows. A step that judges by what is stored answers for all of
them. One that has to look at pictures is not asked: what it let pass it still lets
pass, and what comes to it for the first time waits there for `icf-filter run`. So the
catalogue ends as a fresh run with the present settings would leave it, but for what
people said: a face that they confirmed or chose is not dropped as a copy of another.

Nothing is computed again and only what changes is written, a page at a time. After each
page any command can go on, and what was done is not done again: killed in the middle
and started again, it comes to the same end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import numpy as np
import sqlalchemy as sa

from icf.catalogue import references
from icf.catalogue.filing import filed_under
from icf.catalogue.schema import face
from icf.engine.rows import CHUNK, TABLES, by_ids
from icf.engine.runner import Chain, Progress
from icf.engine.step import Outcome, judge_each
from icf.filter.rethreshold.chain_state import (
    ChainState,
    ChainStates,
    Ids,
    Steps,
    columns_of,
    passed_before,
)
from icf.filter.rethreshold.dry_run import Opens
from icf.filter.rethreshold.moves import Move, Moved, write_moves
from icf.filter.rethreshold.rechoose import (
    HumanDecisions,
    lost_references,
    read_human_decisions,
    without_reference,
)
from icf.filter.step_names import EMBED, IDENTITY
from icf.filter.steps.reference import Reference

#: Opens a progress bar with a title and a total.
Bar = Callable[[str, int], AbstractContextManager[Progress]]

#: Two measures that differ by less are one: the last digits of a cosine depend on how
#: many vectors are multiplied in the same breath.
SAME = 1e-6

#: What a step says of each row; None where it cannot tell yet.
Answers = dict[int, Outcome | None]


def state_after(place: int, before: ChainState, answer: Outcome | None) -> ChainState:
    """Where a row stands once a step that it has reached is asked again.

    Args:
        place: of the step.
        before: where the row stood: there, or further on.
        answer: what the step says; None where it cannot tell yet.
    """
    if answer is None:
        return ChainState(place)
    if not answer.passed:
        return ChainState(place, True, str(answer.reason))
    return before if before.place > place else ChainState(place + 1)


def reevaluate(catalogue: Opens, run_id: int, chain: Chain, bar: Bar) -> list[Moved]:
    """Ask every step again: of images, and then of their faces.

    Args:
        catalogue: where to; a trial of it where nothing is to stay.
        run_id: the run that decisions are charged to.
        chain: all steps, in order, with the present settings.
        bar: opens a progress bar for each step.

    Returns:
        What became of the images, and of the faces.

    Raises:
        BrokenMachine: the disk or the database does not answer.
    """
    moved = []
    for subject in TABLES:
        steps = [step for step in chain.steps if step.subject == subject]
        with catalogue.read() as connection:
            standings = ChainStates(connection, steps)
            spoken = read_human_decisions(connection)
        asking = _Asking(catalogue, run_id, steps, standings, spoken)
        for place, step in enumerate(steps):
            with bar(step.name, len(standings.reached(place))) as advance:
                asking.ask(place, advance)
        moved.append(asking.moved)
    return moved


@dataclass(frozen=True)
class _Asking:
    """All rows of a subject, on their way through its steps."""

    catalogue: Opens
    run_id: int
    steps: Steps
    standings: ChainStates
    spoken: HumanDecisions
    moved: Moved = field(default_factory=Moved)

    def ask(self, place: int, advance: Progress) -> None:
        """Ask one step of all rows that have come to it."""
        step = self.steps[place]
        if not step.stored:
            self._believe(place)
        elif step.grouped:
            self._ask_groups(place, advance)
        else:
            for ids in _chunks(self._answerable(place)):
                with self.catalogue.read() as connection:
                    answers = self._answers(connection, place, ids)
                    moves = self._moves(connection, place, answers)
                self._move(moves)
                advance(len(ids))
        if isinstance(step, Reference):
            self._forget_lost(place)

    def _believe(self, place: int) -> None:
        """Let pass again what a step that looks at pictures once let pass."""
        message = "let pass before, and not looked at again"
        for ids in _chunks(self.standings.waiting(place)):
            with self.catalogue.read() as connection:
                passed = passed_before(connection, self.steps[place], ids)
                answers: Answers = {
                    each: Outcome(each, True, message=message)
                    for each in sorted(passed)
                }
                moves = self._moves(connection, place, answers)
            self._move(moves)

    def _answerable(self, place: int) -> Ids:
        """Of the rows that have come to a step, those that it is asked of.

        What a person chose as reference goes on to be embedded, whatever the steps
        before think of it.
        """
        reached = self.standings.reached(place)
        if self._place_of(EMBED) <= place:
            return reached
        further = self.standings.reached(place + 1)
        return np.setdiff1d(reached, np.intersect1d(further, self.spoken.chosen))

    def _ask_groups(self, place: int, advance: Progress) -> None:
        """Ask a grouped step of all faces that were first filed under a character."""
        chooses = isinstance(self.steps[place], Reference)
        for character_id, ids in self._groups(place):
            if chooses:
                self._choose(place, character_id, ids)
            else:
                with self.catalogue.read() as connection:
                    answers = self._answers(connection, place, ids, character_id)
                    moves = self._moves(connection, place, answers)
                self._move(moves)
            advance(len(ids))

    def _choose(self, place: int, character_id: int, ids: Sequence[int]) -> None:
        """Let the reference of a character be chosen among the faces that are in."""
        with self.catalogue.write() as connection:
            with without_reference(connection, character_id):
                answers = self._answers(connection, place, ids, character_id)
            moves = self._moves(connection, place, answers)
            done = write_moves(connection, self.run_id, self.steps, moves)
            sent: list[int] = []
            for each in answers.values():
                if each is not None and each.reference_of is not None:
                    chosen = each.reference_of, each.id, each.reference_by
                    sent += references.replace(connection, self.run_id, *chosen)
        self._note(done)
        self._sent_back(sent)

    def _forget_lost(self, place: int) -> None:
        """Leave a character without reference where no face of it is in any more."""
        with self.catalogue.read() as connection:
            lost = lost_references(connection)
        reached = self.standings.reached(place)
        for character_id, face_id in lost:
            if not np.isin(face_id, reached):
                with self.catalogue.write() as connection:
                    none = character_id, None, None
                    sent = references.replace(connection, self.run_id, *none)
                self._sent_back(sent)

    def _groups(self, place: int) -> Iterator[tuple[int, list[int]]]:
        """The faces that have come to a step, by the character of their picture."""
        ids = self.standings.reached(place)
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

    def _answers(
        self,
        connection: sa.Connection,
        place: int,
        ids: Sequence[int],
        group: int | None = None,
    ) -> Answers:
        """What a step says of rows.

        Copies are not made of faces that people spoke of: those are there to compare
        with. As reference any face may be chosen.
        """
        step = self.steps[place]
        asked = set(ids)
        if group is not None and not isinstance(step, Reference):
            further = self.standings.reached(place + 1)
            asked -= set(np.intersect1d(further, self.spoken.known).tolist())
        if group is not None and isinstance(step, Reference):
            read = step.select_as(connection, ids, group)
        else:
            read = step.select(connection, ids)
        items = [
            replace(item, fresh=item.id in asked, group=group or item.group)
            for item in read
        ]
        answers: Answers = dict.fromkeys(asked.difference(item.id for item in items))
        answers |= {each.id: each for each in judge_each(step, items)}
        return answers

    def _moves(
        self, connection: sa.Connection, place: int, answers: Answers
    ) -> list[Move]:
        """What follows from what a step says."""
        moves = []
        same: dict[int, Outcome] = {}
        for row_id, answer in sorted(answers.items()):
            before = self.standings[row_id]
            after = state_after(place, before, answer)
            if after != before:
                made = answer or Outcome(row_id, True, message="cannot be told yet")
                moves.append(Move(place, made, before, after))
            elif answer is not None and (after.place == place or not after.out):
                same[row_id] = answer
        return [*moves, *self._otherwise_measured(connection, place, same)]

    def _otherwise_measured(
        self, connection: sa.Connection, place: int, same: dict[int, Outcome]
    ) -> list[Move]:
        """Rows that stay where they are, for another keeper or another likeness."""
        names = {name for answer in same.values() for name in answer.columns}
        if not names:
            return []
        subject = self.steps[place].subject
        now = columns_of(connection, subject, names, list(same))
        return [
            Move(place, answer, self.standings[row_id], self.standings[row_id])
            for row_id, answer in same.items()
            if any(
                _differ(now[row_id][name], value)
                for name, value in answer.columns.items()
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
            self.standings[move.outcome.id] = move.after

    def _sent_back(self, ids: Sequence[int]) -> None:
        """Note the faces that a changed reference lets wait for identity again."""
        for row_id in ids:
            if row_id in self.standings:
                before = self.standings[row_id]
                if before.out:
                    step = self.steps[before.place].name
                    self.moved.came_back(row_id, (step, before.reason))
                self.standings[row_id] = ChainState(self._place_of(IDENTITY))

    def _place_of(self, name: str) -> int:
        """Where a step stands; before all others if there is none of that name."""
        names = [step.name for step in self.steps]
        return names.index(name) if name in names else -1


def _differ(one: object, other: object) -> bool:
    """Whether two values of a column differ by more than the last digits."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) > SAME
    return one != other


def _chunks(ids: Ids) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK].tolist()
