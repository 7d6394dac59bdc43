"""Write a body into the blob store while it arrives."""

from __future__ import annotations

from types import TracebackType

from icf.stores.blobs import BlobStore, BlobWriter

#: Bytes of a picture that stay in memory; they include its header.
HEAD = 1 << 18


class BlobSink:
    """A sink for one body; the first byte creates a temporary file.

    Args:
        blobs: where it is stored.
        sha1: whether its SHA-1 is needed.

    Attributes:
        head: the first bytes.
        size: bytes so far.
    """

    def __init__(self, blobs: BlobStore, *, sha1: bool = False) -> None:
        self._blobs = blobs
        self._wants_sha1 = sha1
        self._writer: BlobWriter | None = None
        self.head = b""
        self.size = 0

    def __enter__(self) -> BlobSink:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Discard the bytes unless `keep` was called."""
        if self._writer is not None:
            self._writer.__exit__(kind, error, trace)

    def write(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            BrokenMachine: the disk cannot be written.
        """
        if self._writer is None:
            self._writer = self._blobs.writer(sha1=self._wants_sha1)
        self._writer.write(piece)
        self.size += len(piece)
        if len(self.head) < HEAD:
            self.head += piece[: HEAD - len(self.head)]

    @property
    def sha256(self) -> str:
        """SHA-256 of all bytes so far, in hexadecimal; empty before the first."""
        return self._writer.sha256 if self._writer is not None else ""

    @property
    def sha1(self) -> str:
        """SHA-1 of all bytes so far, in hexadecimal; empty before the first."""
        return self._writer.sha1 if self._writer is not None else ""

    def content(self) -> bytes:
        """Return all bytes so far."""
        whole = self._writer is None or self.size == len(self.head)
        return self.head if whole or self._writer is None else self._writer.read_back()

    def keep(self) -> str:
        """Store the bytes durably under their SHA-256; return the hash."""
        if self._writer is None:
            raise ValueError("no bytes were written")
        return self._writer.commit()
