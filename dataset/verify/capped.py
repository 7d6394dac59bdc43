"""Faults of a kind, of which a few are named and the rest is counted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from icf.dataset.formats.checked import Fault

#: So many faults of a kind are named.
NAMED = 20
#: What differs between faults of a kind: words with a digit, quoted texts, rows.
_OWN = re.compile(r"'[^']*'|\([^()]*\)|(?<=row ).*(?=, which)|[^\s]*\d[^\s]*")


@dataclass
class Capped:
    """The faults of a release, without repetitions.

    Args:
        most: named of each kind in a folder; None: all.
    """

    most: int | None = NAMED
    _named: set[Fault] = field(default_factory=set)
    _count: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, faults: Iterable[Fault]) -> None:
        """Take what is found; equal faults are one."""
        for each in faults:
            if each in self._named:
                continue
            kind = kind_of(each)
            count = self._count.get(kind, 0) + 1
            self._count[kind] = count
            if self.most is None or count <= self.most:
                self._named.add(each)

    def all(self) -> tuple[Fault, ...]:
        """The faults, sorted, with one that counts those of each kind not named."""
        more = [
            Fault(place, f"{count - self.most:,} more like these: {what}")
            for (place, what), count in self._count.items()
            if self.most is not None and count > self.most
        ]
        return (*sorted(self._named), *sorted(more))


def kind_of(fault: Fault) -> tuple[str, str]:
    """Return where a fault is and what it is, without what it is about.

    >>> kind_of(Fault("a/b/1.jpg", "is missing"))
    ('a/b/*.jpg', 'is missing')
    >>> kind_of(Fault("a/list.txt", "line 7: x_7.jpg has the label 3, and not 4"))
    ('a/list.txt', 'line … … has the label … and not …')
    """
    path = PurePosixPath(fault.file)
    file = fault.file
    if re.search(r"\d", path.name):
        file = (path.parent / f"*{path.suffix}").as_posix()
    return file, _OWN.sub("…", fault.what)
