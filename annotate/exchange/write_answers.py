"""Write the answers of a workspace to a file, which `icf-annotate import` reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from icf.annotate.exchange.answer_table import GivenAnswer, read_answers_given
from icf.annotate.formats.csv_rows import csv_line
from icf.annotate.formats.json_lines import json_line
from icf.annotate.formats.values import is_credible, iso_of
from icf.annotate.people.pseudonyms import read_pseudonyms
from icf.annotate.people.tokens import read_key
from icf.errors import BrokenMachine, WrongUse
from icf.stores.files import replace_file
from icf.workspace import Workspace

COLUMNS = tuple(each.name for each in fields(GivenAnswer))


@dataclass(frozen=True)
class WrittenAnswers:
    """What was written.

    Attributes:
        format: ``"csv"`` or ``"jsonl"``.
        answers: how many.
        people: of how many people.
    """

    format: str
    answers: int
    people: int


def write_answers(
    workspace: Workspace,
    path: Path,
    *,
    names: bool = False,
    done: Callable[[int], None] = lambda answers: None,
) -> WrittenAnswers:
    """Write every answer that counts to a new file; memory does not grow with them.

    Args:
        workspace: whose questions were answered.
        path: the file; its name ends with .csv or .jsonl.
        names: whether people are called by their names instead of pseudonyms.
        done: called with the number of answers written since the last call.

    Raises:
        WrongUse: the file exists, or its name ends otherwise.
        BrokenMachine: it cannot be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise WrongUse(f"{path}: the name must end with {' or '.join(_WRITERS)}")
    if path.exists():
        raise WrongUse(f"{path} exists already; answers are written to a new file")
    people: set[str] = set()
    count = 0

    def counted(rows: Iterable[GivenAnswer]) -> Iterator[GivenAnswer]:
        nonlocal count
        for row in rows:
            people.add(row.annotator)
            count += 1
            yield row
            done(1)

    with workspace.catalogue.read() as connection:
        pseudonyms = read_pseudonyms(connection, read_key(workspace.root))
        called = str if names else pseudonyms.of
        rows = counted(read_answers_given(connection, called))
        try:
            replace_file(path, write(rows))
        except OSError as error:
            raise BrokenMachine(f"cannot write {path}: {error.strerror}") from error
    return WrittenAnswers(path.suffix[1:].lower(), count, len(people))


def _csv(rows: Iterable[GivenAnswer]) -> Iterator[bytes]:
    """A table; the cells of what is not known are empty."""
    yield csv_line(COLUMNS)
    for row in rows:
        yield csv_line([_cell(value) for value in _values(row).values()])


def _json_lines(rows: Iterable[GivenAnswer]) -> Iterator[bytes]:
    """An object a line; what is not known is null."""
    for row in rows:
        yield json_line(_values(row))


def _values(row: GivenAnswer) -> dict[str, object]:
    """The values of an answer by column; its time as a text."""
    values: dict[str, object] = {name: getattr(row, name) for name in COLUMNS}
    at = row.answered_at
    # An earlier version may have taken what no moment can be.
    values["answered_at"] = iso_of(at) if at is not None and is_credible(at) else None
    return values


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


#: How to write answers, by the end of the file's name.
_WRITERS = {".csv": _csv, ".jsonl": _json_lines}
