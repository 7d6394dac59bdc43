"""The sources of each picture of a release, with their licences."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from icf.catalogue.rows import by_ids
from icf.catalogue.schema import image_source
from icf.names import one_line
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
    """What a release says of some sources.

    Addresses are as `public` has them, and the words of sites are a line each.
    """
    return {key: tuple(map(_shown, listed)) for key, listed in sources.items()}


def _shown(source: Source) -> Source:
    # Nearly all of very many are as they should be.
    if "".join(_CELLS(source)).isprintable() and not (
        "@" in source.url + source.page
        or _LOCAL in (source.url[:5].lower(), source.page[:5].lower())
    ):
        return source
    return replace(
        source,
        url=public(source.url),
        page=public(source.page),
        licence=one_line(source.licence),
        licence_url=_quoted(source.licence_url),
        author=one_line(source.author),
    )


def _quoted(address: str) -> str:
    """An address with what cannot be printed as percent signs and digits."""
    if address.isprintable():
        return address
    return "".join(each if each.isprintable() else quote(each) for each in address)


def public(value: str) -> str:
    """What of an address may leave this machine: no login, of a local file its name.

    What cannot be printed is escaped.

    >>> public("file:///home/ann/films/1.mkv#t=2.5"), public("https://a.example/1.png")
    ('file:1.mkv#t=2.5', 'https://a.example/1.png')
    """
    value = _quoted(value)
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
