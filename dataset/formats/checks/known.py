"""What ``contents.csv`` gives for each picture of a format, looked up by its name."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

import numpy as np

from icf.catalogue.tombstones import full_name
from icf.dataset.contents import (
    DETECTION_TEST,
    DETECTION_TRAIN,
    DISTRACTOR,
    PROBE,
    TRAIN,
)
from icf.dataset.formats.base import Corners, Task, whole_corners
from icf.dataset.formats.beside import CROPS
from icf.dataset.formats.box_cells import boxes_in
from icf.dataset.formats.checked import MISSING, Fault, ReleaseFiles
from icf.dataset.formats.checks.turned import trail_of
from icf.dataset.formats.crops import Rectangle, crop_rectangle, square_around
from icf.dataset.formats.records import Split, names_of
from icf.dataset.licences import FILE as LICENCES
from icf.dataset.rights.trail import Named

#: The parts of each set and split.
PARTS: Mapping[tuple[Task, Split], tuple[str, ...]] = {
    ("recognition", "train"): (TRAIN,),
    ("recognition", "test"): (PROBE, DISTRACTOR),
    ("detection", "train"): (DETECTION_TRAIN,),
    ("detection", "test"): (DETECTION_TEST,),
}


@dataclass(frozen=True, slots=True)
class Cropped:
    """A row of ``crops.csv``.

    Attributes:
        part: what was cut out of the upright picture.
        sha256: of the crop's bytes; empty: an earlier version did not say it.
    """

    part: Rectangle
    sha256: str


class Known:
    """What the files of a format should say.

    Args:
        files: of the format.
        rate: how far boxes are enlarged in formats that have nothing but crops; None:
            as the release has it.
        squares: whether crops are squares that may leave the picture.
    """

    def __init__(
        self,
        files: ReleaseFiles,
        rate: float | None = None,
        *,
        squares: bool = False,
    ) -> None:
        self.files = files
        self._squares = squares
        self._rate = files.rate if files.rate is not None or files.crops else rate
        self._all_crops = files.crops or rate is not None
        self._names: dict[tuple[Task, Split], dict[str, int]] = {}
        self._trail = files.trail or trail_of(files.root or files.folder)
        self._named = Named()

    def names(self, task: Task, split: Split) -> Mapping[str, int]:
        """The row of each picture of a part, by the last part of its name, in order."""
        found = self._names.get((task, split))
        if found is None:
            contents = self.files.contents
            rows = contents.rows(*PARTS[task, split])
            names = contents.name[rows].tolist()
            found = {
                name.rpartition("/")[2]: row
                for name, row in zip(names, rows.tolist(), strict=True)
            }
            self._names[task, split] = found
        return found

    def row(self, task: Task, split: Split, name: str) -> int | None:
        """The row of a picture; None: it is not in this part."""
        return self.names(task, split).get(name)

    def sha256(self, row: int) -> str:
        """The hash of the whole picture, as fetched."""
        return str(self.files.contents.sha256[row].decode())

    def label(self, row: int) -> int:
        """The number of the identity of a face."""
        return int(self.files.contents.label[row])

    def is_crop(self, task: Task) -> bool:
        """Whether pictures of a set are cut out around their faces."""
        return self._all_crops and task == "recognition"

    def whole(self, row: int) -> tuple[int, int] | None:
        """Width and height of the whole picture; None: an earlier version wrote it."""
        contents = self.files.contents
        size = int(contents.width[row]), int(contents.height[row])
        return size if all(size) else None

    def crop(self, row: int) -> Rectangle | None:
        """What is cut out around a face; None where nobody knows."""
        size = self.whole(row)
        if size is None or self._rate is None:
            return None
        corners = self.files.contents.corners[row].tolist()
        if self._squares:
            return square_around(corners, self._rate)
        return crop_rectangle(corners, size, self._rate)

    def size(self, task: Task, row: int) -> tuple[int, int] | None:
        """Width and height of what is written; None where nobody knows."""
        if not self.is_crop(task):
            return self.whole(row)
        part = self.crop(row)
        return None if part is None else (part.width, part.height)

    def boxes(
        self, task: Task, row: int, size: tuple[int, int] | None = None
    ) -> tuple[Corners, ...] | None:
        """The boxes of a picture in what is written; None where nobody knows.

        Args:
            task: of the set.
            row: of the picture.
            size: what a list says of it, where the contents do not.
        """
        contents = self.files.contents
        whole = self.whole(row)
        if task == "detection":
            if whole is None:
                return None
            given = boxes_in(contents.boxes[row])
            return tuple(whole_corners(each.corners, whole) for each in given)
        corners = contents.corners[row].tolist()
        if not self.is_crop(task):
            size = whole or size
            return None if size is None else (whole_corners(corners, size),)
        part = self.crop(row)
        if part is None or whole is None:
            return None
        x1, y1, x2, y2 = whole_corners(corners, whole)
        return ((x1 - part.x1, y1 - part.y1, x2 - part.x1, y2 - part.y1),)

    def faces(self, row: int, split: Split) -> tuple[int, ...] | None:
        """The labels of the faces of a picture of the detection set; -1: nobody."""
        if self.whole(row) is None:
            return None
        rows = self.names("recognition", split)
        given = boxes_in(self.files.contents.boxes[row])
        names = [each.face.rpartition("/")[2] for each in given]
        return tuple(self.label(rows[each]) if each in rows else -1 for each in names)

    def says(self, task: Task, row: int) -> Mapping[str, object]:
        """What further columns say of a picture; not what nobody knows."""
        sha256 = self.sha256(row)
        said: dict[str, object] = {
            "sha256": sha256,
            "exif_orientation": self.orientation(task, row),
        }
        if (stated := self._trail.of(sha256)) is not None:
            said |= {
                "licences": list(stated.licences),
                "licence": stated.licence,
                "url": stated.url,
                "author": stated.author,
            }
        if task == "detection":
            return said
        contents = self.files.contents
        return {
            **said,
            "role": self.role(row),
            "album": contents.album[row],
            "character": contents.character[row],
        }

    def orientation(self, task: Task, row: int) -> int:
        """How EXIF turns what is written, 1 to 8, as ``exif_turned.csv`` has it."""
        return 1 if self.is_crop(task) else self._trail.orientation(self.sha256(row))

    def label_names(self) -> list[str]:
        """The name of each label, as `Records.names` has them."""
        contents = self.files.contents
        return names_of(
            {
                self.label(row): full_name(contents.album[row], contents.character[row])
                for row in contents.rows(TRAIN, PROBE).tolist()
            }
        )

    def role(self, row: int) -> str:
        """Train, seen, unseen or distractor."""
        part = self.files.contents.part[row]
        if part == PROBE:
            return "seen" if self.label(row) in self._trained else "unseen"
        return str(part)

    def note(self, row: int, file: str, member: str = "") -> None:
        """Note that a picture is in a file, so that it should have a licence there.

        Args:
            row: of the picture.
            file: relative to the format's folder.
            member: its name in the file; empty: it is the file.
        """
        self._named.add(f"{self._prefix}{file}", member, self.sha256(row))

    def without_trail(self) -> Iterator[Fault]:
        """Yield where ``licences.csv`` has other rows than of what was noted."""
        if not self._trail.is_whole():
            return
        for group, count, rows in self._named.differing(self._trail.named):
            what = f"has the rows of {rows:,} pictures in {group or '.'}, which has"
            if rows == count:
                what = f"has rows of other pictures in {group or '.'} than these, of"
            yield Fault(self._beside(LICENCES), f"{what} {count:,}")

    def cropped(self, member: str) -> Cropped | None:
        """What ``crops.csv`` says of a file or a member of one; None: nothing."""
        return self._crops[0].get(member)

    def lacking(self, member: str) -> Fault:
        """That ``crops.csv`` says nothing of it; a file is named as it is in there."""
        _, damage = self._crops
        is_file = member in self.files.hashes
        named = (self._above / member).as_posix() if is_file else member
        return damage or Fault(self._crops_name, f"has no row of {named}")

    def damage(self) -> Iterator[Fault]:
        """Yield what is wrong with ``crops.csv``, if anything is cut out."""
        if self._all_crops and (damage := self._crops[1]) and damage.what != MISSING:
            yield damage

    @cached_property
    def _trained(self) -> frozenset[int]:
        contents = self.files.contents
        return frozenset(np.unique(contents.label[contents.rows(TRAIN)]).tolist())

    @property
    def _crops_name(self) -> str:
        """Where ``crops.csv`` is, from the format's folder."""
        return self._beside(CROPS)

    def _beside(self, name: str) -> str:
        """Where a table of the release is, from the format's folder."""
        root = self.files.root or self.files.folder
        return os.path.relpath(root / name, self.files.folder)

    @property
    def _above(self) -> PurePosixPath:
        """The format's folder, from the release's."""
        folder = self.files.folder
        return PurePosixPath(folder.relative_to(self.files.root or folder).as_posix())

    @cached_property
    def _prefix(self) -> str:
        """What names in the format's folder begin with in the release's."""
        above = self._above.as_posix()
        return "" if above == "." else f"{above}/"

    @cached_property
    def _crops(self) -> tuple[Mapping[str, Cropped], Fault | None]:
        """The rows of ``crops.csv`` that are of this format, up to one that is none.

        By member or file. The fault says why there are no more.
        """
        found: dict[str, Cropped] = {}
        root, line = self.files.root, 1
        if root is None or not (root / CROPS).is_file():
            return found, Fault(self._crops_name, MISSING)
        above = self._above
        try:
            with (root / CROPS).open("rb") as file:
                rows = csv.DictReader(_lines(file), strict=True)
                line += bool(rows.fieldnames)
                for row in rows:
                    line = rows.line_num
                    path = PurePosixPath(row["file"])
                    sides = [int(row[side]) for side in ("x1", "y1", "x2", "y2")]
                    if path.is_relative_to(above):
                        key = row["member"] or path.relative_to(above).as_posix()
                        sha256 = row.get("crop_sha256") or ""
                        found[key] = Cropped(Rectangle(*sides), sha256)
                    line += 1
        except (csv.Error, ValueError, KeyError, TypeError) as error:
            what = f"line {line}: is no row of a crop: {error}"
            return found, Fault(self._crops_name, what)
        return found, None


def _lines(file: Iterable[bytes]) -> Iterator[str]:
    """Decode each line by itself, so that it is known which is no UTF-8."""
    for line in file:
        if b"\0" in line:
            raise ValueError("it has a NUL")
        yield line.decode("utf-8")
