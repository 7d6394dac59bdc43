"""``SHA256SUMS``: the hash of every file of a release, as ``sha256sum -c`` reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from icf.dataset.release.files import SUMS
from icf.errors import BadInput
from icf.stores.files import hash_file

_FILE, _LINK, _OTHER = "file", "link", "other"
_LINE = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)", re.DOTALL)
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_MEANT = {written: meant for meant, written in _ESCAPES.items()}


def files_below(folder: Path) -> Iterator[str]:
    """Yield the name of every file below a folder, relative to it, but `SUMS`.

    A link to a file is one, too: clients of hubs download files as links.
    """
    return (name for name, kind in _below(folder) if kind != _OTHER and name != SUMS)


def links_below(folder: Path) -> Iterator[str]:
    """Yield the name of every link to a file."""
    return (name for name, kind in _below(folder) if kind == _LINK)


def others_below(folder: Path) -> Iterator[str]:
    """Yield the name of all that is no file: pipes, devices, links to no file.

    They must not be opened: a pipe may never end.
    """
    return (name for name, kind in _below(folder) if kind == _OTHER)


def _below(folder: Path, inside: str = "") -> Iterator[tuple[str, str]]:
    """Yield every name but of folders, and what it is.

    The entries of a folder say it, so no file is asked.

    Raises:
        BadInput: a folder cannot be read.
    """
    try:
        with os.scandir(folder / inside) as listed:
            entries = list(listed)
    except FileNotFoundError:  # its files will be missing
        return
    except OSError as error:
        raise unreadable(folder / inside, error) from error
    for entry in entries:
        name = f"{inside}/{entry.name}" if inside else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _below(folder, name)
        elif entry.is_symlink():
            yield name, _LINK if _leads_to_file(entry.path) else _OTHER
        else:
            yield name, _FILE if entry.is_file(follow_symlinks=False) else _OTHER


def unreadable(path: Path, error: OSError) -> BadInput:
    """Return what to raise of a file or folder that is there and cannot be read."""
    return BadInput(
        f"{path} cannot be read: {error.strerror}; check the disk, and who may read "
        "there"
    )


def _leads_to_file(link: str) -> bool:
    try:
        return Path(link).is_file()
    except PermissionError:  # whoever reads it says why it cannot be
        return True


def is_below(name: str) -> bool:
    """Whether a name that a release gives stays in its folder.

    >>> is_below("a/b..c"), is_below("../a"), is_below("/a")
    (True, False, False)
    """
    return not name.startswith("/") and ".." not in name.split("/")


def write_sums(folder: Path, known: Mapping[str, str]) -> None:
    """Write the hash of every file of a folder into its `SUMS`, sorted by name.

    Args:
        folder: where all other files are written.
        known: the hashes of files that need not be read again, by path.
    """
    with (folder / SUMS).open("w", encoding="utf-8", newline="\n") as file:
        for name in sorted(files_below(folder)):
            sha256 = known.get(f"{folder}/{name}") or hash_file(folder / name)
            file.write(f"{sum_line(name, sha256)}\n")


def sum_line(name: str, sha256: str) -> str:
    r"""Return a line of `SUMS`, without its end.

    >>> sum_line("a.csv", "0" * 8), sum_line("a\nb", "0" * 8)
    ('00000000  a.csv', '\\00000000  a\\nb')
    """
    escaped = re.sub(r"[\\\n\r]", lambda found: _ESCAPES[found[0]], name)
    mark = "\\" if escaped != name else ""
    return f"{mark}{sha256}  {escaped}"


def read_sums(folder: Path) -> dict[str, str]:
    """Read the hash of each file, by name.

    Raises:
        BadInput: there is no `SUMS`, a line is none of ``sha256sum``, or its file is
            not in the folder.
    """
    path = folder / SUMS
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line and number == len(lines):
            break
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise BadInput(
                f"{path}: line {number}: expected a SHA-256, two spaces and a file, "
                f"found {line[:80]!r}"
            )
        name = parts[3]
        if parts[1]:
            name = re.sub(r"\\[\\nr]", lambda one: _MEANT[one[0]], name)
        if not is_below(name):
            raise BadInput(
                f"{path}: line {number}: expected a file inside the release, found "
                f"{name[:80]!r}"
            )
        if name in found:
            raise BadInput(
                f"{path}: line {number}: expected each file once, found {name!r} again"
            )
        found[name] = parts[2]
    return found
