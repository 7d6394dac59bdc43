"""Delete what was withdrawn from a copy of a release, and make all of it agree.

It is safe to be killed: `icf.dataset.takedowns.journal` makes the change or does not.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.contents import Contents, read_contents, texts
from icf.dataset.formats.box_cells import TrueBox, boxes_in, cell_of
from icf.dataset.formats.registry import format_folders, format_names
from icf.dataset.release.files import EARLIER, TAKEN_DOWN, UNUSED
from icf.dataset.release.known import read_summary
from icf.dataset.release.present import lost_or_changed, told
from icf.dataset.release.sums import links_below, others_below
from icf.dataset.takedowns import journal
from icf.dataset.takedowns.change import CARDS, LOOSE, Change
from icf.dataset.takedowns.note import note_with
from icf.dataset.takedowns.signed import Withdrawn
from icf.dataset.unused import read_unused
from icf.errors import BadInput


@dataclass(frozen=True)
class Cleaned:
    """What a cleaning did.

    Attributes:
        rows: the rows of ``contents.csv`` that are gone.
        files: the files that were deleted.
        rewritten: the folders of formats that were written again without them.
        completed: whether an earlier cleaning that was cut short was completed first.
        pictures: how many pictures had these rows.
        unused: the rows of ``unused.csv`` that are gone.
    """

    rows: int
    files: tuple[str, ...]
    rewritten: tuple[str, ...] = ()
    completed: bool = False
    pictures: int = 0
    unused: int = 0


def clean(folder: Path, withdrawn: Withdrawn, reason: str | None = None) -> Cleaned:
    """Clean a release; again is harmless.

    Args:
        folder: the release.
        withdrawn: what is to be deleted.
        reason: why, for the release's note of it; None: it gets none.

    Raises:
        WrongUse: the folder is no release.
        BadInput: an earlier version wrote it without ``contents.csv``, or in formats
            that cannot be written again without its catalogue, files are lost, changed
            or links, or a format is not installed.
    """
    _refuse_links(folder)
    completed = journal.complete(folder)
    summary = read_summary(folder)
    _check_whole(folder, CARDS if "cards" in summary else ())
    if not (folder / CONTENTS).is_file():
        raise BadInput(
            f"{folder} is of an earlier version, which wrote no {CONTENTS}, and cannot "
            "be cleaned: get the makers' next release, and delete this one"
        )
    contents = read_contents(folder / CONTENTS)
    hit = _hits(contents, withdrawn)
    unused = _unused(folder, withdrawn)
    earlier, pictures_of_it = _earlier(folder, withdrawn)
    if not hit.any() and not unused and not earlier:
        return Cleaned(0, (), (), completed)
    withdrawn = replace(withdrawn, sha256=withdrawn.sha256 | pictures_of_it)
    formats = format_folders(summary)
    rebuilt = {name: place for name, place in formats.items() if name not in LOOSE}
    _refuse(folder, rebuilt.keys() - set(format_names()), contents, bool(rebuilt))
    change = Change(
        folder,
        summary,
        contents,
        hit,
        _without_names(contents.take(~hit)),
        withdrawn,
    )
    deleted: list[str] = []

    def write(new: Path) -> list[str]:
        deleted.extend(change.write(new))
        if reason is not None:
            (new / TAKEN_DOWN).write_bytes(note_with(folder, deleted, reason))
        return deleted

    journal.prepare(folder, write)
    journal.complete(folder)
    places = tuple(rebuilt.values())
    pictures = len(set(contents.sha256[hit].tolist()))
    files = tuple(sorted(deleted))
    return Cleaned(int(hit.sum()), files, places, completed, pictures, unused)


def count_withdrawn(folder: Path, withdrawn: Withdrawn) -> int:
    """Return how many pictures of a release, or faces on them, are withdrawn.

    A release of an earlier version that wrote no ``contents.csv`` has none that could
    be told.

    Raises:
        BadInput: its ``contents.csv`` is damaged.
    """
    if not (folder / CONTENTS).is_file():
        return 0
    contents = read_contents(folder / CONTENTS)
    return len(set(contents.sha256[_hits(contents, withdrawn)].tolist()))


def _refuse_links(folder: Path) -> None:
    """Raise BadInput for links, to folders too: a change would reach out by them."""
    linked = sorted(
        name
        for name in (*links_below(folder), *others_below(folder))
        if (folder / name).is_symlink()
    )
    if linked:
        raise BadInput(
            f"{folder} was not cleaned: {len(linked):,} of its files are links, such "
            f"as {linked[0]}, and deleting these would leave the bytes. Clean a copy "
            "without links (`cp -rL`), and delete this one and what its links lead to"
        )


def _check_whole(folder: Path, again: Collection[str]) -> None:
    """Raise BadInput if new hashes would hide that files are lost or others.

    Args:
        folder: the release.
        again: files that are written again from the release, whatever they are now.
    """
    faults = [each for each in lost_or_changed(folder) if each.file not in again]
    if faults:
        raise BadInput(
            f"{folder} was not cleaned: {len(faults):,} of its files are not as they "
            f"were written:\n{told(faults)}\n"
            f"`icf release verify {folder}` names all. Get "
            "another copy, or the makers' next release, and delete this one"
        )


def _refuse(
    folder: Path, unknown: set[str], contents: Contents, rebuilds: bool
) -> None:
    if unknown:
        raise BadInput(
            f"{folder} has formats that are not installed here and may show what was "
            f"withdrawn: {', '.join(sorted(unknown))}; install their packages, or get "
            "the makers' next release and delete this one"
        )
    if rebuilds and len(contents) and not contents.width.all():
        raise BadInput(
            f"{folder} is of an earlier version, and its pictures lie in files that "
            "cannot be written again from what it says: get the makers' next release, "
            "and delete this one"
        )


def _unused(folder: Path, withdrawn: Withdrawn) -> int:
    """How many faces that are in no part were withdrawn, or their pictures."""
    path = folder / UNUSED
    if not path.is_file():
        return 0
    return sum(
        each.sha256 in withdrawn.sha256
        or each.face_pixel_hash in withdrawn.face_pixel_hash
        for each in read_unused(path)
    )


def _earlier(folder: Path, withdrawn: Withdrawn) -> tuple[bool, frozenset[str]]:
    """Whether rows of `EARLIER` were withdrawn, and the pictures that were."""
    if not (folder / EARLIER).is_file():
        return False, frozenset()
    rows = read_contents(folder / EARLIER)
    pictures = _hits(rows, replace(withdrawn, face_pixel_hash=frozenset()))
    gone = frozenset(rows.sha256[pictures].astype("U64").tolist())
    return bool(_hits(rows, withdrawn).any()), gone


def _hits(contents: Contents, withdrawn: Withdrawn) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(contents), np.bool_)
    for name in ("sha256", "pixel_hash", "face_pixel_hash"):
        bad = [each.encode() for each in getattr(withdrawn, name)]
        found |= np.isin(getattr(contents, name), np.array(bad, "S64"))
    return found


def _without_names(rest: Contents) -> Contents:
    """Let boxes of the detection set name no face that is gone."""
    names = set(rest.name.tolist())
    cells = [
        cell_of(
            each if each.face in names else TrueBox(each.corners)
            for each in boxes_in(cell)
        )
        for cell in rest.boxes.tolist()
    ]
    return replace(rest, boxes=texts(cells))
