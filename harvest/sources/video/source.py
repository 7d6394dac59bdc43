"""Harvest videos: the sharpest frames of each shot, or keyframes."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.child import Child
from icf.harvest.fault import Fault
from icf.harvest.http.session import Web
from icf.harvest.http.urls import MAX_LENGTH, normalise
from icf.harvest.sources.base import (
    Album,
    Character,
    Frame,
    Level,
    ListingPage,
    Picture,
    Task,
    Track,
    read_table,
)
from icf.harvest.sources.video import times
from icf.harvest.sources.video.found import FoundFrame, Part, Place, Wanted
from icf.harvest.sources.video.reader import WORK, FrameReader, key
from icf.harvest.sources.video.sites import Sites, check_installed
from icf.harvest.sources.video.spool import Spool
from icf.harvest.sources.video.table import VideoTable
from icf.harvest.sources.video.videos import NOT_VIDEOS, Videos, version
from icf.harvest.text import as_utf8
from icf.own_files import is_made_by_machine, leads_inside, why_closed
from icf.settings import HarvestSettings

#: Characters that "#t=" and a time add to the URL of a video.
_TIME = 24


class VideoSource:
    """Videos in a folder, or at URLs; each step handles a part of one.

    A video that has changed is listed again at the next run. One that cannot be read is
    a listing that failed, with the reason in its message; what was found before stays.
    """

    def __init__(
        self, table: Mapping[str, Any], root: Path, settings: HarvestSettings
    ) -> None:
        self._table = checked = read_table(VideoTable, table)
        self.name = checked.name
        self._wanted = Wanted(
            checked.mode, checked.frames, checked.tracks, checked.format
        )
        self._videos: Videos | None = None
        if checked.path is not None:
            self._videos = Videos((root / checked.path).resolve(), checked.album)
        else:
            check_installed(checked.name)
        self._sites = Sites(
            root / "videos",
            checked.max_bytes,
            settings.allow_hosts,
            checked.download_deadline,
            settings.proxy,
        )
        self._child = Child(WORK)
        self._spool = Spool(root)
        self.reader = FrameReader(
            self._spool,
            self._open,
            keys_only=checked.mode == "keyframes",
            form=checked.format,
            deadline=checked.deadline,
            stop=self._stop,
        )

    def first_tasks(self) -> Iterable[Task]:
        """Return the listing of the current state of each album.

        Raises:
            WrongUse: there is no such file or folder, or a file without an album.
        """
        if self._videos is None:
            mode = _mode_key(self._wanted)
            pages = " ".join(self._table.urls)
            yield Task("pages", f"{mode} {key(pages, '', '')}", level=Level.ALBUMS)
            return
        if self._videos.album is None and self._videos.path.is_file():
            raise WrongUse(
                f"[[source]] {self.name!r}: {self._videos.path} is a file; name "
                'its album with album = "..."'
            )
        try:
            albums = list(self._videos.albums())
        except OSError as error:
            raise WrongUse(f"[[source]] {self.name!r}: {error}") from error
        for album in albums:
            made = self._videos.album is None and is_made_by_machine(album)
            state = "-" if made else self._videos.state(album)
            subject = f"{album} {_mode_key(self._wanted)} {state}"
            yield Task("album", as_utf8(subject), level=Level.ALBUMS)

    async def step(self, task: Task, web: Web) -> ListingPage:
        """List an album's videos, or the frames of the next part of one.

        Raises:
            Fault: the video cannot be read.
        """
        if task.kind == "pages":
            return self._pages()
        if task.kind == "album":
            return self._album(task.subject.rsplit(" ", 2)[0])
        return await asyncio.to_thread(self._part, task)

    def _pages(self) -> ListingPage:
        assert self._table.album is not None
        mode = _mode_key(self._wanted)
        tasks, faults = [], []
        for url in self._table.urls:
            try:
                address = normalise(url).url
            except Fault as fault:
                faults.append(f"{fault.fate}: {fault}")
            else:
                tasks.append(Task("page", f"{mode} {address}", self._table.album))
        return self._of_album(self._table.album, tasks, faults, 0)

    def _album(self, album: str) -> ListingPage:
        assert self._videos is not None
        if self._videos.album is None and is_made_by_machine(album):
            return ListingPage(left_out={album: 1})
        tasks, faults, skipped = [], [], 0
        left_out: Counter[str] = Counter()
        for path in self._videos.of(album, left_out):
            if reason := why_closed(path):
                faults.append(f"{as_utf8(str(path))}: {reason}")
            elif path.suffix.lower() in NOT_VIDEOS:
                skipped += 1
            elif problem := self._problem(path):
                faults.append(f"{as_utf8(str(path))}: {problem}")
            else:
                name = self._videos.name(path)
                word = f"{_mode_key(self._wanted)} {version(path)}"
                tasks.append(Task("video", f"{name} {word}", album))
        page = self._of_album(album, tasks, faults, skipped)
        return replace(page, left_out=left_out)

    def _of_album(
        self, album: str, tasks: list[Task], faults: list[str], skipped: int
    ) -> ListingPage:
        return ListingPage(
            albums=(Album(album),) if tasks else (),
            characters=tuple(
                Character(album, name) for name in self._table.characters if tasks
            ),
            tasks=tuple(tasks),
            faults=tuple(faults),
            passed_over=skipped,
        )

    def _problem(self, path: Path) -> str | None:
        assert self._videos is not None
        top = self._videos.path
        if path == top / path.name and self._videos.album is None:
            return "bad_row: not in the folder of an album"
        if as_utf8(str(path)) != str(path):
            return "bad_encoding: its name is not UTF-8"
        if len(path.as_uri()) + _TIME > MAX_LENGTH:
            return f"bad_row: its path is longer than {MAX_LENGTH} characters"
        if not leads_inside(path, top):
            return "bad_row: a link out of the folder"
        if not path.is_file():
            return "bad_row: not a file that can be read"
        return None

    def _part(self, task: Task) -> ListingPage:
        """Find the frames of the next part of a video."""
        address, path = self._locate(task)
        start = _place(task.cursor)
        word = version(path)
        name = key(address, word, self._wanted.form)
        request = {
            "do": "find",
            "path": str(path),
            "start": asdict(start),
            "wanted": asdict(self._wanted),
            "folder": self._spool.folder(name),
        }
        try:
            answer = self._child.ask(request, deadline=self._table.deadline)
        except Fault as fault:
            where = f", from {times.written(start.seconds)} s on"
            raise Fault(
                fault.fate,
                f"{fault.fate}: {address}{where if start.seconds else ''}: {fault}",
            ) from fault
        part = Part.from_json(answer)
        picture = functools.partial(self._picture, task, address, name, word)
        return ListingPage(
            pictures=tuple(picture(frame) for frame in part.frames),
            cursor=_cursor(part.following),
            done=part.following is None,
            faults=_faults(address, part),
            passed_over=part.passed_over,
        )

    def _picture(
        self, task: Task, address: str, name: str, word: str, frame: FoundFrame
    ) -> Picture:
        tracks = tuple(
            Track(f"{name}/{frame.shot}/{number}", box) for number, box in frame.tracks
        )
        known = self._table.licence
        return Picture(
            f"{address}#t={times.written(frame.seconds)}",
            task.album,
            page_url=address if task.kind == "page" else None,
            licence=Licence(
                known or UNKNOWN.name,
                self._table.licence_url,
                "folder" if known else UNKNOWN.read_from,
                self._table.author,
            ),
            own=True,
            version=f"{word} {_mode_key(self._wanted)}",
            frame=Frame(frame.seconds, frame.shot, tracks),
        )

    def _locate(self, task: Task) -> tuple[str, Path]:
        """Return the URL of a task's video, and its file."""
        if task.kind == "page":
            address = task.subject.split(" ", 1)[1]
            return address, self._sites.bring(address)
        if self._videos is None:
            raise Fault(
                FetchStatus.NOT_FOUND,
                f"{task.subject}: the source no longer has a path",
            )
        path = self._videos.named(task.subject.rsplit(" ", 3)[0])
        return path.as_uri(), self._videos.open(path.as_uri())

    def _open(self, address: str) -> Path:
        if address.startswith("file:"):
            if self._videos is None:
                raise Fault(
                    FetchStatus.FORBIDDEN_ADDRESS, f"{address}: no path is declared"
                )
            return self._videos.open(address)
        if self._videos is not None:
            raise Fault(
                FetchStatus.FORBIDDEN_ADDRESS, f"{address}: no urls are declared"
            )
        return self._sites.bring(address)

    def _stop(self) -> None:
        self._child.close()
        self._sites.close()


def _faults(address: str, part: Part) -> tuple[str, ...]:
    if part.damaged_at is None:
        return ()
    at = times.written(part.damaged_at)
    return (f"{address}: truncated: damaged from {at} s on",)


def _mode_key(wanted: Wanted) -> str:
    """Return the mode as a string for subjects: another mode is another listing."""
    if wanted.mode == "keyframes":
        return f"keyframes-{wanted.form}"
    followed = "-tracks" if wanted.tracks else ""
    return f"shots-{wanted.frames}{followed}-{wanted.form}"


def _cursor(place: Place | None) -> str | None:
    return None if place is None else f"{place.seconds!r} {place.shot}"


def _place(cursor: str | None) -> Place:
    if cursor is None:
        return Place()
    seconds, shot = cursor.split(" ")
    return Place(float(seconds), int(shot))
