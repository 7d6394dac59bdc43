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

import pydantic

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
from icf.own_files import (
    is_made_by_machine,
    is_text,
    leads_inside,
    walk,
    why_closed,
)
from icf.settings import HarvestSettings

_FILES_A_STEP = 1000
_NOT_FILED = "bad_row: not under album/character/"
_NO_CHARACTERS = (
    "bad_row: its files are not under album/character/; if all are of one album, name "
    'it with album = "..." in icf.toml, then the folders are its characters'
)
_UNREAD = "bad_row: not a file that can be read"
_PIECE = 1 << 20
#: What is said of a file that was there when it was listed.
FILE_IS_GONE = "the file no longer exists"
#: Stands in place of the state of a folder that a machine made.
_LEFT_OUT = "-"
#: Stands in place of a name for all files directly in the source's folder.
_LOOSE = "."


class FolderTable(SourceTable):
    """The keys of a source of kind ``folder``."""

    path: Path
    album: str | None = pydantic.Field(default=None, min_length=1)
    licence: str | None = None
    licence_url: str | None = None
    author: str | None = None


class FolderSource:
    """Every file under ``path/album/character/``, with any extension.

    With ``album``, every file under ``path/character/``, and those directly in ``path``
    for the album's whole cast. What is hidden or made by a machine is left out. Links
    that lead out of the folder are not followed. A folder in ``path`` whose files have
    changed is listed again at the next run.
    """

    def __init__(
        self, table: Mapping[str, Any], root: Path, settings: HarvestSettings
    ) -> None:
        checked = read_table(FolderTable, table)
        self.name = checked.name
        self._album = checked.album
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
        """Return the listing of the current state of each album, or character.

        Raises:
            WrongUse: there is no such folder.
        """
        try:
            with os.scandir(self._folder) as found:
                entries = list(found)
        except OSError as error:
            raise WrongUse(f"[[source]] {self.name!r}: {error}") from error
        # What a folder says of its entries needs no right to enter it.
        names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
        names.sort()
        if len(names) < len(entries):
            names.insert(0, _LOOSE)
        for name in names:
            state = _LEFT_OUT if _is_left_out(name) else self._state(name)
            yield Task("album", f"{as_utf8(name)} {state}")

    async def step(self, task: Task, web: Web) -> ListingPage:
        """List the next files of an album, or a character."""
        name = task.subject.rpartition(" ")[0]
        if _is_left_out(name):
            return ListingPage(left_out={name: 1})
        start = int(task.cursor or 0)
        if self._walk is None or (self._walk.name, self._walk.done) != (name, start):
            self._walk = _Walk(self._folder, name, start)
        files = self._walk.next(_FILES_A_STEP)
        done = len(files) < _FILES_A_STEP
        pictures: list[Picture] = []
        faults: list[str] = []
        not_filed: list[str] = []
        for file in files:
            try:
                found = self._problem(file) or self._picture(file)
            except OSError:  # it went away just now, or is in a closed folder
                found = _UNREAD
            if isinstance(found, Picture):
                pictures.append(found)
            else:
                kind = not_filed if found == _NOT_FILED else faults
                kind.append(f"{as_utf8(str(file))}: {found}")
        if len(not_filed) > 1 and not any(self._whose(file)[0] for file in files):
            not_filed = [f"{as_utf8(str(self._folder / name))}: {_NO_CHARACTERS}"]
        faults += not_filed
        whose = dict.fromkeys((one.album or "", one.character) for one in pictures)
        return ListingPage(
            albums=tuple(Album(one) for one in dict.fromkeys(one for one, _ in whose)),
            characters=tuple(Character(one, who) for one, who in whose if who),
            pictures=tuple(pictures),
            cursor=None if done else str(start + len(files)),
            done=done,
            faults=tuple(faults),
            left_out=self._walk.take_left_out(),
        )

    def _picture(self, file: Path) -> Picture:
        """Return a file as a picture of whom it is filed under."""
        album, character = self._whose(file)
        status = file.stat()
        return Picture(
            file.as_uri(),
            album,
            character,
            licence=self._licence,
            size=status.st_size,
            own=True,
            version=f"{status.st_mtime_ns} {status.st_size}",
        )

    def _whose(self, file: Path) -> tuple[str, str | None]:
        """Return a file's album, or "", and its character, or None: the whole cast."""
        folders = file.relative_to(self._folder).parts[:-1]
        if self._album is not None:
            return self._album, folders[0] if folders else None
        return (folders[0], folders[1]) if len(folders) > 1 else ("", None)

    def _state(self, name: str) -> str:
        """Return a digest of the album of a part, and its files' sizes and times."""
        digest = hashlib.sha256((self._album or "").encode())
        for file in _files(self._folder, name):
            try:
                status = file.lstat()
            except OSError:
                continue  # it was deleted just now
            line = f"{file} {status.st_size} {status.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", errors="surrogateescape"))
        return digest.hexdigest()[:16]

    def _problem(self, file: Path) -> str | None:
        album, character = self._whose(file)
        if reason := why_closed(file):
            return reason
        if not album:
            return _NOT_FILED
        if not is_text(str(file)):
            return "bad_encoding: its name is not UTF-8"
        if not normal_name(album) or (character and not normal_name(character)):
            return "bad_row: the name of its album or character is invisible"
        if len(file.as_uri()) > MAX_LENGTH:
            return f"bad_row: its path is longer than {MAX_LENGTH} characters"
        if not leads_inside(file, self._folder):
            return "bad_row: a link out of the folder, which is not followed"
        if not file.is_file():
            return _UNREAD
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
        Fault: ``forbidden_address`` when it is not, ``not_found`` when it is gone,
            ``unreachable`` when it cannot be looked at.
    """
    path = _file_of(url)
    if not leads_inside(path, folder):
        raise Fault(FetchStatus.FORBIDDEN_ADDRESS, f"{url} is not in {folder}")
    try:
        is_there = path.is_file()
    except OSError as error:
        raise Fault(FetchStatus.UNREACHABLE, f"{url}: {error.strerror}") from error
    if not is_there:
        raise Fault(FetchStatus.NOT_FOUND, f"{url}: {FILE_IS_GONE}")
    return path


def is_there(url: str) -> bool:
    """Return whether the file of a ``file://`` URL, also of a page of it, is there."""
    try:
        return _file_of(url).is_file()
    except OSError:
        return False


def _file_of(url: str) -> Path:
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(url).path)))


class _Walk:
    """One walk through a part of a folder, taken up where the last step ended.

    Attributes:
        name: of the part.
        done: how many files it has returned, with those before its start.
    """

    def __init__(self, folder: Path, name: str, start: int) -> None:
        self.name = name
        self._left_out: Counter[str] = Counter()
        self._files = _files(folder, name, self._left_out)
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


def _files(
    folder: Path, name: str, left_out: Counter[str] | None = None
) -> Iterator[Path]:
    """Yield the files of a part of a folder, and closed folders, in a fixed order."""
    yield from walk(folder / name, left_out, closed=True, deep=name != _LOOSE)


def _is_left_out(name: str) -> bool:
    return name != _LOOSE and is_made_by_machine(name)
