"""Take in a file of answers, row by row; what `icf-annotate import` does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from icf.annotate.answers import AnswersFile, Fault, Given, Row
from icf.annotate.check import Checked, check, named_questions
from icf.annotate.read_answers import read_answers
from icf.annotate.record import Recorded, Recorder, batches_of, preview
from icf.codes import Label
from icf.workspace import Workspace


@dataclass(frozen=True)
class People:
    """What annotators are called in the catalogue.

    Attributes:
        names: by what they are called in the file; the others keep their names.
        nameless: whose the rows are that name nobody; None refuses those rows.
    """

    names: Mapping[str, str]
    nameless: str | None = None

    def rename(self, row: Row) -> Row:
        """The row with its annotator's name in the catalogue."""
        if not isinstance(row, Given):
            return row
        found = row.annotator or self.nameless or ""
        return replace(row, annotator=self.names.get(found, found))


@dataclass(frozen=True)
class Imported:
    """What became of a file; every row is in exactly one of the counts.

    Attributes:
        file: what was read.
        taken: rows with a new answer.
        known: rows with an answer that was known.
        unanswered: rows without an answer.
        faults: rows that were refused, in the order of the file.
        labels: questions by the label they newly got.
    """

    file: AnswersFile
    taken: int
    known: int
    unanswered: int
    faults: tuple[Fault, ...]
    labels: Mapping[Label, int]

    @property
    def refused(self) -> dict[str, int]:
        """How many rows were refused, by reason."""
        return dict(Counter(fault.reason.value for fault in self.faults).most_common())


def import_answers(
    workspace: Workspace,
    path: Path,
    people: People,
    done: Callable[[int], None] = lambda rows: None,
) -> Imported:
    """Take every good row of a file, and label the questions they are about.

    Raises:
        BadInput: the file is no file of answers.
    """
    file, checked = _read(workspace, path, people)
    run_id = workspace.begin_run("icf-annotate import")
    needed = workspace.settings.annotate.votes
    recorder = Recorder(workspace.catalogue, run_id, file.name, needed)
    recorded = recorder.record(checked.votes, done)
    workspace.end_run(run_id)
    return _result(file, checked, recorded)


def preview_import(workspace: Workspace, path: Path, people: People) -> Imported:
    """Tell what an import would do; nothing is written, labels are not worked out.

    Raises:
        BadInput: the file is no file of answers.
    """
    file, checked = _read(workspace, path, people)
    with workspace.catalogue.read() as connection:
        return _result(file, checked, preview(connection, checked.votes))


def _read(
    workspace: Workspace, path: Path, people: People
) -> tuple[AnswersFile, Checked]:
    found = read_answers(path)
    file = replace(found, rows=tuple(map(people.rename, found.rows)))
    with workspace.catalogue.read() as connection:
        batches = batches_of(connection, named_questions(file))
    return file, check(file, batches)


def _result(file: AnswersFile, checked: Checked, recorded: Recorded) -> Imported:
    faults = sorted([*checked.faults, *recorded.faults], key=lambda fault: fault.line)
    return Imported(
        file=file,
        taken=recorded.taken,
        known=recorded.known,
        unanswered=checked.unanswered,
        faults=tuple(faults),
        labels=recorded.labels,
    )
