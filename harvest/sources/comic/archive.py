"""Pages out of ZIP files: CBZ."""

from __future__ import annotations

import contextlib
import lzma
import stat
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.comic.markup import parse_xml
from icf.harvest.sources.comic.member import decoded, is_metadata, problem_of_name
from icf.harvest.sources.comic.natural import natural_key
from icf.harvest.sources.comic.pages import (
    MOST_UNPACKED,
    About,
    Page,
    Write,
    check_count,
    page_id,
    unique,
)

Problem = tuple[FetchStatus, str]

_PIECE = 1 << 16
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1 | 0x40
_LOCAL_HEADER = 30
#: Deflate never packs pictures so tightly; from this size on it counts.
_MOST_RATIO, _RATIO_FROM = 200, 1 << 20
_METHODS = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
    zipfile.ZIP_BZIP2,
    zipfile.ZIP_LZMA,
)
#: Members that say something about the others; longer ones are not read.
_LONGEST_TEXT = 4 << 20
#: Who made a comic, by ComicInfo.xml: those who draw before those who write.
_MAKERS = ("Penciller", "Inker", "Colorist", "CoverArtist", "Writer")

#: What reading a damaged or hostile archive raises.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    UnicodeError,
)


class Archive:
    """An open ZIP file; nothing is unpacked to disk.

    Args:
        path: of the file.
        max_bytes: that one page may unpack to.

    Raises:
        Fault: ``corrupt`` when its directory cannot be read, ``too_large`` when it
            names too many members.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except BROKEN as error:
            raise Fault(
                FetchStatus.CORRUPT, f"its directory is damaged: {error}"
            ) from error
        infos = self._zip.infolist()
        check_count(len(infos))
        self._max_bytes = max_bytes
        self.members = dict(zip(unique(map(_name, infos)), infos, strict=True))
        overlapping = _overlapping(infos, self._zip.start_dir)
        names = [name for name in self.members if not is_metadata(name)]
        self.passed_over = len(infos) - len(names)
        self._by_id = {page_id(name): self.members[name] for name in names}
        left = MOST_UNPACKED
        pages = []
        for name in sorted(names, key=natural_key):
            info = self.members[name]
            left -= info.file_size
            problem = problem_of_name(name) or self._problem(info, overlapping, left)
            pages.append(_page(name, info, problem))
        self.pages = tuple(pages)
        self.about = self._comic_info()

    def _problem(
        self, info: zipfile.ZipInfo, overlapping: set[int], left: int
    ) -> Problem | None:
        if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16):
            return FetchStatus.BAD_MEMBER, "a link is not followed"
        if info.header_offset in overlapping:
            return FetchStatus.BAD_MEMBER, "it shares bytes with another member"
        if info.flag_bits & _ENCRYPTED:
            return FetchStatus.ENCRYPTED, "it asks for a password"
        if info.compress_type not in _METHODS:
            method = info.compress_type
            return (
                FetchStatus.UNSUPPORTED,
                f"packed by method {method}, which is not read",
            )
        if info.file_size > self._max_bytes or left < 0:
            return FetchStatus.TOO_LARGE, f"it unpacks to {info.file_size} bytes"
        tight = info.file_size > _MOST_RATIO * info.compress_size
        if tight and info.file_size > _RATIO_FROM:
            times = info.file_size // max(1, info.compress_size)
            return FetchStatus.TOO_LARGE, f"it unpacks to {times} times its bytes"
        return None

    def read(self, page: Page, write: Write) -> None:
        """Write the bytes of a page; see `icf.harvest.sources.comic.pages.Book`."""
        for piece in self._pieces(self._by_id[page.id], self._max_bytes):
            write(piece)

    def text(self, name: str) -> bytes | None:
        """Return the text of a small member; None if it is missing or unreadable."""
        info = self.members.get(name)
        if info is None or info.file_size > _LONGEST_TEXT:
            return None
        with contextlib.suppress(Fault):
            return b"".join(self._pieces(info, _LONGEST_TEXT))
        return None

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def _pieces(self, info: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
        size = 0
        try:
            with self._zip.open(info) as member:
                while piece := member.read(_PIECE):
                    size += len(piece)
                    if size > most:
                        break
                    yield piece
        except BROKEN as error:
            raise Fault(FetchStatus.CORRUPT, f"{info.filename}: {error}") from error
        if size > most:
            text = f"{info.filename}: it unpacks to more than {most} bytes"
            raise Fault(FetchStatus.TOO_LARGE, text)

    def _comic_info(self) -> About:
        names = [
            name
            for name in self.members
            if name.rpartition("/")[2].lower() == "comicinfo.xml"
        ]
        outermost = min(names, key=lambda name: name.count("/"), default=None)
        return _about(self.text(outermost)) if outermost else About()


def _about(text: bytes | None) -> About:
    """Read the rights and the author out of a ComicInfo.xml."""
    root = parse_xml(text)
    if root is None:
        return About()
    return About(root.findtext("Rights") or None, ", ".join(_makers(root)) or None)


def _makers(root: ET.Element) -> list[str]:
    """Return everybody whom a ComicInfo.xml names as a maker, once each."""
    found: dict[str, str] = {}
    for maker in _MAKERS:
        for text in root.findtext(maker, "").split(","):
            if name := " ".join(text.split()):
                found.setdefault(name.casefold(), name)
    return list(found.values())


def _page(name: str, info: zipfile.ZipInfo, problem: Problem | None) -> Page:
    version = f"{info.CRC:08x} {info.file_size}"
    fate, message = problem or (FetchStatus.PENDING, None)
    return Page(page_id(name), version, info.file_size, fate, message)


def _name(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & _UTF8_NAME:
        return info.orig_filename
    return decoded(info.orig_filename.encode("cp437", errors="replace"))


def _overlapping(infos: Iterable[zipfile.ZipInfo], directory: int) -> set[int]:
    """Return where members begin that share bytes with another or the directory."""
    found: set[int] = set()
    last, end = -1, 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        begin = info.header_offset
        if begin < end:
            found |= {last, begin}
        name = len(info.orig_filename)
        if (until := begin + _LOCAL_HEADER + name + info.compress_size) > directory:
            found.add(begin)
        if until > end:
            last, end = begin, until
    return found
