"""Audit by file: write the labels to check as a batch, take the answers back.

The files are those of any batch, so nobody sees what the labels are. Their questions
are numbered by the audit, not by the catalogue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from icf.annotate.answers import AnswerFile, AnswerRow, Fault, Row, Vote
from icf.annotate.audit.audits import find_open
from icf.annotate.audit.checks import (
    Check,
    Item,
    RefusedCheck,
    Verdict,
    read_items,
    store_check,
)
from icf.annotate.audit.shown import in_place_of
from icf.annotate.batch import (
    OF_AUDIT,
    PICTURE_FOLDER,
    Asked,
    Question,
    find_batch,
)
from icf.annotate.exchange.check import check
from icf.annotate.exchange.vote_spool import VoteSpool
from icf.annotate.export import LOCK, write_crops
from icf.annotate.formats.question_csv import FILE, write
from icf.annotate.formats.read_answers import read_answers
from icf.annotate.import_answers import AnnotatorNames
from icf.annotate.people.people import lock_people
from icf.catalogue import tombstones
from icf.catalogue.annotation.schema import label_audit_item
from icf.catalogue.find_character import character_names
from icf.catalogue.rows import by_ids, count_rows
from icf.catalogue.schema import batch
from icf.codes import RowFault
from icf.errors import BrokenMachine, IcfError, WrongUse
from icf.models.face_crops import read_boxes
from icf.stores.files import new_folder, replace_file
from icf.workspace import Workspace


@dataclass(frozen=True)
class Written:
    """What was exported.

    Attributes:
        audit: its id.
        items: how many labels are in the folder.
        left_out: how many are not, because their picture is missing or damaged.
        written: False if the folder was there already; it is left as it is.
    """

    audit: int
    items: int
    left_out: int
    written: bool = True


@dataclass(frozen=True)
class Taken:
    """What was imported.

    Attributes:
        taken: new answers.
        known: answers that were there already.
        unanswered: rows without an answer.
        refused: rows that were refused.
        faults: these, with why; of very many with the same reason, the first.
    """

    taken: int
    known: int
    unanswered: int
    refused: int
    faults: Sequence[Fault]


def batch_name(audit_id: int, folder: int | None = None) -> str:
    """The name of an audit as a batch, and of one of its folders.

    >>> batch_name(3), batch_name(3, 2)
    ('audit-3', 'audit-3.2')
    """
    return f"{OF_AUDIT}{audit_id}" + ("" if folder is None else f".{folder}")


def export(
    workspace: Workspace,
    folder: Path,
    *,
    disputed: bool = False,
    done: Callable[[int], None] = lambda pictures: None,
) -> Written:
    """Write the labels that wait for people to a new folder; the same call is known.

    Args:
        workspace: whose labels are audited.
        folder: a new one.
        disputed: those that a reviewer must decide on, instead of those to check.
        done: called with the number of pictures that were cut.

    Raises:
        WrongUse: no audit is open, nothing waits, or the folder has something else.
        BrokenMachine: the disk fails.
    """
    workspace.check_blobs()
    what = f"icf-annotate audit export {folder}"
    with workspace.one_at_a_time(LOCK, what):
        return _present(workspace, folder) or _export(workspace, folder, disputed, done)


def _present(workspace: Workspace, folder: Path) -> Written | None:
    """What was exported to this folder before; None where nothing is.

    Raises:
        WrongUse: the folder contains something else.
    """
    with workspace.catalogue.read() as connection:
        found = find_batch(connection, workspace.stored_path(folder))
    if (
        found is not None
        and found.id.startswith(OF_AUDIT)
        and (folder / FILE).is_file()
    ):
        number = found.id.removeprefix(OF_AUDIT).partition(".")[0]
        return Written(int(number), found.questions, 0, written=False)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WrongUse(f"{folder} contains something else; name a new folder")
    return None


def _export(
    workspace: Workspace, folder: Path, disputed: bool, done: Callable[[int], None]
) -> Written:
    with workspace.catalogue.read() as connection:
        audit_id, items = _waiting(connection, disputed=disputed)
        name = _next_name(connection, audit_id)
        questions = _questions(connection, name, items)
        shown = {each.face_id for each in items}
        shown |= {each.reference_face_id for each in items}
        boxes = read_boxes(connection, shown)
    complete: list[Question] = []

    @contextmanager
    def publishing(made: Path) -> Iterator[None]:
        """Enter the folder in the catalogue, so that takedowns find its pictures."""
        with workspace.catalogue.write() as connection:
            tombstones.hold(connection)
            gone = tombstones.withdrawn_faces(connection, [box.id for box in boxes])
            if gone:
                raise IcfError(
                    f"the folder {folder} was not written, because pictures of it "
                    "were withdrawn meanwhile; run the same command again"
                )
            row = {
                "id": name,
                "format": "csv",
                "path": workspace.stored_path(folder),
                "questions": len(complete),
                "created_at": time.time(),
            }
            connection.execute(sa.insert(batch).values(row))
            yield

    try:
        with new_folder(folder.resolve(), publishing) as made:
            (made / PICTURE_FOLDER).mkdir()
            errors = write_crops(workspace, made, boxes, done)
            complete += [
                each
                for each in questions
                if not {each.face_id, each.reference_face_id} & errors.keys()
            ]
            replace_file(made / FILE, [write(complete, "")])
    except OSError as error:
        raise BrokenMachine(
            f"cannot write the folder {folder}: {error}; free some space and run the "
            "same command again"
        ) from error
    return Written(audit_id, len(complete), len(questions) - len(complete))


def import_checks(
    workspace: Workspace, path: Path, annotators: AnnotatorNames, *, decides: bool
) -> Taken:
    """Take the answers of a file that `export` wrote; each row is counted.

    Args:
        workspace: whose labels are audited.
        path: the file, filled in.
        annotators: names of who answered.
        decides: whether its answers are reviewers' decisions.

    Raises:
        BadInput: the file cannot be read, or has another format.
    """
    read = read_answers(path)
    rows = (_of_audit(annotators.rename(row)) for row in read.rows)
    file = AnswerFile(read.name, read.format, rows, read.unit)
    with workspace.catalogue.read() as connection, VoteSpool() as spool:
        checked = check(file, lambda ids: _asked(connection, ids), spool)
        votes = list(checked.votes)
    faults: list[Fault] = []
    taken = 0
    with workspace.catalogue.write() as connection:
        lock_people(connection, {vote.annotator for vote in votes})
        for vote in votes:
            try:
                with connection.begin_nested():
                    taken += store_check(connection, _check(vote, read.name, decides))
            except RefusedCheck as error:
                fault = Fault(vote.line, RowFault.REFUSED_BY_AUDIT, str(error))
                faults.append(fault)
    every = sorted([*faults, *checked.faults.kept()], key=lambda each: each.line)
    return Taken(
        taken,
        len(votes) - taken - len(faults),
        checked.unanswered,
        sum(checked.faults.counts.values()) + len(faults),
        every,
    )


def _of_audit(row: Row) -> Row:
    """The row, as of the audit's only batch, whichever folder it was written to."""
    if not isinstance(row, AnswerRow) or row.batch is None:
        return row
    return replace(row, batch=row.batch.partition(".")[0])


