"""Import an answer file row by row, as `icf-annotate import` does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from icf.annotate.answers import AnswerFile, AnswerRow, Fault, Row
from icf.annotate.check import CheckedRows, check
from icf.annotate.consequences import Effects
from icf.annotate.current_rule import current_rule
from icf.annotate.following import read_batches
from icf.annotate.formats.read_answers import read_answers
from icf.annotate.record import Recorded, Recorder, Source, preview
from icf.annotate.vote_spool import VoteSpool
from icf.annotate.weighing import weigh_again
from icf.codes import Label
from icf.names import normal_name
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
        found = normal_name(row.annotator or self.default or "")
        name = self._normal_names.get(found, found)
        return row if name == row.annotator else replace(row, annotator=name)

    @cached_property
    def _normal_names(self) -> dict[str, str]:
        return {normal_name(a): normal_name(b) for a, b in self.names.items()}


@dataclass(frozen=True)
class Imported:
    """The result of an import; every row is in exactly one of the counts.

    Attributes:
        file: the file.
        taken: number of rows with a new answer.
        revised: number of rows that change an earlier answer of the same person.
        known: number of rows whose answer was already recorded.
        unanswered: number of rows without an answer.
        faults: rows that were refused, in the order of the file; of many with the same
            reason, the first.
        refused: number of refused rows by reason.
        rows: number of all rows.
        labels: number of questions by their new label.
        unmerged: number of characters whose merge was undone with its answer.
        effects: what followed for references and faces.
    """

    file: AnswerFile
    taken: int
    revised: int
    known: int
    unanswered: int
    faults: tuple[Fault, ...]
    refused: Mapping[str, int]
    rows: int
    labels: Mapping[Label, int]
    unmerged: int = 0
    effects: Effects = field(default_factory=Effects)

    @property
    def filter_next(self) -> bool:
        """Whether faces wait for the filter now."""
        effects = self.effects
        changed = effects.refused | effects.restored | effects.faces_back
        return bool(changed or self.unmerged)


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
    with VoteSpool() as spool:
        file, source, checked = _read(workspace, path, annotators, spool)
        run_id = workspace.begin_run("icf-annotate import")
        rule = current_rule(workspace)
        recorder = Recorder(workspace.catalogue, run_id, source, rule)
        recorded = recorder.record(checked.votes, done)
        if recorded.taken or recorded.revised:
            recorded.add(weigh_again(workspace, run_id))
        workspace.end_run(run_id)
        return _result(file, checked, recorded)


def preview_import(
    workspace: Workspace, path: Path, annotators: AnnotatorNames
) -> Imported:
    """Count what an import would do, without deriving labels or writing anything.

    Raises:
        BadInput: the file cannot be read, or its format is unknown.
    """
    with VoteSpool() as spool:
        file, source, checked = _read(workspace, path, annotators, spool)
        with workspace.catalogue.read() as connection:
            recorded = preview(connection, source, checked.votes)
        return _result(file, checked, recorded)


def _read(
    workspace: Workspace, path: Path, annotators: AnnotatorNames, spool: VoteSpool
) -> tuple[AnswerFile, Source, CheckedRows]:
    found = read_answers(path)
    source = Source(found.name, _sha256(path))
    file = replace(found, rows=map(annotators.rename, found.rows))

    def find_batches(ids: Sequence[int]) -> Mapping[int, str]:
        with workspace.catalogue.read() as connection:
            return read_batches(connection, ids)

    return file, source, check(file, find_batches, spool)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _result(file: AnswerFile, checked: CheckedRows, recorded: Recorded) -> Imported:
    faults = checked.faults
    for fault in recorded.faults:
        faults.add(fault)
    counts = faults.counts.most_common()
    return Imported(
        file=file,
        taken=recorded.taken,
        revised=recorded.revised,
        known=recorded.known,
        unanswered=checked.unanswered,
        faults=faults.kept(),
        refused={reason.value: count for reason, count in counts if count},
        rows=checked.rows,
        labels=recorded.labels,
        unmerged=recorded.unmerged,
        effects=recorded.effects,
    )
