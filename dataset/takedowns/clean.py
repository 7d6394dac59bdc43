"""Delete what was withdrawn from a copy of a release, and make its lists agree.

It is safe to be killed: `icf.dataset.takedowns.journal` makes the change or does not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from icf.codes import Unused
from icf.dataset.contents import FACES, Contents, read_contents, write_contents
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.formats.icartoonface.check import FOLDERS
from icf.dataset.formats.registry import DEFAULT, LISTS, RELINK, format_folders
from icf.dataset.leaks.search import search_leaks
from icf.dataset.release.files import LATER, LEAKS, SUMMARY, SUMS, UNUSED
from icf.dataset.release.known import read_summary
from icf.dataset.release.sums import read_sums, sum_line
from icf.dataset.takedowns import journal
from icf.dataset.takedowns.lists import write_lists_without
from icf.dataset.takedowns.signed import Withdrawn
from icf.dataset.takedowns.tables import (
    Gone,
    roles_of,
    write_csv_without,
    write_parquet_without,
)
from icf.dataset.unused import read_unused
from icf.dataset.verify.tables import counts_of
from icf.errors import BadInput
from icf.icartoonface.detection import read_dettest_csv, read_dettrain_csv
from icf.icartoonface.release_files import DETTEST_BOXES, DETTRAIN_BOXES
from icf.stores.files import hash_file

#: Formats whose pictures are files of their own, in the layout of iCartoonFace.
LOOSE = (DEFAULT, LISTS, RELINK)

#: The counts of ``release.json`` that faces leave, by who confirmed them.
_CONFIRMED = {
    "people": "confirmed_faces",
    "reference": "unasked_references",
    "model": "accepted_faces",
    "track": "followers",
}


@dataclass(frozen=True)
class Cleaned:
    """What a cleaning did.

    Attributes:
        rows: the rows of ``contents.csv`` that are gone.
        files: the files that were deleted.
        left: the folders of formats that have to be made again, because pictures lie
            in files together.
        completed: whether an earlier cleaning that was cut short was completed first.
    """

    rows: int
    files: tuple[str, ...]
    left: tuple[str, ...]
    completed: bool = False


def clean(folder: Path, withdrawn: Withdrawn) -> Cleaned:
    """Clean a release; again is harmless.

    Args:
        folder: the release.
        withdrawn: what is to be deleted.

    Raises:
        WrongUse: the folder is no release.
        BadInput: an earlier version wrote it, its lists are damaged, or none of its
            formats has pictures as files of their own.
    """
    completed = journal.complete(folder)
    summary = read_summary(folder)
    formats = format_folders(summary)
    loose = [place for name, place in formats.items() if name in LOOSE]
    contents = read_contents(folder / CONTENTS)
    hit = _hits(contents, withdrawn)
    left = tuple(place for name, place in formats.items() if name not in LOOSE)
    unused = _unused(folder)
    if not hit.any() and withdrawn.sha256.isdisjoint(unused):
        return Cleaned(0, (), (), completed)
    if hit.any() and not loose:
        raise BadInput(
            f"{folder} has {int(hit.sum()):,} withdrawn pictures and faces, and its "
            f"pictures lie in files together ({', '.join(formats)}): get the makers' "
            "next release, and delete this one"
        )
    rest = contents.take(~hit)
    files = _files(contents.take(hit), loose)
    stay = set(rest.sha256.astype("U64").tolist())
    gone = Gone(
        frozenset(files),
        withdrawn.sha256 | (set(contents.sha256.astype("U64").tolist()) - stay),
        roles_of(rest),
    )
    sums = read_sums(folder)
    change = _Change(folder, summary, rest, contents.take(hit), gone, sums, loose, left)
    journal.prepare(folder, change.write, files)
    journal.complete(folder)
    return Cleaned(int(hit.sum()), tuple(files), left, completed)


def _unused(folder: Path) -> list[str]:
    """The pictures of the faces that are in no part."""
    path = folder / UNUSED
    return [each.sha256 for each in read_unused(path)] if path.is_file() else []


def _hits(contents: Contents, withdrawn: Withdrawn) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(contents), np.bool_)
    for name in ("sha256", "pixel_hash", "face_pixel_hash"):
        bad = [each.encode() for each in getattr(withdrawn, name)]
        found |= np.isin(getattr(contents, name), np.array(bad, "S64"))
    return found


def _files(rows: Contents, places: list[str]) -> list[str]:
    pairs = list(zip(rows.part.tolist(), rows.name.tolist(), strict=True))
    return sorted(
        (PurePosixPath(place) / FOLDERS[part].as_posix() / name).as_posix()
        for place in places
        for part, name in pairs
    )


@dataclass(frozen=True, eq=False)
class _Change:
    """The new versions of a release's files."""

    folder: Path
    summary: Mapping[str, Any]
    rest: Contents
    removed: Contents
    gone: Gone
    sums: Mapping[str, str]
    loose: list[str]
    left: tuple[str, ...]

    def write(self, new: Path) -> None:
        """Write those that differ, the hashes of all last."""
        write_contents(new / CONTENTS, self.rest)
        for place in self.loose:
            top = PurePosixPath(place)
            inside = frozenset(
                PurePosixPath(file).relative_to(top).as_posix()
                for file in self.gone.files
                if PurePosixPath(file).is_relative_to(top)
            )
            write_lists_without(self.folder / place, new / place, inside)
        for name in self._tables():
            write = (
                write_csv_without if name.endswith(".csv") else write_parquet_without
            )
            write(self.folder / name, new / name, self.gone)
        self._write_summary(new)
        self._write_sums(new)

    def _tables(self) -> Iterator[str]:
        """Tables that are no list of a format, nor in one that has to be made again."""
        for name in self.sums:
            path = PurePosixPath(name)
            own = any(
                place != "." and path.is_relative_to(place) for place in self.left
            )
            lists = {DETTRAIN_BOXES.name, DETTEST_BOXES.name, CONTENTS}
            is_table = path.suffix in (".csv", ".parquet") and path.name not in lists
            if is_table and not own and (self.folder / name).is_file():
                yield name

    def _write_summary(self, new: Path) -> None:
        counts = {**self.summary.get("counts", {}), **counts_of(self.rest)}
        faces = self.removed.take(self.removed.rows(*FACES))
        for who in faces.confirmed_by.tolist():
            if _CONFIRMED[who] in counts:
                counts[_CONFIRMED[who]] -= 1
        for part, path, read in (
            ("train", DETTRAIN_BOXES, read_dettrain_csv),
            ("test", DETTEST_BOXES, read_dettest_csv),
        ):
            for place in self.loose:
                file = new / place / path
                if not file.is_file():
                    continue
                counts[f"detection_{part}_boxes"] = len(read(file).corners)
        limits = self.summary["settings"]["filter"]
        reach = int(limits["max_phash"]), int(limits["max_dhash"])
        leaks = dict(self.summary["leaks"])
        found = {each.name: each for each in search_leaks(self.rest, reach)}
        leaks |= {name: each.count for name, each in found.items() if name in leaks}
        before = self.summary.get("cleaned", {})
        cleaned = {
            "rows": before.get("rows", 0) + len(self.removed),
            "before": before.get("before", self.sums.get(CONTENTS)),
        }
        value = {**self.summary, "counts": counts, "leaks": leaks, "cleaned": cleaned}
        if (new / UNUSED).is_file():
            rows = read_unused(new / UNUSED)
            value["unused"] = dict(Counter(each.reason for each in rows))
            was = read_unused(self.folder / UNUSED)
            codes = {each.value for each in Unused}
            # Nobody says who confirmed an unused face: they are counted as people's.
            counts["confirmed_faces"] -= sum(
                each.reason in codes for each in was
            ) - sum(each.reason in codes for each in rows)
        (new / SUMMARY).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
        report = json.loads((self.folder / LEAKS).read_text(encoding="utf-8"))
        for check in report["checks"]:
            if check["name"] in found:
                check["count"] = found[check["name"]].count
                check["examples"] = list(found[check["name"]].examples)
        (new / LEAKS).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")

    def _write_sums(self, new: Path) -> None:
        """Write the hashes: of new versions, and of what stays as it is."""
        changed = {
            path.relative_to(new).as_posix(): hash_file(path)
            for path in new.rglob("*")
            if path.is_file()
        }
        rest = {
            name: sha256
            for name, sha256 in self.sums.items()
            if name not in self.gone.files and name not in LATER
        }
        lines = [sum_line(*pair) for pair in sorted({**rest, **changed}.items())]
        text = "".join(f"{line}\n" for line in lines)
        (new / SUMS).write_text(text, encoding="utf-8", newline="\n")
