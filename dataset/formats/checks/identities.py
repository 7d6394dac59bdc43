"""Check ``identities.csv`` of a format against the contents."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from icf.dataset.contents import DISTRACTOR, PROBE, TRAIN, Contents
from icf.dataset.formats.checked import MISSING, Fault, ReleaseFiles
from icf.icartoonface.release_files import IDENTITIES
from icf.spreadsheet import meant_by

Row = tuple[str, ...]


def check_identities(
    files: ReleaseFiles, name: str = IDENTITIES.name
) -> Iterator[Fault]:
    """Yield how the table differs.

    Args:
        files: of the format.
        name: of the table.
    """
    if name not in files.hashes:
        yield Fault(name, MISSING)
        return
    columns = ("label", "role", "character", "album")
    found = read_rows(files.folder / name, columns)
    if found is None:
        yield Fault(name, f"is no table with the columns {', '.join(columns)}")
        return
    yield from differences(name, Counter(_identities(files.contents)), found)


def _identities(contents: Contents) -> Iterator[Row]:
    """The rows of ``identities.csv``, without the character's id."""
    labels: dict[int, tuple[str, str]] = {}
    parts: dict[int, set[str]] = {}
    for row in contents.rows(TRAIN, PROBE).tolist():
        label = int(contents.label[row])
        labels.setdefault(label, (contents.character[row], contents.album[row]))
        parts.setdefault(label, set()).add(contents.part[row])
    for label, names in labels.items():
        role = "seen" if len(parts[label]) == 2 else "train"
        if TRAIN not in parts[label]:
            role = "unseen"
        yield str(label), role, *names
    for row in contents.rows(DISTRACTOR).tolist():
        yield "-1", DISTRACTOR, contents.character[row], contents.album[row]


def read_rows(path: Path, columns: Row) -> Counter[Row] | None:
    """Count the rows of a table; None where it cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            return Counter(tuple(meant_by(row[c]) for c in columns) for row in rows)
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return None


def differences(
    name: str, expected: Counter[Row], found: Counter[Row]
) -> Iterator[Fault]:
    """Yield the rows that a table lacks, and those it has too many."""
    for row in sorted((expected - found).elements()):
        yield Fault(name, f"has no row {', '.join(row)}, which contents.csv gives")
    for row in sorted((found - expected).elements()):
        yield Fault(name, f"has the row {', '.join(row)}, which contents.csv gives not")
