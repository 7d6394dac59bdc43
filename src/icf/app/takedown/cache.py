"""The workspace's cache of crops and reduced pictures, which trainings read.

A pack has many pictures and does not say of which faces. So all packs are deleted, and
the next training cuts again what is still there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from icf.app.takedown.held import CACHE, Unreached

#: Packs that are whole, and those that a training was killed in.
_PACKS = ("pack-*", ".pack-*")
_IN_USE = (
    "a training is reading it, and it may show what was withdrawn: run this again when "
    "the training has ended"
)


def packs_of(root: Path) -> list[Path]:
    """Return the packs of a workspace's cache."""
    folders = (root / "cache").glob("*")
    return sorted(each for one in folders for kind in _PACKS for each in one.glob(kind))


def remove_packs(root: Path) -> list[Unreached]:
    """Delete every pack; return those that a training on this machine has open.

    A training on another machine stops when it misses a pack, and goes on when it is
    started again.
    """
    packs = packs_of(root)
    mapped = "\n".join(_mapped()) if packs else ""
    left = []
    for folder in sorted({each.parent for each in packs}):
        why = None
        if f"{folder.resolve()}{os.sep}" in mapped:
            why = _IN_USE
        else:
            try:
                _remove(folder)
            except BlockingIOError:
                why = _IN_USE
            except OSError as error:
                why = f"its pictures cannot be deleted: {error}"
        if why is not None:
            left.append(Unreached(CACHE, str(folder), why))
    return left


def _remove(folder: Path) -> None:
    """Delete the packs of one cache while nobody writes any."""
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            pass  # a disk that cannot lock has no lock that somebody holds
        for kind in _PACKS:
            for pack in list(folder.glob(kind)):
                shutil.rmtree(pack)


def _mapped() -> Iterator[str]:
    """The files that processes of this machine have mapped, where it tells them."""
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            yield maps.read_text(encoding="utf-8", errors="surrogateescape")
