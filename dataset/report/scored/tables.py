"""Tables 3 to 5 of the paper, where `icf bench tables` made them on this data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icf.errors import BadInput
from icf.spreadsheet import TableRow, read_table
from icf.text_file import open_text

#: The folder of a workspace that they are looked for in, as the docs have the command.
FOLDER = "tables"
#: The table's number by what it compares.
TITLES = {"3": "losses", "4": "terms of the multi-task loss", "5": "enlarged boxes"}
RANKS = (1, 5, 10)


@dataclass(frozen=True)
class BenchRow:
    """A row of a table: percents within rank 1, 5 and 10, as text; empty: not yet."""

    label: str
    seeds: str
    here: Sequence[str]
    paper: Sequence[str]


@dataclass(frozen=True)
class BenchTable:
    """A table.

    Attributes:
        number: in the paper.
        title: what it compares.
        column: over the rows' labels.
        rows: from first to last.
    """

    number: str
    title: str
    column: str
    rows: Sequence[BenchRow]


@dataclass(frozen=True)
class ShownTables:
    """What was made.

    Attributes:
        about: what the command says above its tables: how long trainings were.
        tables: those that are there.
    """

    about: str
    tables: Sequence[BenchTable]


def read_tables(root: Path) -> ShownTables | None:
    """Read the tables of a workspace; None where none is there or can be read.

    Args:
        root: the workspace.
    """
    folder = root / FOLDER
    tables = [
        table
        for number in TITLES
        if (table := _read(folder / f"table-{number}.csv", number)) is not None
    ]
    return ShownTables(_about(folder / "tables.md"), tables) if tables else None


def _about(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, ValueError):
        return ""


def _read(path: Path, number: str) -> BenchTable | None:
    if not path.is_file():
        return None
    try:
        table = read_table(open_text(path))
        if table is None:
            return None
        rows = [
            _row(each, table.header[0])
            for each in table.rows()
            if isinstance(each, TableRow)
        ]
    except (OSError, BadInput, KeyError):
        return None
    return BenchTable(number, TITLES[number], table.header[0].replace("_", " "), rows)


def _row(row: TableRow, column: str) -> BenchRow:
    cells = row.cells
    return BenchRow(
        cells[column],
        cells["seeds"],
        [_percent(cells, rank) for rank in RANKS],
        [_number(cells[f"paper_rank{rank}"]) for rank in RANKS],
    )


def _percent(cells: Mapping[str, str], rank: int) -> str:
    """A percent with half the width of its interval, where it has one."""
    value, low = cells[f"rank{rank}"], cells[f"rank{rank}_low"]
    if not _number(value) or not _number(low):
        return _number(value)
    return f"{_number(value)} ± {float(value) - float(low):.2f}"


def _number(text: str) -> str:
    return f"{float(text):.2f}" if re.fullmatch(r"-?\d+(\.\d+)?", text) else ""
