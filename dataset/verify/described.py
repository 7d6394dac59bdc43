"""Hold the files against ``croissant.json``, which has the hash of each of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from icf.dataset.cards.croissant import FILE, File, parts
from icf.dataset.cards.told import KEY
from icf.dataset.certificate import HTML, JSON
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault
from icf.dataset.release.files import LATER, PUBLIC_KEY, RELINKED, SUMS

#: An object of it that is a file, and not a set of files.
_OBJECT = "cr:FileObject"

#: What is written after the description, or downloaded.
_AFTER = frozenset({FILE, SUMS, JSON, HTML, PUBLIC_KEY, RELINKED, *LATER})


def check_described(
    folder: Path, summary: Mapping[str, Any], hashes: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield files that are not those that the Croissant description names.

    Args:
        folder: the release.
        summary: its ``release.json``; an earlier version leaves the description as it
            was when something is deleted.
        hashes: the SHA-256 of every file, as it is now.
    """
    if KEY not in summary or "rule" not in summary:
        return
    if FILE not in hashes:
        yield Fault(FILE, MISSING)
        return
    try:
        described = json.loads((folder / FILE).read_text(encoding="utf-8"))
        files = {
            str(each["contentUrl"]): (each["sha256"], each["contentSize"])
            for each in described["distribution"]
            if each["@type"] == _OBJECT
        }
    except (OSError, *UNEXPECTED) as error:
        yield Fault(FILE, f"is no description of a release: {error!r:.200}")
        return
    for name, (sha256, size) in files.items():
        if name not in hashes:
            yield Fault(name, MISSING)
        elif hashes[name] != sha256:
            yield Fault(
                name, f"is not the one that {FILE} has, whose SHA-256 is {sha256}"
            )
        elif size != f"{(folder / name).stat().st_size} B":
            yield Fault(FILE, f"has another size of {name}: {size}")


def check_parts(
    folder: Path,
    hashes: Mapping[str, str],
    pictures: Collection[str],
    tables: Collection[str],
) -> Iterator[Fault]:
    """Yield what the description tells otherwise of its files, sets and records.

    Args:
        folder: a release that this version wrote.
        hashes: the SHA-256 of every file, as it is now.
        pictures: those that are files of their own.
        tables: the records that the release has.
    """
    if FILE not in hashes:
        return  # `check_described` says so
    try:
        described = json.loads((folder / FILE).read_text(encoding="utf-8"))
        found = {
            key: _by_id(described.get(key, [])) for key in ("distribution", "recordSet")
        }
    except (OSError, *UNEXPECTED) as error:
        yield Fault(FILE, f"is no description of a release: {error!r:.200}")
        return
    names = hashes.keys() - _AFTER - set(pictures)
    sizes = ((name, (folder / name).stat().st_size) for name in sorted(names))
    files = [File(name, hashes[name], size) for name, size in sizes]
    for key, some in parts(files, pictures, tables).items():
        told, meant = found[key], _by_id(some)
        for name in sorted(told.keys() | meant.keys()):
            if name not in told:
                yield Fault(FILE, f"{key}: lacks {name}")
            elif told[name].get("@type") == _OBJECT:
                continue  # `check_described` holds it against the file
            elif name not in meant:
                yield Fault(FILE, f"{key}: has {name}, which follows from no file")
            elif told[name] != meant[name]:
                yield Fault(FILE, f"{key}: says otherwise of {name} than its files")


def _by_id(some: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {str(each["@id"]): each for each in some}
