"""Pictures that are files of a folder: which there are, and their bytes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from icf.errors import BadInput
from icf.models.data.base import Skipped
from icf.names import normal_name
from icf.own_files import is_text, walk

#: How names of pictures end; what they really are, the decoder finds out.
SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp"),
        *(".tif", ".tiff", ".avif", ".heic", ".heif"),
    }
)


_LINK = "a link to a folder, which is not followed"


def picture_files(
    root: Path, left_out: Counter[str] | None = None
) -> Iterator[str | Skipped]:
    """Yield the pictures below a folder, in a fixed order.

    Args:
        root: the folder.
        left_out: gets the number of folders and files that are hidden, or made by a
            machine, by name; they are passed over.

    Yields:
        The path of a picture below ``root``, with ``/``; any other file as skipped.
    """
    above = 0 if root == Path() else len(os.fspath(root).rstrip("/")) + 1
    for path in walk(root, left_out, closed=True):
        key = os.fspath(path)[above:]
        if not is_text(key):
            shown = os.fsencode(key).decode(errors="replace")
            yield Skipped(shown, "its name is not UTF-8")
        elif path.suffix.lower() not in SUFFIXES:
            yield Skipped(key, _why_skipped(path))
        else:
            yield key


def _why_skipped(path: Path) -> str:
    if not path.is_dir():
        return "not a picture by its name"
    return _LINK if path.is_symlink() else "a folder that cannot be read"


class KnownFiles:
    """Which files there are below a folder; each folder is listed once.

    That is much faster than asking the system for each of many files.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: dict[str, frozenset[str]] = {}
        self._alike: dict[str, dict[str, list[str]]] = {}

    def __contains__(self, key: str) -> bool:
        """Whether there is such a file; a key never leads out of the folder."""
        folder, _, name = key.rpartition("/")
        if folder not in self._names:
            self._names[folder] = self._listed(folder)
        return name in self._names[folder]

    def find(self, key: str) -> str | None:
        """Return how a file is called here; None: there is none.

        A list may have a name composed that is decomposed here, or the other way
        round; that is found, if only one file or folder is called so.
        """
        if key in self or "\0" in key:  # which is in no name
            return key if key in self else None
        found = ""
        for part in key.split("/"):
            alike = self._called_alike(found).get(normal_name(part), [])
            if part not in alike and len(alike) != 1:
                return None
            called = part if part in alike else alike[0]
            found = f"{found}/{called}" if found else called
        return found if found in self else None

    def _called_alike(self, folder: str) -> dict[str, list[str]]:
        """What is in a folder, by names in their normal form."""
        if folder not in self._alike:
            alike: dict[str, list[str]] = {}
            with contextlib.suppress(OSError):
                for each in (self._root / folder).iterdir():
                    alike.setdefault(normal_name(each.name), []).append(each.name)
            self._alike[folder] = alike
        return self._alike[folder]

    def _listed(self, folder: str) -> frozenset[str]:
        if folder.startswith("/") or ".." in folder.split("/"):
            return frozenset()
        try:
            with os.scandir(self._root / folder) as entries:
                return frozenset(each.name for each in entries if each.is_file())
        # A zero byte is in no name.
        except (OSError, ValueError):
            return frozenset()


def read_file(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        # A pipe would be waited for.
        if stat.S_ISREG(path.stat().st_mode):
            return path.read_bytes()
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    raise BadInput(f"{path}: cannot be read: it is no regular file")


def state_of(root: Path, files: Iterable[Path]) -> str:
    """Return a digest of files by their names below ``root``, sizes and times.

    No file is read.
    """
    digest, above = hashlib.sha256(), os.fspath(root)
    for path in files:
        name = os.fspath(path).removeprefix(above)
        try:
            status = path.stat()
            line = f"{name} {status.st_size} {status.st_mtime_ns}\n"
        except OSError:
            line = f"{name} is gone\n"
        digest.update(line.encode("utf-8", errors="surrogateescape"))
    return digest.hexdigest()
