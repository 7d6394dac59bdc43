"""The questions of a round: its batches, and how many of them are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.annotate.batch import Batch, count_references
from icf.annotate.export import ExportRequest, export
from icf.catalogue.annotation.pauses import counts
from icf.catalogue.rounds import audit_set
from icf.catalogue.rounds.log import Round
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import answer, question
from icf.codes import Label
from icf.workspace import Workspace

Bar = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]

#: The format of a round's batches.
FORMAT = "csv"
QUESTIONS = "questions.csv"


@dataclass(frozen=True)
class Answered:
    """How far the questions of a round are answered.

    Attributes:
        asked: all of them.
        answered: those that are settled, or have as many answers as are wanted.
    """

    asked: int
    answered: int

    @property
    def complete(self) -> bool:
        """Whether nothing is left to answer."""
        return self.answered == self.asked


def batches_of(found: Round) -> Sequence[Mapping[str, Any]]:
    """The batches of a round, as its summary has them."""
    batches: Sequence[Mapping[str, Any]] = found.summary.get("batches", ())
    return batches


def ask_batch(workspace: Workspace, found: Round, bar: Bar) -> dict[str, Any] | None:
    """Ask the next batch of a round, and write it to a folder of its name.

    Before the first one, characters are set aside to compare models on.

    Returns:
        The batch for the summary; None if there is nothing to ask.

    Raises:
        WrongUse: its folder holds something else.
        BrokenMachine: the folder cannot be written.
    """
    settings = workspace.settings.round
    with workspace.catalogue.write() as connection:
        audit_set.freeze(
            connection, settings.audit_share, settings.audit_characters, settings.seed
        )
    known = len(batches_of(found))
    name = f"round-{found.number}" + (f"-{known + 1}" if known else "")
    batch = _write(workspace, f"batches/{name}", bar)
    if batch is None:
        return None
    with workspace.catalogue.read() as connection:
        references = count_references(connection, batch.id)
    return {
        "id": batch.id,
        "path": f"batches/{name}",
        "questions": batch.questions,
        "references": references,
    }


def write_again(workspace: Workspace, found: Round, bar: Bar) -> None:
    """Write the folder of a round's newest batch once more, if somebody removed it.

    Raises:
        BrokenMachine: the folder cannot be written.
    """
    path = batches_of(found)[-1]["path"]
    if not (workspace.root / path).exists():
        _write(workspace, path, bar)


def _write(workspace: Workspace, path: str, bar: Bar) -> Batch | None:
    """Ask the batch of a folder, or find it if it was asked before, and write it."""
    settings = workspace.settings
    limit = settings.round.batch or settings.annotate.batch
    request = ExportRequest(FORMAT, workspace.root / path, limit)
    with bar("cropping faces", None) as advance:
        return export(workspace, request, advance).batch


def count_answered(connection: sa.Connection, found: Round, votes: int) -> Answered:
    """Count the questions of a round and those that are answered.

    Args:
        connection: to the catalogue.
        found: the round.
        votes: how many answers are enough for a question, however they differ.
    """
    ids = [each["id"] for each in batches_of(found)]
    enough = sa.case((_is_answered(votes), 1), else_=0)
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(enough), 0)).where(
        question.c.batch_id.in_(ids)
    )
    asked, answered = connection.execute(query).one()
    return Answered(int(asked), int(answered))


def count_unanswered(connection: sa.Connection, votes: int) -> int:
    """Count all questions that wait for answers, whoever asked them.

    Args:
        connection: to the catalogue.
        votes: how many answers are enough for a question, however they differ.
    """
    return count_rows(connection, question, ~_is_answered(votes))


def _is_answered(votes: int) -> sa.ColumnElement[bool]:
    """Of questions: settled, or with as many answers that count as are wanted."""
    given = (
        sa.select(sa.func.count())
        .where(answer.c.question_id == question.c.id, counts())
        .correlate(question)
        .scalar_subquery()
    )
    return sa.or_(question.c.label != Label.OPEN.value, given >= votes)


def next_batch(found: Round) -> bool:
    """Whether another batch belongs to the round: the last one asked for references.

    Faces are asked about once people have confirmed what they are compared with.
    """
    batches = batches_of(found)
    return bool(batches) and bool(batches[-1]["references"])
