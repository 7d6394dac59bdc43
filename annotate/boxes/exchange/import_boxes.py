"""Import a file of boxes: each row is one person's answer about one picture."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import sqlalchemy as sa

from icf.annotate.answers import (
    LONGEST_ANNOTATOR,
    AnswerRow,
    EmptyRow,
    Fault,
    Faults,
    is_storable,
)
from icf.annotate.boxes.exchange.rows import BoxFile, BoxRow, Row, parse_picture
from icf.annotate.boxes.merge import Rule
from icf.annotate.boxes.opinion import read_opinion
from icf.annotate.boxes.record import (
    BoxAnswer,
    Stored,
    follow,
    insert_answer,
    lock_tasks,
    noted_file,
)
from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.annotate.formats.values import NOT_CREDIBLE, is_credible
from icf.annotate.tasks.base import RefusedAnswer
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import image
from icf.codes import ImageReason, RowFault
from icf.workspace import Workspace

#: What the ledger calls it.
COMMAND = "icf-annotate import"

#: Rows of a transaction.
CHUNK = 200


@dataclass
class ImportedBoxes:
    """What became of the rows of a file.

    Attributes:
        file: what was read.
        rows: all of them.
        taken: new answers.
        revised: answers that replace an earlier one of the same person.
        known: answers that were known, or older than what is known.
        unanswered: rows without an answer.
        faults: refused rows.
    """

    file: BoxFile
    rows: int = 0
    taken: int = 0
    revised: int = 0
    known: int = 0
    unanswered: int = 0
    faults: Faults = field(default_factory=Faults)

    @property
    def refused(self) -> Counter[RowFault]:
        """How many rows were refused, by reason."""
        return self.faults.counts


@dataclass(frozen=True, eq=False)
class BoxImporter:
    """Stores the rows of files.

    Attributes:
        workspace: where to.
        rule: when people agree.
        names: what people are called.
    """

    workspace: Workspace
    rule: Rule
    names: AnnotatorNames

    def store(
        self, file: BoxFile, done: Callable[[int], None] = lambda rows: None
    ) -> ImportedBoxes:
        """Store all rows, some in each transaction; the same file again adds nothing.

        Args:
            file: what was read.
            done: called with the number of rows of each transaction.
        """
        total = ImportedBoxes(file)
        run_id = self.workspace.begin_run(COMMAND)
        for part in _parts(file.rows):
            with self.workspace.catalogue.write() as connection:
                self._store(connection, run_id, part, total)
            done(len(part))
        self.workspace.end_run(run_id)
        return total

    def preview(self, file: BoxFile) -> ImportedBoxes:
        """Count what `store` would do, and write nothing."""
        total = ImportedBoxes(file)
        with self.workspace.catalogue.scratch() as connection:
            run_id = self.workspace.note_run(connection, COMMAND)
            for part in _parts(file.rows):
                self._store(connection, run_id, part, total)
        return total

    def _store(
        self,
        connection: sa.Connection,
        run_id: int,
        part: Sequence[Row],
        total: ImportedBoxes,
    ) -> None:
        pictures = _read_pictures(connection, part)
        hidden = lock_tasks(connection, pictures)
        changed = set()
        for row in part:
            total.rows += 1
            if isinstance(row, EmptyRow):
                total.unanswered += 1
                continue
            given = (
                row
                if isinstance(row, Fault)
                else self._given(row, total.file, pictures, hidden)
            )
            if isinstance(given, Fault):
                total.faults.add(given)
                continue
            stored = insert_answer(connection, given)
            total.taken += stored is Stored.NEW
            total.revised += stored is Stored.REVISED
            total.known += stored is Stored.KNOWN
            if stored is not Stored.KNOWN:
                changed.add(given.image_id)
        follow(connection, run_id, sorted(changed), self.rule)

    def _given(
        self,
        row: BoxRow,
        file: BoxFile,
        pictures: dict[int, sa.Row[tuple[int]]],
        hidden: dict[int, bool],
    ) -> BoxAnswer | Fault:
        found = parse_picture(row.picture)
        picture = pictures.get(found[0]) if found else None
        if found is None or picture is None or found[0] not in hidden:
            message = f"nobody is asked about a picture {row.picture[-80:]!r}"
            return _fault(row, RowFault.UNKNOWN_PICTURE, message)
        if not picture.sha256.startswith(found[1]):
            message = f"{row.picture[-80:]!r} is a picture of another workspace"
            return _fault(row, RowFault.UNKNOWN_PICTURE, message)
        size = picture.width, picture.height
        if row.size is not None and row.size != size:
            message = (
                "its boxes are for a picture of {} x {} pixels, and it has {} x {}"
            ).format(*row.size, *size)
            return _fault(row, RowFault.BAD_BOXES, message)
        if row.answered_at is not None and not is_credible(row.answered_at):
            return _fault(row, RowFault.BAD_ROW, NOT_CREDIBLE)
        annotator = self._annotator(row)
        if not annotator or len(annotator) > LONGEST_ANNOTATOR:
            message = "it does not say who drew the boxes: use --annotator"
            return _fault(row, RowFault.BAD_ROW, message)
        try:
            opinion = read_opinion(row.value, *size)
        except RefusedAnswer as error:
            return _fault(row, RowFault.BAD_BOXES, str(error))
        return BoxAnswer(
            found[0],
            annotator,
            opinion,
            shown=file.shown and not hidden[found[0]],
            answered_at=row.answered_at or time.time(),
            file=noted_file(file.name, file.sha256),
            seconds=row.seconds,
            dated=row.answered_at is not None,
        )

    def _annotator(self, row: BoxRow) -> str:
        """Who it was, as the catalogue calls people of other files too."""
        written = AnswerRow(
            row.number, "", row.annotator, "", origin=row.annotator or None
        )
        renamed = self.names.rename(written)
        assert isinstance(renamed, AnswerRow)
        return renamed.annotator if is_storable(renamed.annotator) else ""


def _read_pictures(
    connection: sa.Connection, part: Sequence[Row]
) -> dict[int, sa.Row[tuple[int]]]:
    """The pictures that rows name, as far as they are there."""
    named = (parse_picture(row.picture) for row in part if isinstance(row, BoxRow))
    ids = sorted({each[0] for each in named if each})
    query = sa.select(image.c.id, image.c.sha256, image.c.width, image.c.height).where(
        image.c.reason != ImageReason.TAKEN_DOWN.value
    )
    return {row.id: row for row in by_ids(connection, query, image.c.id, ids)}


def _fault(row: BoxRow, reason: RowFault, message: str) -> Fault:
    return Fault(row.number, reason, message, item=row.item)


def _parts(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while part := list(islice(rows, CHUNK)):
        yield part
