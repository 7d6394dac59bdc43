"""Write requests and responses as WARC files (ISO 28500), for archives."""

from __future__ import annotations

import io
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from icf.errors import BrokenMachine, WrongUse
from icf.harvest.download.fetch import Fetched

#: Size in bytes at which a new file is started.
ROTATE = 1_000_000_000
_OPEN = ".open"
#: Headers of the transferred body; the stored body is decoded.
_OF_THE_WIRE = frozenset({"content-encoding", "transfer-encoding", "content-length"})


class WarcFiles:
    """Writes pairs of a request and its response; a context manager.

    An unfinished file ends in ``.open``; it gets its final name when it is complete.

    Args:
        folder: of the files; it is created.
        agent: the User-Agent that was sent.

    Raises:
        WrongUse: warcio is not installed.
    """

    def __init__(self, folder: Path, agent: str, rotate: int = ROTATE) -> None:
        try:
            import warcio  # noqa: F401
        except ImportError as error:
            raise WrongUse(
                "harvest.warc needs the extra `warc`: pip install 'icf-toolkit[warc]'"
            ) from error
        self._folder = folder
        self._agent = agent
        self._rotate = rotate
        self._lock = threading.Lock()
        self._file: io.BufferedWriter | None = None
        self._writer: Any = None
        self._count = 0

    def __enter__(self) -> WarcFiles:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the last file its name."""
        with self._lock:
            self._finish()

    def write(self, requested: str, fetched: Fetched, body: bytes) -> None:
        """Add a request and its response.

        Raises:
            BrokenMachine: the disk cannot be written.
        """
        from warcio.statusandheaders import StatusAndHeaders

        headers = [
            *((k, v) for k, v in fetched.raw if k.lower() not in _OF_THE_WIRE),
            ("Content-Length", str(len(body))),
        ]
        answered = StatusAndHeaders(f"{fetched.status} OK", headers, "HTTP/1.1")
        sent = [("User-Agent", self._agent), ("Accept-Encoding", "identity")]
        request = StatusAndHeaders(
            f"GET {fetched.url} HTTP/1.1", sent, is_http_request=True
        )
        try:
            with self._lock:
                writer = self._opened()
                response = _record(writer, fetched.url, "response", body, answered)
                question = _record(writer, fetched.url, "request", b"", request)
                if requested != fetched.url:
                    response.rec_headers.add_header("WARC-Source-URI", requested)
                writer.write_request_response_pair(question, response)
                assert self._file is not None
                if self._file.tell() >= self._rotate:
                    self._finish()
        except OSError as error:
            raise BrokenMachine(
                f"cannot write to {self._folder}: {error}; free some space, or set "
                "harvest.warc = false"
            ) from error

    def _opened(self) -> Any:
        if self._file is None:
            from warcio.warcwriter import WARCWriter

            self._folder.mkdir(parents=True, exist_ok=True)
            stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime())
            name = f"icf-{stamp}-{os.getpid()}-{self._count:05d}.warc.gz{_OPEN}"
            self._count += 1
            self._file = (self._folder / name).open("xb")
            self._writer = WARCWriter(self._file, gzip=True)
            software = f"software: {self._agent}\r\n".encode()
            begins = self._writer.create_warc_record(
                "",
                "warcinfo",
                io.BytesIO(software),
                length=len(software),
                warc_content_type="application/warc-fields",
                warc_headers_dict={"WARC-Filename": name.removesuffix(_OPEN)},
            )
            self._writer.write_record(begins)
        return self._writer

    def _finish(self) -> None:
        if self._file is None:
            return
        file, self._file, self._writer = self._file, None, None
        file.flush()
        os.fsync(file.fileno())
        file.close()
        path = Path(str(file.name))
        path.replace(path.with_suffix(""))


def _record(writer: Any, url: str, kind: str, body: bytes, headers: Any) -> Any:
    # With its length known, warcio needs no temporary file for it.
    stream, length = io.BytesIO(body), len(body)
    return writer.create_warc_record(
        url, kind, stream, length=length, http_headers=headers
    )
