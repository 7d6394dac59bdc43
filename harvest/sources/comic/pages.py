"""The interface of an open comic: its pages and its metadata."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from icf.codes import FetchStatus
from icf.harvest.fault import Fault

Write = Callable[[bytes], object]

#: Members or pages that one file may have.
MOST_PAGES = 20_000
#: Bytes that the pages of one file may unpack to, by its directory.
MOST_UNPACKED = 16 << 30
_LONGEST_ID = 900
_SHOWN = 200


@dataclass(frozen=True)
class Page:
    """One page, or a member that cannot be one.

    Attributes:
        id: unique in its file; used in the URL unchanged.
        version: changes with its bytes; empty if only the file has a version.
        size: in bytes, if the file states it.
        fate: other than pending where it is known already that it cannot be read.
    """

    id: str
    version: str = ""
    size: int | None = None
    fate: FetchStatus = FetchStatus.PENDING
    message: str | None = None


@dataclass(frozen=True)
class About:
    """Rights and author that a file states."""

    rights: str | None = None
    author: str | None = None


class Book(Protocol):
    """An open comic."""

    pages: tuple[Page, ...]
    about: About
    #: Number of members that are never pages.
    passed_over: int

    def read(self, page: Page, write: Write) -> None:
        """Write the bytes of a page.

        Raises:
            Fault: it cannot be read.
        """

    def close(self) -> None:
        """Close the file."""


def page_id(name: str) -> str:
    """Return a name as part of a URL; a digest if it is too long.

    >>> page_id("Part 1/p#2.jpg")
    'Part%201/p%232.jpg'
    """
    quoted = quote(name, safe="/", errors="surrogatepass")
    if len(quoted) <= _LONGEST_ID:
        return quoted
    digest = hashlib.sha256(quoted.encode()).hexdigest()[:32]
    return f"{quoted[:_SHOWN]}...{digest}"


#: Id of what a damaged file has lost, which may be any number of pages.
REST = page_id("(the rest)")


def unique(names: Iterable[str]) -> list[str]:
    """Make names unique: a second "a" becomes "a (2)".

    >>> unique(["a", "a", "a (2)"])
    ['a', 'a (3)', 'a (2)']
    """
    wanted = list(names)
    taken, seen = set(wanted), set[str]()
    last: dict[str, int] = {}
    for place, name in enumerate(wanted):
        copy = last.get(name, 1)
        while wanted[place] in seen or (copy > 1 and wanted[place] in taken):
            copy += 1
            wanted[place] = f"{name} ({copy})"
        last[name] = copy
        seen.add(wanted[place])
    return wanted


def check_count(count: int) -> None:
    """Check that a file does not have too many pages.

    Raises:
        Fault: ``too_large``.
    """
    if count > MOST_PAGES:
        text = f"it has {count} pages or members; the cap is {MOST_PAGES}"
        raise Fault(FetchStatus.TOO_LARGE, text)
