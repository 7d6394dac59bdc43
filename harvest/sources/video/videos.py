"""The user's own video files: their albums and versions."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.folder import open_inside
from icf.own_files import is_folder, walk

#: Extensions of files that accompany videos; they are counted, not opened.
NOT_VIDEOS = frozenset(
    f".{name}"
    for name in (
        *("srt", "ass", "ssa", "vtt", "sub", "idx", "nfo", "txt", "md", "json", "xml"),
        *("url", "jpg", "jpeg", "png", "webp", "part", "torrent", "md5", "sfv"),
    )
)


@dataclass(frozen=True)
class Videos:
    """A file, or the files below a folder.

    Attributes:
        path: of the file or folder, resolved.
        album: of all of them; None where each folder in ``path`` is an album.
    """

    path: Path
    album: str | None

    def albums(self) -> Iterator[str]:
        """Yield the names of the albums.

        Raises:
            OSError: there is no such folder.
        """
        if self.album is not None:
            self.path.stat()
            yield self.album
            return
        for folder in sorted(self.path.iterdir()):
            yield folder.name

    def of(self, album: str, left_out: Counter[str] | None = None) -> Iterator[Path]:
        """Yield the files of an album, and closed folders, in a fixed order.

        Args:
            album: its name.
            left_out: gets the number of files and folders that machines made, by name.
        """
        top = self.path if self.album is not None else self.path / album
        if not is_folder(top):
            yield top
            return
        yield from walk(top, left_out, closed=True)

    def state(self, album: str) -> str:
        """Return a digest of the names and versions of an album's files."""
        digest = hashlib.sha256()
        for path in self.of(album):
            digest.update(os.fsencode(f"{path} {_state(path)}\n"))
        return digest.hexdigest()[:16]

    def name(self, path: Path) -> str:
        """Return a file's name below ``path``."""
        return path.name if path == self.path else str(path.relative_to(self.path))

    def named(self, name: str) -> Path:
        """Return the file of a name that `name` returned."""
        return self.path if self.path.is_file() else self.path / name

    def open(self, url: str) -> Path:
        """Return the file of a ``file://`` URL.

        Raises:
            Fault: ``forbidden_address`` when it is not one of these files,
                ``not_found`` when it is gone.
        """
        return open_inside(url, self.path)


def _state(path: Path) -> str:
    """Return the version of a file; "-" of one that is gone, and of a link to it."""
    try:
        return version(path)
    except Fault:
        return "-"


def version(path: Path) -> str:
    """Return the version of a file: its modification time and its size."""
    try:
        status = path.stat()
    except OSError as error:
        raise Fault(FetchStatus.NOT_FOUND, f"{path}: {error.strerror}") from error
    return f"{status.st_mtime_ns} {status.st_size}"
