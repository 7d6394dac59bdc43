"""Import an answer file row by row, as `icf-annotate import` does."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from icf.annotate.answers import AnswerFile, AnswerRow, Fault, Row
from icf.annotate.check import CheckedRows, check, question_ids
from icf.annotate.formats.read_answers import read_answers
from icf.annotate.record import Recorded, Recorder, Source, preview, read_batches
from icf.codes import Label
from icf.workspace import Workspace


@dataclass(frozen=True)
class AnnotatorNames:
    """The names of annotators in the catalogue.

    Attributes:
        names: new names by name in the file; other names are kept.
        default: annotator of rows without one; None refuses these rows.
    """

    names: Mapping[str, str]
    default: str | None = None

    def rename(self, row: Row) -> Row:
        """The row with its annotator's name in the catalogue."""
        if not isinstance(row, AnswerRow):
            return row
        found = row.annotator or self.default or ""
        return replace(row, annotator=self.names.get(found, found))


@dataclass(frozen=True)
class Imported:
    """The result of an import; every row is in exactly one of the counts.

    Attributes:
        file: the file.
        taken: number of rows with a new answer.
        revised: number of rows that change an earlier answer of the same person.
        known: number of rows whose answer was already recorded.
        unanswered: number of rows without an answer.
        faults: rows that were refused, in the order of the file.
        labels: number of questions by their new label.
        unmerged: number of characters whose merge was undone with its answer.
    """

    file: AnswerFile
    taken: int
    revised: int
    known: int
    unanswered: int
    faults: tuple[Fault, ...]
    labels: Mapping[Label, int]
    unmerged: int = 0

    @property
    def refused(self) -> dict[str, int]:
        """Number of refused rows by reason."""
        return dict(Counter(fault.reason.value for fault in self.faults).most_common())


def import_answers(
    workspace: Workspace,
    path: Path,
    annotators: AnnotatorNames,
    done: Callable[[int], None] = lambda rows: None,
) -> Imported:
    """Import every good row of a file, and label the questions they are about.

    Args:
        workspace: whose questions were answered.
        path: the answer file.
        annotators: how to name the annotators.
        done: called with the number of rows of each transaction.

    Raises:
        BadInput: the file cannot be read, or its format is unknown.
    """
    file, source, checked = _read(workspace, path, annotators)
    run_id = workspace.begin_run("icf-annotate import")
    needed = workspace.settings.annotate.votes
    recorder = Recorder(workspace.catalogue, run_id, source, needed)
    recorded = recorder.record(checked.votes, done)
    workspace.end_run(run_id)
    return _result(file, checked, recorded)


def preview_import(
    workspace: Workspace, path: Path, annotators: AnnotatorNames
) -> Imported:
    """Count what an import would do, without deriving labels or writing anything.

    Raises:
        BadInput: the file cannot be read, or its format is unknown.
    """
    file, source, checked = _read(workspace, path, annotators)
    with workspace.catalogue.read() as connection:
        return _result(file, checked, preview(connection, source, checked.votes))


def _read(
    workspace: Workspace, path: Path, annotators: AnnotatorNames
) -> tuple[AnswerFile, Source, CheckedRows]:
    found = read_answers(path)
    source = Source(found.name, hashlib.sha256(path.read_bytes()).hexdigest())
    file = replace(found, rows=tuple(map(annotators.rename, found.rows)))
    with workspace.catalogue.read() as connection:
        batches = read_batches(connection, question_ids(file))
    return file, source, check(file, batches)


def _result(file: AnswerFile, checked: CheckedRows, recorded: Recorded) -> Imported:
    faults = sorted([*checked.faults, *recorded.faults], key=lambda fault: fault.line)
    return Imported(
        file=file,
        taken=recorded.taken,
        revised=recorded.revised,
        known=recorded.known,
        unanswered=checked.unanswered,
        faults=tuple(faults),
        labels=recorded.labels,
        unmerged=recorded.unmerged,
    )
