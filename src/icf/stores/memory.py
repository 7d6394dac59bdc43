"""Memory that is filled from its start, emptied, and filled again.

Fresh memory for each picture of a long file costs the processor more than reading it.
"""

from __future__ import annotations


class Memory:
    """Bytes behind one another.

    Args:
        size: how many fit; with more it gets larger.

    Attributes:
        size: how many there are.
    """

    def __init__(self, size: int) -> None:
        self._bytes = bytearray(size)
        self._all = memoryview(self._bytes)
        self.size = 0

    def room(self, size: int) -> memoryview:
        """Return the next bytes, to be written by the caller; they count as there."""
        begin, self.size = self.size, self.size + size
        if self.size > len(self._bytes):
            larger = bytearray(max(self.size, 2 * len(self._bytes)))
            larger[:begin] = self._all[:begin]
            # Who still looks at the old ones keeps them.
            self._bytes, self._all = larger, memoryview(larger)
        return self._all[begin : self.size]

    def add(self, content: bytes | memoryview) -> memoryview:
        """Add bytes; return where they are now."""
        place = self.room(len(content))
        place[:] = content
        return place

    def content(self) -> memoryview:
        """Return all bytes; they change with what is added after `clear`."""
        return self._all[: self.size]

    def drop(self, size: int) -> None:
        """Forget the first bytes; the others move to the start."""
        self.size -= size
        self._all[: self.size] = self._all[size : size + self.size]

    def clear(self) -> None:
        """Begin again."""
        self.size = 0
