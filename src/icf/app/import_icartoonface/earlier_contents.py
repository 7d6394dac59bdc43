"""What ``contents.csv`` would say of a release of a version that wrote none.

Its lists say what they can: boxes in whole pixels. Names come from ``identities.csv``,
hashes from ``licences.csv``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from icf.app.import_icartoonface.release_tables import folder_of
from icf.dataset import contents, licences
from icf.dataset.contents import Contents, texts
from icf.dataset.release.earlier import (
    Listed,
    as_contents,
    listed,
)
from icf.errors import BadInput
from icf.icartoonface.release_files import (
    ACCEPTED,
    FOLLOWERS,
    IDENTITIES,
    RECTEST_INFO,
    UNASKED,
)
from icf.spreadsheet import rows_of
from icf.stores.files import hash_file

_BY = {ACCEPTED: "model", FOLLOWERS: "track", UNASKED: "reference"}
Name = tuple[str, str]
_NOBODY_NAMED: Name = ("", "")


def earlier_contents(root: Path, summary: Mapping[str, Any]) -> Contents:
    """Put together what is known.

    Args:
        root: the folder of the release.
        summary: its ``release.json``.

    Raises:
        BadInput: it was not written in iCartoonFace's format, or a list is damaged.
    """
    above = root / folder_of(root, summary)
    rows = list(listed(above))
    shown = _shown(above, rows)
    by = {
        each["file"]: who
        for path, who in _BY.items()
        if (above / path).exists()
        for each in rows_of(above / path, "file")
    }
    known = {
        each["file"]: each["sha256"]
        for each in rows_of(root / licences.FILE, "file", "sha256")
    }

    def sha256(row: Listed) -> str:
        path = above / row.file
        found = known.get(path.relative_to(root).as_posix())
        # What no table has and nobody finds is refused by its name.
        return found or (hash_file(path) if path.is_file() else "0" * 64)

    hashes = np.array([sha256(row) for row in rows], "S64")
    return dataclasses.replace(
        as_contents(rows),
        sha256=hashes,
        pixel_hash=hashes,
        character=texts([character for _, character in shown]),
        album=texts([album for album, _ in shown]),
        confirmed_by=texts([by.get(row.file.as_posix(), "people") for row in rows]),
    )


def _shown(above: Path, rows: Sequence[Listed]) -> list[Name]:
    """Whom each row shows; nobody is named for a picture of detection."""
    named, distractors = _owners(above)
    alone = [row for row in rows if row.part == contents.DISTRACTOR]
    if len(distractors) != len(alone):
        raise BadInput(
            f"{above / IDENTITIES}: it has {len(distractors)} distractors, and "
            f"{RECTEST_INFO} has {len(alone)}"
        )
    others = iter(distractors)
    shown: list[Name] = []
    for row in rows:
        if row.part in (contents.TRAIN, contents.PROBE):
            if row.label not in named:
                raise BadInput(
                    f"{above / IDENTITIES}: it has no label {row.label}, which "
                    f"{row.file} has"
                )
            shown.append(named[row.label])
        else:
            shown.append(
                next(others) if row.part == contents.DISTRACTOR else _NOBODY_NAMED
            )
    return shown


def _owners(above: Path) -> tuple[dict[int, Name], list[Name]]:
    """Whom each label shows, and the distractors in their order."""
    named: dict[int, Name] = {}
    others: list[Name] = []
    for row in rows_of(above / IDENTITIES, "label", "album", "character"):
        who = row["album"], row["character"]
        if row["label"].isdecimal():
            named[int(row["label"])] = who
        else:
            others.append(who)
    return named, others
