"""Check the tables that come with the published lists against the contents."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from icf.dataset.contents import DISTRACTOR, PROBE, TRAIN, Contents
from icf.dataset.formats.checked import MISSING, Fault, ReleaseFiles
from icf.icartoonface.release_files import ACCEPTED, FOLLOWERS, IDENTITIES, UNASKED
from icf.spreadsheet import meant_by

Row = tuple[str, ...]

#: The table of the faces that people did not confirm themselves, by who did.
LISTS = {"reference": UNASKED, "model": ACCEPTED, "track": FOLLOWERS}


def check_identities(files: ReleaseFiles) -> Iterator[Fault]:
    """Yield how ``identities.csv`` differs."""
    name = IDENTITIES.as_posix()
    if name not in files.hashes:
        yield Fault(name, MISSING)
        return
    columns = ("label", "role", "character", "album")
    found = _read(files.folder / IDENTITIES, columns)
    if found is None:
        yield Fault(name, f"is no table with the columns {', '.join(columns)}")
        return
    yield from _differ(name, Counter(_identities(files.contents)), found)


def check_unconfirmed(
    files: ReleaseFiles, folders: Mapping[str, Path]
) -> Iterator[Fault]:
    """Yield how the tables of faces differ that nobody was asked about."""
    contents = files.contents
    who = contents.confirmed_by.tolist()
    for by, path in LISTS.items():
        rows = [row for row, each in enumerate(who) if each == by]
        name = path.as_posix()
        if name not in files.hashes:
            if rows:
                yield Fault(name, MISSING)
            continue
        columns = ("file", "character", "album")
        found = _read(files.folder / path, columns)
        if found is None:
            yield Fault(name, f"is no table with the columns {', '.join(columns)}")
            continue
        expected: Counter[Row] = Counter(
            (
                (folders[contents.part[row]] / contents.name[row]).as_posix(),
                contents.character[row],
                contents.album[row],
            )
            for row in rows
        )
        yield from _differ(name, expected, found)


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


def _read(path: Path, columns: Row) -> Counter[Row] | None:
    """Count the rows of a table; None where it cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            return Counter(tuple(meant_by(row[c]) for c in columns) for row in rows)
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return None


def _differ(name: str, expected: Counter[Row], found: Counter[Row]) -> Iterator[Fault]:
    for row in sorted((expected - found).elements()):
        yield Fault(name, f"has no row {', '.join(row)}, which contents.csv gives")
    for row in sorted((found - expected).elements()):
        yield Fault(name, f"has the row {', '.join(row)}, which contents.csv gives not")
