"""The tables of a release without the rows of some pictures and faces."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from icf.dataset.contents import DISTRACTOR, FACES, PROBE, TRAIN, Contents
from icf.spreadsheet import meant_by, write_csv

#: Columns of tables that name a file or a picture.
_FILE, _SHA256 = "file", "sha256"
#: That which names a face, whose picture may stay.
_FACE = "face_pixel_hash"
#: Those that name a picture of the test.
_OF_TEST = ("picture", "one", "other")
#: Those that name a picture of any part.
_PLACE = ("part", "name")
#: Those of a table of identities.
_IDENTITY = {"role", "label", "character", "album"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Gone:
    """What is to leave a release.

    Attributes:
        files: relative to the release.
        sha256: of the pictures that leave it altogether.
        faces: hashes of the pixels of faces that were withdrawn.
        places: part and name of every row of the contents.
        roles: of the identities that stay, by label, character and album; of
            distractors the label is -1.
    """

    files: frozenset[str]
    sha256: frozenset[str]
    faces: frozenset[str]
    places: frozenset[tuple[str, str]]
    roles: Mapping[tuple[int, str, str], str]

    @cached_property
    def of_test(self) -> frozenset[str]:
        """The names of probes and distractors, which are in one folder."""
        return frozenset(n for part, n in self.places if part in (PROBE, DISTRACTOR))

    def has(self, row: Mapping[str, object]) -> bool:
        """Whether the row of a table is about something of it."""
        if row.get(_FILE) in self.files or row.get(_SHA256) in self.sha256:
            return True
        if row.get(_FACE) in self.faces:
            return True
        if any(_meant(row.get(column)) in self.of_test for column in _OF_TEST):
            return True
        part, name = (_meant(row.get(column)) for column in _PLACE)
        return (part, name) in self.places


def _meant(cell: object) -> str:
    """Return what a cell of a table says."""
    return "" if cell is None else meant_by(str(cell))


def roles_of(contents: Contents) -> dict[tuple[int, str, str], str]:
    """Return the role of each identity: train, seen, unseen or distractor."""
    parts: dict[tuple[int, str, str], set[str]] = {}
    for row in contents.rows(*FACES).tolist():
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
        cells = csv.reader(file)
        header = next(cells, [])
        if not _is_about_pictures(header):
            return False
        rows = [dict(zip(header, row, strict=True)) for row in cells]
    kept = _without(rows, header, gone)
    if kept == rows:
        return False
    new.parent.mkdir(parents=True, exist_ok=True)
    write_csv(new, header, ([row[name] for name in header] for row in kept))
    return True


def write_parquet_without(old: Path, new: Path, gone: Gone) -> bool:
    """Do the same for a table in Parquet."""
    table = pq.read_table(old)
    if not _is_about_pictures(table.column_names):
        return False
    rows = table.to_pylist()
    kept = _without(rows, table.column_names, gone)
    if kept == rows:
        return False
    new.parent.mkdir(parents=True, exist_ok=True)
    again = pa.Table.from_pylist(kept, schema=table.schema)
    pq.write_table(again, new, compression="zstd")
    return True


def _is_about_pictures(header: Sequence[str]) -> bool:
    names = set(header)
    return (
        not names.isdisjoint({_FILE, _SHA256, *_OF_TEST})
        or names.issuperset(_PLACE)
        or names.issuperset(_IDENTITY)
    )


def _without(rows: Iterable[Row], header: Sequence[str], gone: Gone) -> list[Row]:
    kept = [row for row in rows if not gone.has(row)]
    if _IDENTITY.issubset(header):
        every = ({**row, "role": gone.roles.get(_identity(row))} for row in kept)
        return [row for row in every if row["role"] is not None]
    if {"picture", "label", "role"}.issubset(header):  # an open set
        enrolled = {row["label"] for row in kept if row["role"] == "gallery"}
        lost = (row["role"] == "known" and row["label"] not in enrolled for row in kept)
        return [
            {**row, "role": "unknown"} if each else row
            for row, each in zip(kept, lost, strict=True)
        ]
    return kept


def _identity(row: Row) -> tuple[int, str, str]:
    return int(row["label"]), _meant(row["character"]), _meant(row["album"])
