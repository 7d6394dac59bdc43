"""Harvest comics: the pages of CBZ, CBR, PDF and EPUB files."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pydantic

from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.fault import Fault
from icf.harvest.http.session import Web
from icf.harvest.sources.base import (
    Album,
    Character,
    Level,
    ListingPage,
    Picture,
    SourceTable,
    Task,
    read_table,
)
from icf.harvest.sources.comic.reader import PAGE, PageReader, ReadLimits
from icf.own_files import is_text, walk, why_closed
from icf.settings import HarvestSettings

_PAGES_A_STEP = 1000
#: Longest URL of a file: a page is appended to it.
_LONGEST_FILE_URL = 1000


class ComicTable(SourceTable):
    """The keys of a source of kind ``comic``."""

    path: Path
    album: str | None = pydantic.Field(default=None, min_length=1)
    characters: tuple[str, ...] = ()
    licence: str | None = None
    licence_url: str | None = None
    author: str | None = None
    dpi: float = pydantic.Field(default=200.0, ge=36, le=1200)
    deadline: float = pydantic.Field(default=60.0, gt=0)


class ComicSource:
    """Comics below ``path/ALBUM/`` or ``path/ALBUM/CHARACTER/``, or of one album.

    A file that has changed is listed again at the next run. One that cannot be opened
    has one URL with one status; any other has a URL for each page.
    """

    def __init__(
        self, table: Mapping[str, Any], root: Path, settings: HarvestSettings
    ) -> None:
        self._table = checked = read_table(ComicTable, table)
        self.name = checked.name
        self._path = (root / checked.path).resolve()
        if checked.album is None and (checked.characters or self._path.is_file()):
            raise WrongUse(
                f'[[source]] {self.name!r}: name its album with album = "..."'
            )
        folder = self._path.parent if self._path.is_file() else self._path
        limits = ReadLimits(settings.max_bytes, checked.dpi, checked.deadline)
        self.reader = PageReader(folder, limits)

    def first_tasks(self) -> Iterable[Task]:
        """Return the listing of the current state of the folder.

        Raises:
            WrongUse: there is no such file or folder.
        """
        if not self._path.exists():
            text = f"{self._path}: no such file or folder"
            raise WrongUse(f"[[source]] {self.name!r}: {text}")
        digest = hashlib.sha256()
        for file in self._files():
            digest.update(f"{_url(file)} {_version(file)}\n".encode())
        digest.update(repr((self._table.album, self._table.characters)).encode())
        yield Task("books", digest.hexdigest()[:16], level=Level.ALBUMS)

    async def step(self, task: Task, web: Web) -> ListingPage:
        """List the files, or the next pages of one."""
        if task.kind == "books":
            return await asyncio.to_thread(self._books)
        return await asyncio.to_thread(self._pages, task)

    def _books(self) -> ListingPage:
        """Return every file as a task, with its album and character."""
        tasks: list[Task] = []
        faults: list[str] = []
        cast = [(self._table.album, one) for one in self._table.characters]
        who: dict[tuple[str, str | None], None] = {
            (album, one): None for album, one in cast if album
        }
        left_out: Counter[str] = Counter()
        for file in self._files(left_out):
            url = _url(file)
            try:
                album, character = self._whose(file)
            except ValueError as error:
                faults.append(f"{url}: {error}")
                continue
            who[album, character] = None
            tasks.append(Task("book", f"{url} {_version(file)}", album, character))
        albums = dict.fromkeys(album for album, _ in who)
        return ListingPage(
            albums=tuple(Album(one) for one in albums),
            characters=tuple(Character(a, c) for a, c in who if c is not None),
            tasks=tuple(tasks),
            faults=tuple(faults),
            left_out=left_out,
        )

    def _whose(self, file: Path) -> tuple[str, str | None]:
        if reason := why_closed(file):
            raise ValueError(reason)
        inside = self._path if self._path.is_dir() else self._path.parent
        folders = file.relative_to(inside).parts[:-1]
        if not all(is_text(one) for one in folders):
            raise ValueError("bad_encoding: its folder's name is not UTF-8")
        if len(_url(file)) > _LONGEST_FILE_URL:
            raise ValueError(f"bad_row: its URL is over {_LONGEST_FILE_URL} characters")
        if self._table.album is not None:
            return self._table.album, folders[0] if folders else None
        if not folders:
            raise ValueError("bad_row: not under ALBUM/; or set album in icf.toml")
        return folders[0], folders[1] if len(folders) > 1 else None

    def _pages(self, task: Task) -> ListingPage:
        url, _, version = task.subject.partition(" ")
        start = int(task.cursor or 0)
        try:
            listed = self.reader.list(url)
        except Fault as fault:
            broken = Picture(
                url,
                task.album,
                task.character,
                own=True,
                version=version,
                fate=fault.fate,
                message=str(fault),
            )
            return ListingPage(pictures=(broken,))
        licence = self._licence(listed["rights"], listed["author"])
        pages = listed["pages"]
        until = start + _PAGES_A_STEP
        pictures = tuple(
            Picture(
                f"{url}{PAGE}{page}",
                task.album,
                task.character,
                page_url=url,
                licence=licence,
                size=size,
                own=True,
                version=own or version,
                fate=FetchStatus[fate],
                message=message and f"{url}{PAGE}{page}: {message}",
            )
            for page, own, size, fate, message in pages[start:until]
        )
        done = until >= len(pages)
        return ListingPage(
            pictures=pictures,
            cursor=None if done else str(until),
            done=done,
            passed_over=listed["passed_over"] if start == 0 else 0,
            faults=() if pages else (f"{url}: no pages in it",),
        )

    def _licence(self, rights: str | None, author: str | None) -> Licence:
        own = self._table
        author = own.author or author
        if own.licence is not None:
            return Licence(own.licence, own.licence_url, "folder", author)
        if rights:
            return Licence(rights.strip(), own.licence_url, "comic", author)
        return Licence(UNKNOWN.name, own.licence_url, UNKNOWN.read_from, author)

    def _files(self, left_out: Counter[str] | None = None) -> Iterator[Path]:
        if self._path.is_file():
            yield self._path
        else:
            yield from walk(self._path, left_out, closed=True)


def _url(file: Path) -> str:
    return file.as_uri()


def _version(file: Path) -> str:
    try:
        state = file.lstat()
    except OSError:
        return "gone"  # reading it says how
    return f"{state.st_mtime_ns}-{state.st_size}"
