"""Hold the files against ``croissant.json``, which has the hash of each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from icf.dataset.cards.croissant import FILE
from icf.dataset.cards.told import KEY
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault

#: An object of it that is a file, and not a set of files.
_OBJECT = "cr:FileObject"


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
