"""The valid answers of a file, on disk: memory does not grow with the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from types import TracebackType
from typing import NamedTuple

from icf.annotate.answers import Fault, Faults, Vote
from icf.codes import Choice, RowFault

_TABLE = """CREATE TABLE vote (
    question INTEGER, annotator TEXT, choice TEXT, line INTEGER, answered_at REAL
)"""
_INDEX = "CREATE INDEX by_person ON vote (question, annotator, choice, line)"
#: What each person said to each question: `answered_at` is that of the first line.
_SAID = """SELECT question, annotator, choice, MIN(line), COUNT(*), answered_at
    FROM vote GROUP BY question, annotator, choice ORDER BY question, annotator"""
_LINES = """SELECT line FROM vote
    WHERE question = ? AND annotator = ? AND choice = ? ORDER BY line LIMIT ?"""


class _Said(NamedTuple):
    """One answer of a person to a question, which many lines may repeat."""

    question: int
    annotator: str
    choice: str
    line: int
    repeats: int
    answered_at: float | None


class VoteSpool:
    """Collects answers, and yields one of each person to each question."""

    def __init__(self) -> None:
        # A file of no name, which ends with the connection.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(_TABLE)

    def __enter__(self) -> VoteSpool:
        """Use it in a ``with`` block, at whose end it is gone."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove it."""
        self._database.close()

    def add(self, votes: Iterable[Vote]) -> None:
        """Add answers."""
        rows = (
            (
                each.question_id,
                each.annotator,
                each.choice.value,
                each.line,
                each.answered_at,
            )
            for each in votes
        )
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO vote VALUES (?, ?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def refuse_repeated(self, faults: Faults, unit: str) -> None:
        """Add what a person said twice, and all of what contradicts itself."""
        self._database.execute(_INDEX)
        for said in self._persons():
            if len(said) > 1:
                for each in said:
                    other = min((o for o in said if o is not each), key=_line)
                    message = (
                        f"{each.choice} here, {other.choice} in {unit} {other.line}"
                    )
                    self._add(faults, each, RowFault.CONFLICT, message)
            elif said[0].repeats > 1:
                message = f"same answer as in {unit} {said[0].line}"
                self._add(faults, said[0], RowFault.DUPLICATE_ROW, message)

    def __iter__(self) -> Iterator[Vote]:
        """Yield the answers that nothing contradicts, in the order of the questions."""
        for said in self._persons():
            if len(said) == 1:
                one = said[0]
                choice = Choice[one.choice.upper()]
                yield Vote(
                    one.line, one.question, one.annotator, choice, one.answered_at
                )

    def _persons(self) -> Iterator[list[_Said]]:
        rows = map(_Said._make, self._database.execute(_SAID))
        for _, said in groupby(rows, key=lambda one: (one.question, one.annotator)):
            yield list(said)

    def _add(self, faults: Faults, said: _Said, reason: RowFault, message: str) -> None:
        """Add the lines of an answer; of a repeated one, those behind the first."""
        without = 1 if reason is RowFault.DUPLICATE_ROW else 0
        room = faults.room(reason)
        wanted = (said.question, said.annotator, said.choice, room + without)
        lines = self._database.execute(_LINES, wanted).fetchall() if room else []
        kept = lines[without:]
        for (line,) in kept:
            faults.add(Fault(line, reason, message))
        faults.counts[reason] += said.repeats - without - len(kept)


def _line(said: _Said) -> int:
    return said.line
