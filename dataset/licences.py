"""The sources of each picture of a release, with their licences."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from pathlib import Path

import sqlalchemy as sa

from icf.catalogue.rows import by_ids
from icf.catalogue.schema import image_source
from icf.redact import without_login
from icf.spdx import spdx_id
from icf.spreadsheet import harmless


@dataclass(frozen=True, slots=True)
class Source:
    """One place where a picture was found."""

    url: str
    page: str
    licence: str
    licence_url: str
    licence_from: str
    author: str


# `dataclasses.astuple` copies each cell, and takes longer than all the rest.
_CELLS = attrgetter(*(each.name for each in fields(Source)))

#: How addresses of files of this machine begin.
_LOCAL = "file:"

#: The table of sources and licences in every release.
FILE = "licences.csv"

#: The last column, only where a file holds many pictures: the picture's name there.
MEMBER = "member"
#: Releases of earlier versions have no ``spdx``: readers take columns by name.
COLUMNS = ("file", "sha256", *(each.name for each in fields(Source)), "spdx")


def read_sources(
    connection: sa.Connection, images: Sequence[int]
) -> Mapping[int, Sequence[Source]]:
    """Read the sources of each image, in the order they were found.

    Of files of this machine they have the whole path: see `shown`.
    """
    query = sa.select(
        image_source.c.image_id,
        sa.func.coalesce(image_source.c.fetched_from, image_source.c.url),
        image_source.c.page_url,
        image_source.c.licence,
        image_source.c.licence_url,
        image_source.c.licence_from,
        image_source.c.author,
    ).order_by(image_source.c.id)
    found: dict[int, list[Source]] = {each: [] for each in images}
    # Pages, authors and licences are those of many pictures: each is held once.
    same: dict[str, str] = {"": ""}
    for row in by_ids(connection, query, image_source.c.image_id, images):
        url, *shared = map(_text, row[1:])
        shared = [same.setdefault(cell, cell) for cell in shared]
        found[row.image_id].append(Source(url, *shared))
    return found


def files_of(release: Path, sha256: str) -> list[str] | None:
    """Return the files of a release that are a picture; None where it is not on disk.

    Args:
        release: its folder.
        sha256: the picture's hash.
    """
    try:
        with (release / FILE).open(encoding="utf-8", newline="") as lines:
            # A look at the text first: the table has hundreds of thousands of rows.
            found = csv.reader(line for line in lines if sha256 in line)
            return sorted({row[0] for row in found if row[1:2] == [sha256]})
    except OSError:
        return None


def shown(sources: Mapping[int, Sequence[Source]]) -> dict[int, tuple[Source, ...]]:
    """What a release says of some sources: as `public` has their addresses."""
    return {
        key: tuple(
            replace(each, url=public(each.url), page=public(each.page))
            if "@" in each.url + each.page
            or _LOCAL in (each.url[:5].lower(), each.page[:5].lower())
            else each
            for each in listed
        )
        for key, listed in sources.items()
    }


def public(value: str) -> str:
    """What of an address may leave this machine: no login, of a local file its name.

    >>> public("file:///home/ann/films/1.mkv#t=2.5"), public("https://a.example/1.png")
    ('file:1.mkv#t=2.5', 'https://a.example/1.png')
    """
    if value[:5].lower() != _LOCAL:
        return without_login(value)
    path, mark, part = value.partition("#")
    return f"file:{path[5:].rsplit('/', 1)[-1]}{mark}{part}"


def _text(value: str | None) -> str:
    return value or ""


def rows(file: str, sha256: str, sources: Sequence[Source]) -> list[tuple[str, ...]]:
    """Make the rows of ``licences.csv`` for one file; at least one."""
    known = sources or [Source("", "", "unknown", "", "unknown", "")]
    return [
        (
            *(file, sha256, *map(harmless, _CELLS(each))),
            spdx_id(each.licence, each.licence_url),
        )
        for each in known
    ]