def _check(vote: Vote, file: str, decides: bool) -> Check:
    return Check(
        vote.question_id,
        vote.annotator,
        vote.choice,
        vote.answered_at,
        file=file,
        decides=decides,
    )


def _waiting(
    connection: sa.Connection, *, disputed: bool
) -> tuple[int, Sequence[Item]]:
    audit = find_open(connection)
    if audit is None:
        raise WrongUse("no audit is open; plan one with `icf-annotate audit plan`")
    wanted = Verdict.TO_DECIDE if disputed else Verdict.TO_CHECK
    items = [
        each for each in read_items(connection, audit.id) if each.verdict is wanted
    ]
    if not items:
        what = "to be decided on" if disputed else "to be checked"
        raise WrongUse(
            f"no label of audit {audit.id} waits {what}; `icf-annotate audit result` "
            "says what is missing"
        )
    return audit.id, items


def _questions(
    connection: sa.Connection, name: str, items: Sequence[Item]
) -> list[Question]:
    owners = character_names(connection, (each.character_id for each in items))
    return [
        Question(
            each.id,
            name,
            owners[each.character_id].album,
            owners[each.character_id].name,
            each.face_id,
            each.reference_face_id,
        )
        for each in items
    ]


def _asked(connection: sa.Connection, ids: Sequence[int]) -> Mapping[int, Asked]:
    """What each item that exists asks."""
    table = label_audit_item.c
    columns = (table.audit_id, table.face_id, table.character_id)
    query = sa.select(table.id, *columns, table.reference_face_id)
    rows = list(by_ids(connection, query, table.id, ids))
    # A file that was written before a reference was withdrawn shows that one.
    others = in_place_of(connection, rows)
    return {
        row.id: Asked(
            batch_name(row.audit_id),
            frozenset({row.face_id, row.reference_face_id, *(some or ())}),
        )
        for row, some in zip(rows, others, strict=True)
    }


def _next_name(connection: sa.Connection, audit_id: int) -> str:
    """The name of the audit's next folder; a batch of none of the questions."""
    like = batch.c.id.like(batch_name(audit_id) + ".%")
    return batch_name(audit_id, count_rows(connection, batch, like) + 1)
