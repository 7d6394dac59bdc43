"""Import an answer file row by row, as `icf-annotate import` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path

import sqlalchemy as sa

from icf.annotate.answers import AnswerFile, Fault, Note
from icf.annotate.batch import Asked, read_asked
from icf.annotate.consequences import Effects
from icf.annotate.current_rule import current_rule
from icf.annotate.exchange.annotator_names import AnnotatorNames as AnnotatorNames
from icf.annotate.exchange.check import CheckedRows, check
from icf.annotate.exchange.earlier import Source
from icf.annotate.exchange.vote_spool import VoteSpool
from icf.annotate.formats.read_answers import read_answers
from icf.annotate.people.pseudonyms import PREFIX, names_by_pseudonym
from icf.annotate.record import Recorded, Recorder, preview
from icf.annotate.weighing import weigh_again
from icf.catalogue.schema import answer
from icf.codes import Label
from icf.errors import WrongUse
from icf.stores.files import hash_file
from icf.workspace import Workspace

#: Names of people that are not looked up twice.
_REMEMBERED = 10_000


@dataclass(frozen=True)
class Imported:
    """The result of an import; every row is in exactly one of the counts.

    Attributes:
        file: the file.
        taken: number of rows with a new answer.
        revised: number of rows that change an earlier answer of the same person.
        known: number of rows whose answer was already recorded.
        outlived: how many of these an answer without a time has replaced since.
        unanswered: number of rows without an answer.
        superseded: number of rows that the same person answered again later, in the
            same file.
        renamed: number of answers in the catalogue whose person has another name now.
        faults: rows that were refused, in the order of the file; of many with the same
            reason, the first.
        refused: number of refused rows by reason.
        rows: number of all rows.
        labels: number of questions by their new label.
        unmerged: number of characters whose merge was undone with its answer.
        effects: what followed for references and faces.
        notes: what is to be said about rows that were not refused; of many the first.
        noted: number of these rows by reason.
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
    superseded: int = 0
    outlived: int = 0
    renamed: int = 0
    notes: tuple[Note, ...] = ()
    noted: Mapping[str, int] = field(default_factory=dict)

    @property
    def filter_next(self) -> bool:
        """Whether faces wait for the filter now."""
        return bool(self.effects.filter_next or self.unmerged)


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
        WrongUse: a server is named, and the file is from none.
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
        WrongUse: a server is named, and the file is from none.
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
    source = Source(found.name, hash_file(path))
    if annotators.server is not None and not found.of_server:
        raise WrongUse(
            f"{path} is from no server: --server is for exports of Label Studio"
        )

    @lru_cache(_REMEMBERED)
    def remembered(origin: str) -> str | None:
        query = sa.select(answer.c.annotator).where(answer.c.origin == origin)
        with workspace.catalogue.read() as connection:
            newest = query.order_by(answer.c.id.desc()).limit(1)
            return connection.execute(newest).scalar()

    def behind(name: str) -> str | None:
        return pseudonyms().get(name) if name.startswith(PREFIX) else None

    @cache
    def pseudonyms() -> Mapping[str, str]:
        with workspace.catalogue.read() as connection:
            return names_by_pseudonym(connection, workspace.root)

    rows = (annotators.rename(row, remembered, behind) for row in found.rows)
    file = replace(found, rows=rows)

    def find_asked(ids: Sequence[int]) -> Mapping[int, Asked]:
        with workspace.catalogue.read() as connection:
            return read_asked(connection, ids)

    return file, source, check(file, find_asked, spool)


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
        superseded=checked.superseded,
        outlived=recorded.outlived,
        renamed=recorded.renamed,
        notes=checked.notes.kept(),
        noted={note.value: n for note, n in checked.notes.counts.most_common()},
    )
