"""Text files as programs of the world save them: which encoding, line by line."""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from icf.errors import BadInput

log = logging.getLogger(__name__)

_PIECE = 1 << 20
_HEAD = 4096
#: Byte order marks; that of UTF-32 begins like that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: How .xlsx, .ods (both are ZIP) and .xls begin.
_SPREADSHEETS = (b"PK\3\4", b"\xd0\xcf\x11\xe0")

#: How compressed files begin, whatever they are called.
_COMPRESSED = (
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\xfd7zXZ\0", "xz", "unxz"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip", "7z x"),
)

#: As ``surrogateescape`` reads bytes that are no UTF-8, and `_mark` those that are none
#: of another encoding.
UNREADABLE = re.compile("[\ud800-\udfff]")
_DECODED = re.compile("[\x80-\ud7ff\ue000-\U0010ffff]")
#: Bytes that text in Windows-1252 does not have: undefined there, or signs that no name
#: has. Text in another encoding of one's country has them, or long runs of high bytes.
_FOREIGN = re.compile(rb"[\x81-\x84\x86-\x89\x8d\x8f\x90\x98\x9d]|[\x80-\xff]{4}")
_FOREIGN_TO_MACS = re.compile(rb"[\x80-\xff]{4}")


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Do what ``surrogateescape`` does, but in UTF-16 and UTF-32 too."""
    assert isinstance(error, UnicodeDecodeError)
    return chr(0xDC00 + error.object[error.start]), error.end


_MARK = "icf.text_file"
codecs.register_error(_MARK, _mark)


@dataclass(frozen=True)
class TextFile:
    """A text file and how its bytes are read.

    Attributes:
        path: the file.
        encoding: a codec. Bytes that it cannot read become lone surrogates
            (`UNREADABLE`), so that what contains them can be refused alone.
    """

    path: Path
    encoding: str

    def open(self) -> TextIO:
        """Open it; line ends stay as they are.

        Raises:
            OSError: it cannot be opened.
        """
        return self.path.open(
            encoding=self.encoding,
            errors="surrogateescape" if self.encoding.startswith("utf-8") else _MARK,
            newline="",
        )

    def lines(self, longest: int) -> Iterator[str]:
        """Yield the lines with their ends, whichever of LF, CRLF and CR ends them.

        Args:
            longest: of a longer line only so many characters are returned.
        """
        with self.open() as file:
            while line := file.readline(longest):
                end = line
                while len(end) == longest and end[-1] not in "\r\n":
                    end = file.readline(longest)
                yield line


def open_text(path: Path) -> TextFile:
    """Find out how the bytes of a text are to be read.

    By its byte order mark; else UTF-16 where every other byte is zero; else UTF-8. A
    file with no UTF-8 in it, but with letters of Western Europe, is from a spreadsheet
    that saved it in its system's own encoding, and a warning says so. Where that would
    be a guess, the file stays UTF-8, and what is not is for the caller to refuse.

    Raises:
        OSError: it cannot be read.
        BadInput: it is no text but a spreadsheet, or compressed.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_SPREADSHEETS):
        raise BadInput(
            f"{path} is a spreadsheet program's own file (.xlsx, .ods or .xls); "
            "save it there as CSV, in UTF-8 if it asks"
        )
    for beginning, called, command in _COMPRESSED:
        if head.startswith(beginning):
            raise BadInput(
                f"{path} is compressed by {called}; unpack it first: {command} does it"
            )
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return TextFile(path, encoding)
    if wide := _without_mark(head):
        return TextFile(path, wide)
    encoding = _of_content(path)
    if encoding != "utf-8":
        shown = "Windows-1252" if encoding == "cp1252" else "Mac Roman"
        log.warning(
            "%s is not UTF-8; it is read as %s. Look at a name with an accent, and "
            "save the file as UTF-8 if it is wrong",
            path,
            shown,
        )
    return TextFile(path, encoding)


def _without_mark(head: bytes) -> str | None:
    """Return which UTF-16 a text without a mark is in, if it is."""
    even, odd = head[0::2], head[1::2]
    if len(head) < 4 or head.count(0) < len(head) // 4:
        return None
    if even.count(0) > 3 * odd.count(0):
        return "utf-16-be"
    return "utf-16-le" if odd.count(0) > 3 * even.count(0) else None


def _of_content(path: Path) -> str:
    """Return the encoding of a file without a byte order mark, by all of its bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    others = foreign = foreign_to_macs = line_feeds = returns = False
    with path.open("rb") as file:
        last, done = b"", False
        while not done:
            piece = file.read(_PIECE)
            done = not piece
            text = decoder.decode(piece, final=done)
            line_feeds = line_feeds or b"\n" in piece
            returns = returns or b"\r" in piece
            if not text.isascii():
                if _DECODED.search(text):
                    return "utf-8"
                others = True
                seen = last + piece
                foreign = foreign or bool(_FOREIGN.search(seen))
                foreign_to_macs = foreign_to_macs or bool(_FOREIGN_TO_MACS.search(seen))
            last = piece[-3:]
    # Old programs of Macs end lines with CR, and have an encoding of their own.
    if others and returns and not line_feeds and not foreign_to_macs:
        return "mac_roman"
    return "cp1252" if others and not foreign else "utf-8"
