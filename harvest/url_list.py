"""Harvest a list of one's own: a CSV file of album, character, url."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from icf.errors import WrongUse
from icf.harvest.licence import UNKNOWN, Licence
from icf.harvest.source import (
    Album,
    Answer,
    Character,
    Picture,
    SourceTable,
    Task,
    read_table,
)
from icf.harvest.web import Web
from icf.settings import HarvestSettings

REQUIRED = ("album", "character", "url")
OPTIONAL = ("page", "licence", "licence_url", "author")

_ROWS_A_STEP = 1000
#: Stands for bytes that are not UTF-8 while a row is read, so that it can be named.
_NOT_UTF8 = "surrogateescape"

Row = tuple[int, dict[str, str] | str]


class ListTable(SourceTable):
    """The keys of a source of kind ``list``."""

    path: Path


class ListSource:
    """Rows of a CSV file with a header line; each names a picture of a character.

    A file that has changed is listed again at the next run; what is known stays.
    """

    reader = None

    def __init__(
        self, table: Mapping[str, Any], root: Path, settings: HarvestSettings
    ) -> None:
        checked = read_table(ListTable, table)
        self.name = checked.name
        self._path = root / checked.path
        self._rows: Iterator[Row] | None = None
        self._read = 0

    def first_tasks(self) -> Iterable[Task]:
        """Return the listing of the file as it is now.

        Raises:
            WrongUse: there is no such file, or it lacks a column.
        """
        try:
            with self._path.open("rb") as file:
                _check_header(self._path, file.readline())
                file.seek(0)
                digest = _digest(file)
        except OSError as error:
            raise WrongUse(f"[[source]] {self.name!r}: {error}") from error
        yield Task("rows", f"{self._path.name} {digest}")

    async def step(self, task: Task, web: Web) -> Answer:
        """Answer the next rows."""
        start = int(task.cursor or 0)
        if self._rows is None or start != self._read:
            self._rows = islice(_rows(self._path), start, None)
        rows = list(islice(self._rows, _ROWS_A_STEP))
        self._read = start + len(rows)
        pictures: list[Picture] = []
        faults: list[str] = []
        for line, row in rows:
            if isinstance(row, str):
                faults.append(f"{self._path}, line {line}: {row}")
            else:
                pictures.append(_picture(row))
        who = {(p.album or "", p.character or ""): None for p in pictures}
        done = len(rows) < _ROWS_A_STEP
        return Answer(
            albums=tuple(Album(name) for name in dict.fromkeys(a for a, _ in who)),
            characters=tuple(Character(album, name) for album, name in who),
            pictures=tuple(pictures),
            cursor=None if done else str(self._read),
            done=done,
            faults=tuple(faults),
        )


def _picture(row: dict[str, str]) -> Picture:
    licence, author = row.get("licence"), row.get("author") or None
    url = row.get("licence_url") or None
    known = Licence(licence, url, "list", author) if licence else None
    unknown = Licence(UNKNOWN.name, None, UNKNOWN.read_from, author)
    return Picture(
        row["url"],
        row["album"],
        row["character"],
        page_url=row.get("page") or None,
        licence=known or unknown,
    )


def _rows(path: Path) -> Iterator[Row]:
    """Yield each row with its line number, or what is wrong with it."""
    with path.open(encoding="utf-8-sig", errors=_NOT_UTF8, newline="") as file:
        lines = csv.reader(file)
        header = [name.strip().lower() for name in next(lines, [])]
        while True:
            first = lines.line_num + 1
            try:
                cells = next(lines)
            except StopIteration:
                return
            except csv.Error as error:
                yield first, f"bad_row: {error}"
                continue
            if cells:
                yield first, _checked(header, cells)


def _checked(header: list[str], cells: list[str]) -> dict[str, str] | str:
    if len(cells) != len(header):
        return f"bad_row: {len(cells)} columns, the header has {len(header)}"
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    if any("\udc80" <= letter <= "\udcff" for cell in cells for letter in cell):
        return "bad_encoding: not UTF-8"
    empty = [name for name in REQUIRED if not row[name]]
    if empty:
        return f"bad_row: no {' and no '.join(empty)}"
    if any("\0" in cell for cell in cells):
        return "bad_row: a zero byte"
    return row


def _check_header(path: Path, line: bytes) -> None:
    text = line.decode("utf-8-sig", errors="replace")
    names = [name.strip().lower() for name in next(csv.reader([text]), [])]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise WrongUse(
            f"{path}: the first line must name the columns {', '.join(REQUIRED)} "
            f"(and may name {', '.join(OPTIONAL)}); it lacks {', '.join(missing)}"
        )


def _digest(file: Any) -> str:
    digest = hashlib.sha256()
    while piece := file.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()[:16]
