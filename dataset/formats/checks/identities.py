"""Check ``identities.csv`` of a format against the contents."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from icf.dataset.contents import DISTRACTOR, PROBE, TRAIN, Contents
from icf.dataset.formats.checked import MISSING, Fault, ReleaseFiles
from icf.dataset.formats.registry import format_folders
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
    meant = Counter(_identities(files.contents))
    yield from differences(name, meant, found)
    if found == meant:
        yield from _ids(files, name)


def _ids(files: ReleaseFiles, name: str) -> Iterator[Fault]:
    """Yield ids of characters that are not one of each, or not the first format's."""
    columns = ("album", "character", "character_id")
    found = read_rows(files.folder / name, columns)
    if found is None:
        yield Fault(name, f"has no column {columns[-1]}")
        return
    elsewhere = _first(files, name, columns)
    known: dict[str, Row] = {}
    for row in sorted(found):
        who, number = row[:-1], row[-1]
        named = "/".join(who)
        if not number.isdecimal() or not number.isascii():
            yield Fault(name, f"has the id {number!r} of {named}, which is no number")
        elif known.setdefault(number, who) != who:
            other = "/".join(known[number])
            yield Fault(name, f"has the id {number} of {named}, and of {other}")
        elif elsewhere is not None and row not in elsewhere[1]:
            what = f"has the id {number} of {named}, and another in {elsewhere[0]}"
            yield Fault(name, what)
    count = Counter(row[:-1] for row in found)
    for who, several in sorted(count.items()):
        if several > 1:
            yield Fault(name, f"has {several} ids of {'/'.join(who)}")


def _first(
    files: ReleaseFiles, name: str, columns: Row
) -> tuple[str, Counter[Row]] | None:
    """The table of the first format that has one; None: it is this one."""
    if files.root is None:
        return None
    for place in format_folders(files.summary).values():
        for each in (IDENTITIES.as_posix(), IDENTITIES.name):
            path = files.root / place / each
            if path == files.folder / name:
                return None
            if path.is_file() and (found := read_rows(path, columns)) is not None:
                return path.relative_to(files.root).as_posix(), found
    return None


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
