"""Find the published names of a data set below a folder, however it was unpacked."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from icf.errors import BadInput

#: How many folders below the one given names are looked for.
DEPTH = 3


def places_of(root: Path, names: Collection[str], name: str) -> dict[str, Path]:
    """Return where each name is; of several places the nearest, then the first.

    Below a folder or file that is found nothing is looked for.

    Args:
        root: the folder, as given by the user.
        names: of files and folders.
        name: the reader's, for messages.

    Raises:
        BadInput: ``root`` is no folder.
    """
    if not root.is_dir():
        raise BadInput(f"{name}: {root} is not a folder")
    places: dict[str, Path] = {}
    level = [root]
    for _ in range(DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            with os.scandir(folder) as entries:
                for each in sorted(entries, key=lambda entry: entry.name):
                    if each.name in names:
                        places.setdefault(each.name, Path(each.path))
                    elif each.is_dir():
                        below.append(Path(each.path))
        level = below
    return places
