"""Harvest a list of one's own: album, character, URL, a picture a row.

CSV, JSON Lines and Parquet, distinguished by the file's extension.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from icf.errors import WrongUse
from icf.harvest.attributes.gender import read_gender
from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.attributes.region import read_region
from icf.harvest.attributes.style import read_style
from icf.harvest.http.session import Web
from icf.harvest.sources.base import (
    Album,
    Character,
    Corrects,
    ListingPage,
    Picture,
    SourceTable,
    Task,
    read_table,
)
from icf.harvest.sources.table.csv_file import CsvRows
from icf.harvest.sources.table.json_lines import JsonRows
from icf.harvest.sources.table.rows import Cells, Row, Rows
from icf.harvest.sources.table.said import Said, contradicts
from icf.settings import HarvestSettings
from icf.spreadsheet import truth_of


def _parquet(path: Path) -> Rows:
    # Imported where it is needed: Arrow takes a second and 40 MB.
    from icf.harvest.sources.table.parquet import ParquetRows

    return ParquetRows(path)


FORMATS: Mapping[str, Callable[[Path], Rows]] = {
    ".csv": CsvRows,
    ".jsonl": JsonRows,
    ".ndjson": JsonRows,
    ".parquet": _parquet,
    ".tsv": CsvRows,
    ".txt": CsvRows,  # what Excel calls "Unicode text"
}

#: A step is one transaction: with more rows it costs less for each.
_ROWS_A_STEP = 4000
#: Of a column with missing values, spreadsheets and data frames make floats.
_RANK = re.compile(r"[0-9]{1,9}(\.0+)?")
_SHA1 = re.compile(r"[0-9a-f]{40}")


class ListTable(SourceTable):
    """The keys of a source of kind ``list``."""

    path: Path


class ListSource:
    """Rows of a file; each names a picture of a character.

    A file that has changed is listed again at the next run; what it says of the rights
    and the page of a URL then counts. In one file the first row of a URL counts.
    """

    reader = None

    def __init__(
        self, table: Mapping[str, Any], root: Path, settings: HarvestSettings
    ) -> None:
        checked = read_table(ListTable, table)
        self.name = checked.name
        self._path = root / checked.path
        kind = self._path.suffix.lower()
        if kind not in FORMATS:
            raise WrongUse(
                f"[[source]] {self.name!r}: {self._path} ends in {kind!r}; a list ends "
                f"in {', '.join(FORMATS)}; a spreadsheet program can save it as CSV"
            )
        self._format = FORMATS[kind](self._path)
        self._rows: Iterator[Row] | None = None
        self._read = 0
        self._said = Said()

    def first_tasks(self) -> Iterable[Task]:
        """Return the listing of the file as it is now.

        Raises:
            WrongUse: there is no such file, or it lacks a column.
        """
        try:
            self._format.check()
            digest = _digest(self._path)
        except OSError as error:
            raise WrongUse(f"[[source]] {self.name!r}: {error}") from error
        yield Task("rows", f"{self._path.name} {digest}")

    async def step(self, task: Task, web: Web) -> ListingPage:
        """Answer the next rows."""
        start = int(task.cursor or 0)
        if self._rows is None or start != self._read:
            self._said = self._said_before(start)
            self._rows = self._format.rows(start)
        rows = list(islice(self._rows, _ROWS_A_STEP))
        self._read = start + len(rows)
        albums: dict[str, Album] = {}
        characters: dict[tuple[str, str], Character] = {}
        pictures: list[Picture] = []
        faults: list[str] = []
        for line, row in rows:
            fault = row if isinstance(row, str) else _fault(row)
            if isinstance(row, str) or fault is not None:
                faults.append(f"{self._path}, line {line}: {fault}")
                continue
            picture = _picture(row)
            if (earlier := self._said.before(picture)) is not None:
                picture = replace(picture, corrects=Corrects.NOTHING)
                if contradiction := contradicts(picture.licence, earlier):
                    faults.append(
                        f"{self._path}, line {line}: bad_row: {contradiction}"
                    )
            pictures.append(picture)
            who = (row["album"], row["character"])
            albums[who[0]] = _album(row, albums.get(who[0]))
            characters[who] = _character(row, characters.get(who))
        done = len(rows) < _ROWS_A_STEP
        return ListingPage(
            albums=tuple(albums.values()),
            characters=tuple(characters.values()),
            pictures=tuple(pictures),
            cursor=None if done else str(self._read),
            done=done,
            faults=tuple(faults),
        )

    def _said_before(self, start: int) -> Said:
        """Return what the first rows of the file say of their URLs."""
        said = Said()
        for _, row in islice(self._format.rows(0), start) if start else ():
            if not isinstance(row, str) and _fault(row) is None:
                said.before(_picture(row))
        return said


def _fault(row: Cells) -> str | None:
    """Say what is wrong with a cell that is not free text."""
    rank = row.get("rank", "")
    if rank and not _RANK.fullmatch(rank):
        return f"bad_row: rank {rank!r} is not a number"
    lead = row.get("lead", "")
    if lead and truth_of(lead) is None:
        return f"bad_row: lead {lead!r} is neither true nor false"
    sha1 = row.get("sha1", "").lower()
    if sha1 and not _SHA1.fullmatch(sha1):
        return f"bad_row: sha1 {sha1!r} is not 40 hexadecimal digits"
    return None


def _album(row: Cells, known: Album | None) -> Album:
    """Return the album of a row; values of earlier rows are kept."""
    said = any(row.get(name) for name in ("rank", "region", "style"))
    if known is not None and not said:
        return known
    rank = int(row["rank"].partition(".")[0]) if row.get("rank") else None
    region = read_region(row.get("region", ""))
    style = read_style(row.get("style", ""))
    if known is not None:
        rank = rank if known.rank is None else known.rank
        region = known.region or region
        style = known.style or style
    return Album(row["album"], rank=rank, region=region, style=style)


def _character(row: Cells, known: Character | None) -> Character:
    if known is not None and not row.get("gender"):
        return known
    gender = read_gender(row.get("gender", ""))
    gender = gender if known is None else known.gender or gender
    return Character(row["album"], row["character"], gender=gender)


def _picture(row: Cells) -> Picture:
    return Picture(
        row["url"],
        row["album"],
        row["character"],
        is_lead=truth_of(row.get("lead", "")) is True,
        page_url=row.get("page") or None,
        licence=_licence(
            row.get("licence", ""), row.get("licence_url", ""), row.get("author", "")
        ),
        sha1=row.get("sha1", "").lower() or None,
        fallbacks=tuple(row.get("fallback", "").split()),
        corrects=Corrects.SOURCE,
    )


@functools.lru_cache(1024)  # most rows of a list say the same
def _licence(name: str, url: str, author: str) -> Licence:
    if not name and url:
        return Licence(UNKNOWN.name, url, "list", author or None)
    if not name:
        return Licence(UNKNOWN.name, None, UNKNOWN.read_from, author or None)
    return Licence(name, url or None, "list", author or None)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()[:16]
