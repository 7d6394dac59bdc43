"""Tar archives that are the same bytes for the same content, written fast.

POSIX.1-1988 (ustar) headers with owner, group and time of zero. Python's ``tarfile``
writes the same, and takes longer for a header than for a small picture.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO

from icf.stores.memory import Memory

_BLOCK = 512
#: The end of an archive, and what GNU tar fills it up to.
_END, _RECORD = 2 * _BLOCK, 20 * _BLOCK
_ZEROS = bytes(_BLOCK)
#: So much is written in one call, up to whole pages of the disk's cache: what ends
#: within one takes the processor half as long again.
_AT_ONCE, _PAGES = 1 << 18, 1 << 16
_MOST_NAME = 100
_MOST_SIZE = 8**11 - 1

#: What follows the name: mode, user, group; what follows the size: time, checksum.
_OWNER = b"0000644\0" + 2 * b"0000000\0"
_TIME = b"00000000000\0"
_TYPE = b"0" + 100 * b"\0" + b"ustar\x0000"
_REST = bytes(_BLOCK - 257 - 8)
#: The sum of everything that does not change, with a checksum of blanks.
_FIXED = sum(_OWNER) + sum(_TIME) + 8 * ord(" ") + sum(_TYPE)


def header(name: str, size: int) -> bytes:
    """Return the 512 bytes before a file's content.

    Args:
        name: ASCII, of at most 100 bytes.
        size: of the content, in bytes.

    Raises:
        ValueError: the name or the size cannot be written.
    """
    named = name.encode("ascii")
    if not 0 < len(named) <= _MOST_NAME or not 0 <= size <= _MOST_SIZE:
        raise ValueError(f"cannot be a member of a tar archive: {name!r}, {size} bytes")
    length = b"%011o\0" % size
    checksum = b"%06o\0 " % (_FIXED + sum(named) + sum(length))
    padded = named.ljust(_MOST_NAME, b"\0")
    return b"".join((padded, _OWNER, length, _TIME, checksum, _TYPE, _REST))


class TarWriter:
    """Writes one archive; as a context, ends it.

    Args:
        file: opened for writing, without a buffer.
        memory: for what is to be written next; empty.
    """

    def __init__(self, file: BinaryIO, memory: Memory) -> None:
        self._file = file
        self._memory = memory
        self._written = 0

    @property
    def size(self) -> int:
        """Bytes so far, without the archive's end."""
        return self._written + self._memory.size

    def add(self, name: str, content: bytes) -> int:
        """Add a file; return the offset of its content in the archive.

        Raises:
            ValueError: as `header`.
            OSError: the disk is full or fails.
        """
        return self.add_read(name, lambda memory: memory.add(content))[0]

    def add_read(
        self, name: str, read: Callable[[Memory], memoryview]
    ) -> tuple[int, int]:
        """Add a file whose content is read now.

        Args:
            name: as `header` takes it.
            read: adds the content to the memory and returns it.

        Returns:
            The offset of the content in the archive, and its size.

        Raises:
            ValueError: as `header`.
            OSError: the disk is full or fails.
        """
        if self._memory.size >= _AT_ONCE:
            self._flush(self._memory.size // _PAGES * _PAGES)
        begin = self.size + _BLOCK
        head = self._memory.size
        self._memory.room(_BLOCK)
        size = len(read(self._memory))
        self._memory.content()[head : head + _BLOCK] = header(name, size)
        self._memory.add(_ZEROS[: -size % _BLOCK])
        return begin, size

    def close(self) -> None:
        """Write the archive's end."""
        self._memory.add(bytes(_END))
        self._memory.add(bytes(-self.size % _RECORD))
        self._flush(self._memory.size)

    def __enter__(self) -> TarWriter:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the archive, unless something failed."""
        if error is None:
            self.close()

    def _flush(self, size: int) -> None:
        """Write the first bytes of the memory."""
        rest = self._memory.content()[:size]
        while rest:
            rest = rest[self._file.write(rest) :]
        self._written += size
        self._memory.drop(size)
