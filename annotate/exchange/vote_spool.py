"""The valid answers of a file, on disk: memory does not grow with the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from icf.annotate.answers import Fault, Faults, Vote, question_name
from icf.codes import Choice, RowFault

_TABLE = """CREATE TABLE vote (
    question INTEGER, annotator TEXT, choice TEXT, line INTEGER, answered_at REAL,
    seconds REAL, item TEXT, origin TEXT, origin_id TEXT
)"""
_INDEX = "CREATE INDEX by_person ON vote (question, annotator, choice, line)"
#: What each person said to each question: all but the last two of the first line.
_SAID = """SELECT question, annotator, choice, MIN(line), answered_at, seconds, item,
    origin, origin_id, COUNT(*), COUNT(answered_at)
    FROM vote GROUP BY question, annotator, choice ORDER BY question, annotator"""
_LINES = """SELECT line, item FROM vote
    WHERE question = ? AND annotator = ? AND choice = ? ORDER BY line LIMIT ?"""
_NEWEST = """SELECT line, answered_at, seconds, item, origin, origin_id FROM vote
    WHERE question = ? AND annotator = ? AND choice = ?
    ORDER BY answered_at DESC, line LIMIT 1"""


class _Said(NamedTuple):
    """One answer of a person to a question, which many lines may repeat."""

    question: int
    annotator: str
    choice: str
    line: int
    answered_at: float | None
    seconds: float | None
    item: str
    origin: str | None
    origin_id: str | None
    repeats: int
    dated: int

    @property
    def vote(self) -> Vote:
        """The answer."""
        return Vote(
            line=self.line,
            question_id=self.question,
            annotator=self.annotator,
            choice=Choice[self.choice.upper()],
            answered_at=self.answered_at,
            seconds=self.seconds,
            item=self.item,
            origin=self.origin,
            origin_id=self.origin_id,
        )


class VoteSpool:
    """Collects answers, and yields one of each person to each question."""

    def __init__(self) -> None:
        # A file of no name, which ends with the connection.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(_TABLE)

    def __enter__(self) -> VoteSpool:
        """Use it in a ``with`` block, at whose end it is gone."""
        return self

    def __exit__(self, *error: object) -> None:
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
                each.seconds,
                each.item,
                each.origin,
                each.origin_id,
            )
            for each in votes
        )
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO vote VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
        )
        self._database.execute("COMMIT")

    def refuse_repeated(self, faults: Faults, unit: str) -> int:
        """Add what a person said twice, and all of what contradicts itself.

        Returns:
            How many answers are not refused, but older than one of the same person.
        """
        self._database.execute(_INDEX)
        older = 0
        for said in self._persons():
            if sum(each.repeats for each in said) == 1:
                continue
            if self._newest(said) is not None:
                older += sum(each.repeats for each in said) - 1
            elif len(said) > 1:
                for each in said:
                    other = min(
                        (o for o in said if o is not each), key=attrgetter("line")
                    )
                    message = (
                        f"{each.choice} here, {other.choice} in {unit} {other.line}"
                    )
                    self._add(faults, each, RowFault.CONFLICT, message)
            else:
                message = f"same answer as in {unit} {said[0].line}"
                self._add(faults, said[0], RowFault.DUPLICATE_ROW, message)
        return older

    def __iter__(self) -> Iterator[Vote]:
        """Yield the answer of each person that counts, in the order of the questions.

        Where a person answered a question several times, it is the newest; none, if
        they differ and have no time.
        """
        for said in self._persons():
            newest = self._newest(said)
            if newest is not None:
                yield newest.vote
            elif len(said) == 1:
                yield said[0].vote

    def _newest(self, said: Sequence[_Said]) -> _Said | None:
        """The newest answer of a person; None where it cannot be told."""
        if any(each.dated < each.repeats for each in said):
            return None
        each_newest = [self._newest_alike(each) for each in said]
        latest = max(each.answered_at or 0.0 for each in each_newest)
        found = [each for each in each_newest if each.answered_at == latest]
        return found[0] if len(found) == 1 else None

    def _newest_alike(self, said: _Said) -> _Said:
        """The newest line of those that repeat an answer."""
        if said.repeats == 1:
            return said
        wanted = (said.question, said.annotator, said.choice)
        line, at, seconds, item, origin, origin_id = self._database.execute(
            _NEWEST, wanted
        ).fetchone()
        return said._replace(
            line=line,
            answered_at=at,
            seconds=seconds,
            item=item,
            origin=origin,
            origin_id=origin_id,
        )

    def _persons(self) -> Iterator[list[_Said]]:
        rows = map(_Said._make, self._database.execute(_SAID))
        for _, said in groupby(rows, key=attrgetter("question", "annotator")):
            yield list(said)

    def _add(self, faults: Faults, said: _Said, reason: RowFault, message: str) -> None:
        """Add the lines of an answer; of a repeated one, those behind the first."""
        without = 1 if reason is RowFault.DUPLICATE_ROW else 0
        room = faults.room(reason)
        wanted = (said.question, said.annotator, said.choice, room + without)
        lines = self._database.execute(_LINES, wanted).fetchall() if room else []
        kept = lines[without:]
        for line, item in kept:
            name = question_name(said.question)
            faults.add(Fault(line, reason, message, name, item))
        faults.counts[reason] += said.repeats - without - len(kept)
