"""Read a JSON list item by item, in memory for one of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TextIO

from icf.text_file import TextFile

_SPACE = re.compile(r"[ \t\n\r]*")
_PIECE = 1 << 16
#: Characters of an item. A longer one is none, or a file that is not closed.
_LONGEST = 1 << 24


class NotJson(Exception):
    """From somewhere on, the file is not a list in JSON."""


def items_of(file: TextFile) -> Iterator[tuple[object, str]]:
    """Yield the items of a list, each with its text.

    Raises:
        NotJson: behind the last good item; the message says what is wrong.
        OSError: the file cannot be read.
    """
    with file.open() as opened:
        text = _Text(opened)
        text.take("[")
        if text.next() == "]":
            text.take("]")
        else:
            yield text.value()
            while text.next() == ",":
                text.take(",")
                yield text.value()
            if text.next() != "]":
                raise NotJson("the list of tasks ends unexpectedly")
            text.take("]")
        if text.next():
            raise NotJson("there is text after the list of tasks")


class _Text:
    """A text that is read as far as it is needed."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._buffer = ""
        self._at = 0
        self._decoder = json.JSONDecoder()

    def next(self) -> str:
        """Return the next character that is not space; an empty one at the end."""
        while True:
            found = _SPACE.match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._buffer) or not self._more():
                return self._buffer[self._at : self._at + 1]

    def take(self, character: str) -> None:
        """Pass over a character.

        Raises:
            NotJson: it is not the next.
        """
        if self.next() != character:
            raise NotJson(f"{character} is missing")
        self._at += 1

    def value(self) -> tuple[object, str]:
        """Return the next value and its text.

        Raises:
            NotJson: there is none.
        """
        self.next()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except (ValueError, RecursionError) as error:
                # It may only be incomplete.
                too_long = len(self._buffer) - self._at > _LONGEST
                if too_long or isinstance(error, RecursionError) or not self._more():
                    raise NotJson("from here on the file is not JSON") from error
                continue
            if end == len(self._buffer) and self._more():
                continue  # the digits of a number may go on
            text, self._at = self._buffer[self._at : end], end
            return value, text

    def _more(self) -> bool:
        """Read on; twice as much each time, so that all of it is linear."""
        rest = self._buffer[self._at :]
        piece = self._file.read(max(_PIECE, len(rest)))
        self._buffer, self._at = rest + piece, 0
        return bool(piece)
