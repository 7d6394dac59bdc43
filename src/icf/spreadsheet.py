"""CSV files that are safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: str) -> str:
    """Escape a cell that a spreadsheet would run as a formula.

    >>> harmless("=1+1"), harmless("CC0")
    ("'=1+1", 'CC0')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def write_csv(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write a CSV file with a header (RFC 4180); cells are written as they are."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
