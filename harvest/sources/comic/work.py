"""List and read comics, in a process of its own that can be killed."""

from __future__ import annotations

import resource
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icf.codes import FetchStatus
from icf.harvest.child import Answer, Request, Write
from icf.harvest.fault import Fault
from icf.harvest.sources.comic.archive import Archive
from icf.harvest.sources.comic.epub import Epub, is_epub
from icf.harvest.sources.comic.pages import Book
from icf.harvest.sources.comic.pdf import Pdf
from icf.harvest.sources.comic.rar import Rar

#: Bytes of address space for one file, above what the libraries have mapped.
_MEMORY = 200 << 20
_HEAD = 1024
#: What comics come in and is not read: where its signature is, the signature, its name.
_NOT_READ = (
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (257, b"ustar", "a tar archive"),
    (60, b"BOOKMOBI", "a Kindle book"),
    (0, b"AT&TFORM", "a DjVu file"),
)


@dataclass
class _Opened:
    """The book that was read last; the next page is usually from the same one."""

    key: tuple[Any, ...] = ()
    book: Book | None = None


_opened = _Opened()


def answer(request: Request, write: Write) -> Answer:
    """List the pages of a comic, or write the bytes of one.

    Raises:
        Fault: the file, or the page, cannot be read.
    """
    if not _opened.key:
        _bound()
    book = _open(Path(request["path"]), request["max_bytes"], request["dpi"])
    if request["do"] == "list":
        return {
            "pages": [
                [p.id, p.version, p.size, p.fate.name, p.message] for p in book.pages
            ],
            "rights": book.about.rights,
            "author": book.about.author,
            "passed_over": book.passed_over,
        }
    for page in book.pages:
        if page.id == request["page"]:
            if page.fate is not FetchStatus.PENDING:
                raise Fault(page.fate, page.message or "")
            book.read(page, write)
            return {}
    raise Fault(FetchStatus.NOT_FOUND, "the file no longer has this page")


def _open(path: Path, max_bytes: int, dpi: float) -> Book:
    state = path.stat()
    key = (path, state.st_size, state.st_mtime_ns, max_bytes, dpi)
    if key != _opened.key or _opened.book is None:
        if _opened.book is not None:
            _opened.book.close()
        _opened.key, _opened.book = key, None
        _opened.book = open_book(path, max_bytes, dpi)
    return _opened.book


def open_book(path: Path, max_bytes: int, dpi: float) -> Book:
    """Open a comic; its first bytes decide its format, not its name.

    Raises:
        Fault: it is not a comic, or it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise Fault(FetchStatus.EMPTY, "zero bytes")
    if head.startswith(b"Rar!\x1a\x07"):
        return Rar(path, max_bytes)
    # A PDF may begin with other bytes, and an archive with a PDF that it stores.
    if b"%PDF-" in head and not head.startswith(b"PK\x03\x04"):
        return Pdf(path, max_bytes, dpi)
    if head.startswith(b"PK") or zipfile.is_zipfile(path):
        archive = Archive(path, max_bytes)
        if not is_epub(archive):
            return archive
        archive.close()
        return Epub(path, max_bytes)
    for place, signature, name in _NOT_READ:
        if head[place:].startswith(signature):
            what = f"{name}, which is not read: pack its pages into a CBZ"
            raise Fault(FetchStatus.UNSUPPORTED, f"it is {what}")
    if path.suffix.lower() in (".cbz", ".zip", ".cbr", ".rar", ".pdf", ".epub"):
        raise Fault(FetchStatus.CORRUPT, "its content does not match its extension")
    raise Fault(FetchStatus.UNSUPPORTED, "it is not a CBZ, CBR, PDF or EPUB file")


def _bound() -> None:
    """Limit the address space to what is mapped now, plus `_MEMORY`."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + _MEMORY
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (min(most, hard), hard))
