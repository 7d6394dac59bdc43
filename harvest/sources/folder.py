"""Harvest a folder of the user's own: ``album/character/picture``."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.fault import Fault
from icf.harvest.http.session import Web
from icf.harvest.http.urls import MAX_LENGTH
from icf.harvest.sources.base import (
    Album,
    Character,
    ListingPage,
    Picture,
    Sink,
    SourceTable,
    Task,
    read_table,
)
from icf.harvest.text import as_utf8
from icf.names import normal_name
from icf.own_files import is_made_by_machine, is_text, walk
from icf.settings import HarvestSettings

_FILES_A_STEP = 1000
_PIECE = 1 << 20
#: Stands in place of the state of a folder that a machine made.
_LEFT_OUT = "-"


class FolderTable(SourceTable):
    """The keys of a source of kind ``folder``."""

    path: Path
    licence: str | None = None
    licence_url: str | None = None
    author: str | None = None


class FolderSource:
    """Every file under ``path/album/character/``, with any extension.

    What is hidden or made by a machine is left out. Links that lead out of the folder
    are not followed. An album whose files have changed is listed again at the next run.
    """

    def __init__(
        self, table: Mapping[str, Any], root: Path, settings: HarvestSettings
    ) -> None:
        checked = read_table(FolderTable, table)
        self.name = checked.name
        self._folder = (root / checked.path).resolve()
        self.reader = FolderReader(self._folder)
        self._walk: _Walk | None = None
        self._licence = Licence(
            checked.licence or UNKNOWN.name,
            checked.licence_url,
            "folder" if checked.licence else UNKNOWN.read_from,
            checked.author,
        )

    def first_tasks(self) -> Iterable[Task]:
        """Return the listing of the current state of each album.

        Raises:
            WrongUse: there is no such folder.
        """
        try:
            albums = sorted(self._folder.iterdir())
        except OSError as error:
            raise WrongUse(f"[[source]] {self.name!r}: {error}") from error
        for album in albums:
            made = is_made_by_machine(album.name)
            state = _LEFT_OUT if made else _state(album)
            yield Task("album", f"{as_utf8(album.name)} {state}")

    async def step(self, task: Task, web: Web) -> ListingPage:
        """List the next files of an album."""
        album = task.subject.rpartition(" ")[0]
        if is_made_by_machine(album):
            return ListingPage(left_out={album: 1})
        start = int(task.cursor or 0)
        if self._walk is None or (self._walk.album, self._walk.done) != (album, start):
            self._walk = _Walk(self._folder, album, start)
        files = self._walk.next(_FILES_A_STEP)
        done = len(files) < _FILES_A_STEP
        characters: dict[str, None] = {}
        pictures: list[Picture] = []
        faults: list[str] = []
        for file in files:
            if problem := self._problem(file):
                faults.append(f"{as_utf8(str(file))}: {problem}")
                continue
            character = file.relative_to(self._folder).parts[1]
            characters[character] = None
            url = file.as_uri()
            status = file.stat()
            pictures.append(
                Picture(
                    url,
                    album,
                    character,
                    licence=self._licence,
                    size=status.st_size,
                    own=True,
                    version=f"{status.st_mtime_ns} {status.st_size}",
                )
            )
        return ListingPage(
            albums=(Album(album),) if pictures else (),
            characters=tuple(Character(album, name) for name in characters),
            pictures=tuple(pictures),
            cursor=None if done else str(start + len(files)),
            done=done,
            faults=tuple(faults),
            left_out=self._walk.take_left_out(),
        )

    def _problem(self, file: Path) -> str | None:
        if len(file.relative_to(self._folder).parts) < 3:
            return "bad_row: not under album/character/"
        if not is_text(str(file)):
            return "bad_encoding: its name is not UTF-8"
        if not all(map(normal_name, file.relative_to(self._folder).parts[:2])):
            return "bad_row: the name of its album or character is invisible"
        if len(file.as_uri()) > MAX_LENGTH:
            return f"bad_row: its path is longer than {MAX_LENGTH} characters"
        if file.is_dir() or not _is_inside(file, self._folder):
            return "bad_row: a link out of the folder, or to a folder"
        if not file.is_file():
            return "bad_row: not a file that can be read"
        return None


class FolderReader:
    """Reads the files of one folder, by their ``file://`` URLs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, url: str, sink: Sink) -> None:
        """Copy a file into a sink.

        Raises:
            Fault: ``forbidden_address`` when it is not inside the folder, ``not_found``
                when it is gone, ``unreachable`` when the disk fails.
        """
        path = open_inside(url, self._folder)
        try:
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    sink.write(piece)
        except OSError as error:
            raise Fault(FetchStatus.UNREACHABLE, f"{url}: {error}") from error

    def close(self) -> None:
        """Nothing is open between reads."""


def open_inside(url: str, folder: Path) -> Path:
    """Return the file of a ``file://`` URL, if it is inside ``folder``.

    Raises:
        Fault: ``forbidden_address`` when it is not, ``not_found`` when it is gone.
    """
    path = Path(os.fsdecode(unquote_to_bytes(urlsplit(url).path)))
    if not _is_inside(path, folder):
        raise Fault(FetchStatus.FORBIDDEN_ADDRESS, f"{url} is not in {folder}")
    if not path.is_file():
        raise Fault(FetchStatus.NOT_FOUND, f"{url}: the file no longer exists")
    return path


class _Walk:
    """One walk through an album, taken up where the last step ended.

    Attributes:
        album: the name of its folder.
        done: how many files it has returned, with those before its start.
    """

    def __init__(self, folder: Path, album: str, start: int) -> None:
        self.album = album
        self._left_out: Counter[str] = Counter()
        self._files = _files(folder / album, self._left_out)
        self.done = sum(1 for _ in islice(self._files, start))
        if start:
            self._left_out.clear()  # the steps before have counted them

    def next(self, count: int) -> list[Path]:
        """Return the next files."""
        files = list(islice(self._files, count))
        self.done += len(files)
        return files

    def take_left_out(self) -> dict[str, int]:
        """Return what was left out since the last call, by name."""
        found = dict(self._left_out)
        self._left_out.clear()
        return found


def _files(album: Path, left_out: Counter[str] | None = None) -> Iterator[Path]:
    """Yield the files of an album in a fixed order; links to folders as themselves."""
    if not album.is_dir() or album.is_symlink():
        yield album
    else:
        yield from walk(album, left_out, folder_links=True)


def _state(album: Path) -> str:
    """Return a digest of the names, sizes and times of an album's files."""
    digest = hashlib.sha256()
    for file in _files(album):
        status = file.lstat()
        line = f"{file} {status.st_size} {status.st_mtime_ns}\n"
        digest.update(line.encode("utf-8", errors="surrogateescape"))
    return digest.hexdigest()[:16]


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder)
