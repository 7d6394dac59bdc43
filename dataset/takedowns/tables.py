"""The tables of a release without the rows of some pictures and faces."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.contents import DISTRACTOR, PROBE, TRAIN, Contents
from icf.spreadsheet import meant_by

#: Columns of tables that name a file or a picture.
_FILE, _SHA256 = "file", "sha256"


@dataclass(frozen=True)
class Gone:
    """What is to leave a release.

    Attributes:
        files: relative to the release.
        sha256: of the pictures that leave it altogether.
        roles: of the identities that stay, by label, character and album; of
            distractors the label is -1.
    """

    files: frozenset[str]
    sha256: frozenset[str]
    roles: Mapping[tuple[int, str, str], str]

    def has(self, row: Mapping[str, object]) -> bool:
        """Whether the row of a table is about something of it."""
        return row.get(_FILE) in self.files or row.get(_SHA256) in self.sha256


def roles_of(contents: Contents) -> dict[tuple[int, str, str], str]:
    """Return the role of each identity: train, seen, unseen or distractor."""
    parts: dict[tuple[int, str, str], set[str]] = {}
    for row in contents.rows(TRAIN, PROBE, DISTRACTOR).tolist():
        key = int(contents.label[row]), contents.character[row], contents.album[row]
        parts.setdefault(key, set()).add(contents.part[row])
    roles = {}
    for key, some in parts.items():
        roles[key] = "seen" if len(some) == 2 else "train"
        if TRAIN not in some:
            roles[key] = DISTRACTOR if DISTRACTOR in some else "unseen"
    return roles


def write_csv_without(old: Path, new: Path, gone: Gone) -> bool:
    """Write a table again without what is gone; return whether a row was.

    A table of identities keeps those that stay, with their roles.
    """
    with old.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        if not {_FILE, _SHA256, "role"} & set(header):
            return False
        every = list(rows)
    kept = []
    for cells in every:
        row = dict(zip(header, cells, strict=False))
        if gone.has(row):
            continue
        if "role" in row and "label" in row:
            key = int(row["label"]), meant_by(row["character"]), meant_by(row["album"])
            if key not in gone.roles:
                continue
            row["role"] = gone.roles[key]
        kept.append([row[name] for name in header])
    if kept == every:
        return False
    new.parent.mkdir(parents=True, exist_ok=True)
    with new.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *kept])
    return True


def write_parquet_without(old: Path, new: Path, gone: Gone) -> bool:
    """Do the same for a table in Parquet."""
    table = pq.read_table(old)
    names = set(table.column_names)
    if not {_FILE, _SHA256, "role"} & names:
        return False
    rows = table.to_pylist()
    kept = []
    for row in rows:
        if gone.has(row):
            continue
        if "role" in row and "label" in row:
            key = int(row["label"]), str(row["character"]), str(row["album"])
            if key not in gone.roles:
                continue
            row = {**row, "role": gone.roles[key]}
        kept.append(row)
    if kept == rows:
        return False
    new.parent.mkdir(parents=True, exist_ok=True)
    again = pa.Table.from_pylist(kept, schema=table.schema)
    pq.write_table(again, new, compression="zstd")
    return True
