"""Recognise a file of answers by what is in it, and read it row by row."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from icf.annotate import label_studio, mturk, question_csv
from icf.annotate.answers import AnswersFile, Fault, Row
from icf.annotate.csv_rows import CsvRow, CsvTable, parse_tables
from icf.codes import RowFault
from icf.errors import BadInput

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_answers(path: Path) -> AnswersFile:
    """Read a file of answers; its name and ending do not matter.

    Raises:
        BadInput: the file cannot be read, or is in no format known here.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    if data.startswith(_UTF16):
        return AnswersFile(path.name, "csv", tuple(_lines_of_utf16(data)))
    # Bytes that are not UTF-8 become characters that no text has; rows with them are
    # refused one by one.
    text = data.decode("utf-8-sig", errors="surrogateescape")
    if label_studio.reads(text):
        return AnswersFile(path.name, "label-studio", tuple(label_studio.read(text)))
    for table in parse_tables(text):
        if mturk.reads(table.header):
            rows = _read_table(table, mturk.read, mturk.OPTIONAL_LAST)
            return AnswersFile(path.name, "mturk", tuple(rows))
        if question_csv.reads(table.header):
            return AnswersFile(
                path.name, "csv", tuple(_read_table(table, question_csv.read))
            )
    raise BadInput(
        f"{path} is no file of answers: expected questions.csv filled in (columns "
        "question, answer, annotator), an MTurk results file (Input.question_id, "
        "WorkerId, Answer.same) or a JSON export of Label Studio"
    )


def _read_table(
    table: CsvTable,
    read: Callable[[Iterable[CsvRow]], Iterator[Row]],
    optional_last: tuple[str, ...] = (),
) -> Iterator[Row]:
    for row in table.rows(optional_last):
        if isinstance(row, Fault):
            yield row
        else:
            yield from read([row])


def _lines_of_utf16(data: bytes) -> Iterator[Fault]:
    lines = data.decode("utf-16", errors="replace").splitlines()
    for line, _ in enumerate(lines, 1):
        yield Fault(line, RowFault.BAD_ENCODING, "it is UTF-16; save it as UTF-8")
