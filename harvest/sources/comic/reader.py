"""Read the pages that were listed, in processes that can be killed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from icf.codes import FetchStatus
from icf.harvest.child import Answer, Children, Write
from icf.harvest.fault import Fault
from icf.harvest.sources.base import Sink
from icf.harvest.sources.folder import open_inside

#: Module that reads; it runs in a child process.
WORK = "icf.harvest.sources.comic.work"
PAGE = "#page="
_MOST = 2


@dataclass(frozen=True)
class ReadLimits:
    """Limits for reading.

    Attributes:
        max_bytes: of one page, unpacked.
        dpi: of a PDF page that has to be drawn.
        deadline: seconds for one page, or for the listing of one file.
    """

    max_bytes: int
    dpi: float
    deadline: float


class PageReader:
    """Reads pages by their URLs: ``file:///books/a.cbz#page=p1.jpg``.

    Args:
        folder: which the comics are in; nothing outside of it is read.
        limits: of each page.
    """

    def __init__(self, folder: Path, limits: ReadLimits) -> None:
        self._folder = folder
        self._limits = limits
        self._children = Children(WORK, min(_MOST, os.cpu_count() or 1))

    def list(self, file_url: str) -> Answer:
        """List the pages of a file; see `icf.harvest.sources.comic.work`.

        Raises:
            Fault: the file cannot be opened.
        """
        return self._ask("list", file_url, "", lambda piece: None)

    def read(self, url: str, sink: Sink) -> None:
        """Write the bytes of a page into a sink.

        Raises:
            Fault: it cannot be read.
        """
        file_url, mark, page = url.partition(PAGE)
        if not mark:
            self.list(file_url)
            text = f"{url} can be opened now: list it with `icf-harvest run --refresh`"
            raise Fault(FetchStatus.UNSUPPORTED, text)
        self._ask("read", file_url, page, sink.write)

    def close(self) -> None:
        """End the processes."""
        self._children.close()

    def _ask(self, do: str, file_url: str, page: str, write: Write) -> Answer:
        path = open_inside(file_url, self._folder)
        request = {
            "do": do,
            "path": str(path),
            "page": page,
            "max_bytes": self._limits.max_bytes,
            "dpi": self._limits.dpi,
        }
        try:
            return self._children.ask(request, write, deadline=self._limits.deadline)
        except Fault as fault:
            where = f"{file_url}{PAGE}{page}" if page else file_url
            raise Fault(fault.fate, f"{where}: {fault}") from fault
