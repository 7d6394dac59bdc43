"""WIDER FACE: photographs, and every face in them (Yang et al. 2016).

::

    WIDER_train/images/0--Parade/0_Parade_marchingband_1_849.jpg
    wider_face_split/wider_face_train_bbx_gt.txt

The list has for each picture its path, its number of faces, and a row for each::

    x y w h blur expression illumination invalid occlusion pose

A picture without a face has one row of zeros. A face that is marked as invalid is
neither to be found nor background. The validation pictures are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from icf.errors import BadInput
from icf.icartoonface.lines import Row, read_rows
from icf.models.data.base import LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.data.formats.faces_by_picture import FacesByPicture
from icf.models.data.formats.places import places_of
from icf.models.data.picture_files import read_file, state_of
from icf.own_files import walk

LIST = "wider_face_train_bbx_gt.txt"
PICTURES = "WIDER_train"

_NUMBERS = re.compile(r"\s*[+-]?\d{1,18}(\s+[+-]?\d{1,18})*\s*", re.ASCII)
_FIELDS = 10
_INVALID = 7


@dataclass(frozen=True)
class WiderFaceReader(Reader):
    """Reads the training pictures."""

    kind: ClassVar[str] = "widerface"

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream the pictures, in the order of the list.

        Raises:
            BadInput: the list or the pictures are not there.
        """
        boxes, folder = self._found()
        faces = FacesByPicture(folder)
        for block in blocks(boxes):
            yield from _taken(block, faces)
        above = f"{folder.relative_to(self.path).as_posix()}/"
        yield from faces.pictures(above, complete=True, without_faces=True)

    def read(self, key: str) -> bytes:
        """Return the bytes of a picture."""
        return read_file(self.path / key)

    def fingerprint(self) -> str:
        """Return a digest of names, sizes and times of the list and the pictures."""
        boxes, folder = self._found()
        return state_of(self.path, (boxes, *walk(folder)))

    def _found(self) -> tuple[Path, Path]:
        places = places_of(self.path, (LIST, PICTURES), self.name)
        for name in (LIST, PICTURES):
            if name not in places:
                raise BadInput(
                    f"{self.name}: {name} is nowhere below {self.path}; unpack "
                    "WIDER_train.zip and wider_face_split.zip there"
                )
        return places[LIST], places[PICTURES] / "images"


@dataclass(frozen=True)
class Block:
    """A picture's path and the rows of numbers that follow it."""

    path: Row
    numbers: tuple[Row, ...]


def blocks(path: Path) -> Iterator[Block]:
    """Divide the list at its paths, so that a wrong count affects one picture."""
    head: Row | None = None
    numbers: list[Row] = []
    for row in read_rows(path)[0]:
        if _NUMBERS.fullmatch(row.text):
            numbers.append(row)
        elif row.text.strip():
            if head is not None:
                yield Block(head, tuple(numbers))
            head, numbers = row, []
    if head is not None:
        yield Block(head, tuple(numbers))


def _taken(block: Block, faces: FacesByPicture) -> Iterator[Skipped]:
    """Take a picture and its faces; yield what is left out."""
    name = block.path.text.strip()
    if skipped := faces.add_picture(_where(block.path), name):
        yield skipped
        return
    count, rows = block.numbers[:1], block.numbers[1:]
    stated = int(count[0].text) if count and count[0].text.split()[1:] == [] else None
    if stated == 0 and len(rows) == 1 and not any(map(int, rows[0].text.split())):
        return
    if stated != len(rows):
        # Which of its faces are missing or another's, nobody knows.
        faces.damage(name)
        yield Skipped(_where(block.path), "a number of faces that is not its rows'")
        return
    for row in rows:
        numbers = [float(number) for number in row.text.split()]
        if len(numbers) != _FIELDS:
            faces.damage(name)
            yield Skipped(_where(row), "a row that cannot be read")
            continue
        x, y, width, height = numbers[:4]
        box = (x, y, x + width, y + height)
        face = LabelledFace(box, "human", ignored=bool(numbers[_INVALID]))
        if skipped := faces.add(_where(row), name, face):
            yield skipped


def _where(row: Row) -> str:
    return f"{row.path.name}, line {row.number}"
