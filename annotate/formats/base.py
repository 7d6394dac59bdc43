"""What a format of question batches and answer files has to provide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icf.annotate.answers import Row
from icf.annotate.batch import Question
from icf.spreadsheet import Table
from icf.text_file import TextFile


@dataclass(frozen=True)
class BatchWriter:
    """Writes a batch in one format.

    Attributes:
        markers: the files by which a batch folder of this format is recognised; it has
            at least one of them.
        write: from questions and the URL prefix of their pictures to the files of the
            folder, by name.
        url_prefix: from the batch's folder to the URL prefix to use by default.
    """

    markers: tuple[str, ...]
    write: Callable[[Sequence[Question], str], Mapping[str, bytes]]
    url_prefix: Callable[[Path], str] = lambda _folder: ""


@dataclass(frozen=True)
class Format:
    """A format of question batches and answer files.

    Attributes:
        name: as in ``--format``, in the catalogue and in results.
        expected: a file of answers in this format, in words for error messages.
        read_table: the rows of a CSV file; None if its columns are those of another
            format.
        read_json: the rows of a file that begins with a JSON list; None if the format
            is not JSON.
        read_lines: the rows of a file that begins with a JSON object, or None if it is
            of another format; None if the format has no objects in lines.
        writer: how a batch is exported; None for a format that is only imported.
        unit: what the numbers of its rows in JSON count.
        of_server: whether its people are numbered by the server that a file is from.
    """

    name: str
    expected: str
    read_table: Callable[[Table], Iterator[Row] | None]
    read_json: Callable[[TextFile], Iterator[Row]] | None = None
    read_lines: Callable[[TextFile], Iterator[Row] | None] | None = None
    writer: BatchWriter | None = None
    unit: str = "task"
    of_server: bool = False
