"""What a release names and where it is to be had: its ``licences.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from icf.dataset.licences import FILE, MEMBER
from icf.errors import BadInput, WrongUse
from icf.spreadsheet import meant_by
from icf.stores.files import is_sha256

_NEEDED = ("file", "sha256", "url")


@dataclass(frozen=True)
class Wanted:
    """A picture of a release.

    Attributes:
        sha256: of its bytes, in hexadecimal.
        files: its files, relative to the release.
        urls: where it was found, in the order of the table.
    """

    sha256: str
    files: tuple[str, ...]
    urls: tuple[str, ...]


def read_wanted(release: Path) -> list[Wanted]:
    """Read the pictures that a release names.

    Args:
        release: its folder.

    Raises:
        WrongUse: it is no release, or its pictures are in shards.
        BadInput: a row is none of such a table, or a file would lie elsewhere.
    """
    path = release / FILE
    files: dict[str, dict[str, None]] = {}
    urls: dict[str, dict[str, None]] = {}
    owner: dict[str, str] = {}
    try:
        stream = path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise WrongUse(
            f"{release} is no release, or not whole: {error}; name the folder that "
            "`icf-build-splits --format relink` made"
        ) from error
    with stream:
        reader = csv.DictReader(stream)
        try:
            for row in reader:
                _check(path, reader.line_num, row, owner)
                files.setdefault(row["sha256"], {})[row["file"]] = None
                found = urls.setdefault(row["sha256"], {})
                if url := meant_by(row["url"]):
                    found[url] = None
        except (csv.Error, UnicodeError) as error:
            raise BadInput(f"{path}: line {reader.line_num + 1}: {error}") from error
    return [Wanted(key, tuple(files[key]), tuple(urls[key])) for key in files]


def _check(
    path: Path, line: int, row: dict[str, str | None], owner: dict[str, str]
) -> None:
    """Refuse a row that is none, or whose file would be written elsewhere."""

    def fail(expected: str, found: object) -> BadInput:
        return BadInput(f"{path}: line {line}: expected {expected}, found {found!r}")

    if None in (values := [row.get(name) for name in _NEEDED]):
        raise fail(f"the columns {', '.join(_NEEDED)}", row)
    file, sha256, _ = map(str, values)
    if row.get(MEMBER):
        raise WrongUse(
            f"the pictures of {path.parent} are in shards, as {file}, and not to be "
            "downloaded one by one; name a release of the format relink"
        )
    if not is_sha256(sha256):
        raise fail("a SHA-256 in hexadecimal", sha256)
    if not is_inside(file):
        raise fail("a file inside the release", file)
    if owner.setdefault(file, sha256) != sha256:
        raise fail(f"one picture for the file {file}", sha256)


def is_inside(file: str) -> bool:
    r"""Whether a file of a table lies below the folder that the table is of.

    >>> is_inside("a/b.png"), is_inside("../a.png"), is_inside("/a"), is_inside("a\\b")
    (True, False, False, False)
    """
    parts = PurePosixPath(file).parts
    wrong = not parts or file.startswith("/") or ".." in parts
    return not wrong and not any(each in file for each in "\\:\0")
