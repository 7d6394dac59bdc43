"""``contents.csv``: everything that a release has in a part, a row each.

It is written once a release, whatever its formats, and read without a catalogue: leaks
are searched in it, releases are compared by it, and every list is checked against it.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from sys import intern
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from icf.errors import BadInput
from icf.spreadsheet import harmless, meant_by

IntArray = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]
Hexes = npt.NDArray[np.bytes_]

FILE = "contents.csv"

TRAIN, PROBE, DISTRACTOR = "train", "probe", "distractor"
DETECTION_TRAIN, DETECTION_TEST = "detection_train", "detection_test"

#: The parts of a release, in the order of the rows.
PARTS = (TRAIN, PROBE, DISTRACTOR, DETECTION_TRAIN, DETECTION_TEST)
#: Those whose rows are faces with an identity.
FACES = (TRAIN, PROBE, DISTRACTOR)

#: Who says that a face is its character: people, the program that chose it as a
#: reference, the model, or another face of its track.
CONFIRMED_BY = ("people", "reference", "model", "track")

COLUMNS = (
    *("part", "name", "sha256", "pixel_hash", "phash", "dhash"),
    *("x1", "y1", "x2", "y2", "face_pixel_hash", "face_phash", "face_dhash"),
    *("label", "character", "album", "confirmed_by", "track", "shot", "source_file"),
    *("width", "height", "boxes"),
)
#: Of these, what earlier versions did not write.
LATER = ("width", "height", "boxes")

#: Rows that are converted together.
_AT_ONCE = 16_384

_LABEL = re.compile("[0-9]{1,18}")
_SIDE = re.compile("[0-9]{1,9}")
_BOX = r"[-+.0-9e]{1,30}(?: [-+.0-9e]{1,30}){3}(?: [^ ;]+)?"
_BOXES = re.compile(f"{_BOX}(?:;{_BOX})*")
_MASK = (1 << 64) - 1


@dataclass(frozen=True, eq=False)
class Contents:
    """The rows of ``contents.csv`` as columns, n rows each.

    Attributes:
        part: one of `PARTS`.
        name: of the picture, below the folder of its part.
        sha256: of the picture's bytes as they were fetched, in hexadecimal.
        pixel_hash: SHA-256 of its pixels; its `sha256` where it was never decoded.
        phash: its pHash, as a signed integer.
        dhash: its dHash.
        corners: shape (n, 4), the face in the upright picture, in pixels, as stored;
            NaN in the detection parts.
        face_pixel_hash: SHA-256 of the face's pixels; empty in the detection parts.
        face_phash: pHash of the face; 0 in the detection parts.
        face_dhash: its dHash.
        label: the number of its identity; -1 of distractors and in the detection parts.
        character: its identity's name; empty in the detection parts.
        album: that of the identity.
        confirmed_by: one of `CONFIRMED_BY`; empty in the detection parts.
        track: a key of the track through a video that the face is of; empty: none.
        shot: a key of the shot that the picture is of; empty: none.
        source_file: a key of the video, book or archive it was cut from; empty: none.
        width: of the upright picture, in pixels; 0: an earlier version did not say it.
        height: the same.
        boxes: in the detection parts, the true boxes of the picture, as
            `icf.dataset.formats.box_cells` writes them; empty in the others.
    """

    part: Texts
    name: Texts
    sha256: Hexes
    pixel_hash: Hexes
    phash: IntArray
    dhash: IntArray
    corners: npt.NDArray[np.float64]
    face_pixel_hash: Hexes
    face_phash: IntArray
    face_dhash: IntArray
    label: IntArray
    character: Texts
    album: Texts
    confirmed_by: Texts
    track: Texts
    shot: Texts
    source_file: Texts
    width: IntArray
    height: IntArray
    boxes: Texts

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.part)

    def rows(self, *parts: str) -> IntArray:
        """Return the rows of some parts, in order."""
        return np.flatnonzero(
            np.isin(_codes(self.part), [PARTS.index(p) for p in parts])
        )

    def take(self, rows: IntArray | npt.NDArray[np.bool_]) -> Contents:
        """Return some of the rows."""
        return Contents(*(getattr(self, name)[rows] for name in _FIELDS))


_FIELDS = tuple(Contents.__dataclass_fields__)


def texts(values: Sequence[str]) -> Texts:
    """Make a column of texts; equal ones take the memory of one."""
    column = np.empty(len(values), np.object_)
    column[:] = [intern(value) for value in values]
    return column


def write_contents(path: Path, contents: Contents) -> None:
    """Write ``contents.csv``; `read_contents` gives the same columns again."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for start in range(0, len(contents), _AT_ONCE):
            block = contents.take(
                np.arange(start, min(start + _AT_ONCE, len(contents)))
            )
            writer.writerows(zip(*_cells(block), strict=True))


def read_contents(path: Path) -> Contents:
    """Read ``contents.csv``; columns are taken by name, and further ones passed over.

    Raises:
        BadInput: it is missing, a column is, or a line is not as it should be; the
            message has the file and the line.
    """
    return joined(list(_read(path, _parse)))


#: The SHA-256 of a picture, and the corners of a face in it: x1, y1, x2, y2.
Place = tuple[str, float, float, float, float]


def read_parts(path: Path) -> Iterator[tuple[Place, str]]:
    """Read the part that each face is in, in half the time of `read_contents`.

    Raises:
        BadInput: as `read_contents` does; other columns are not checked.
    """
    for block in _read(path, _parts):
        yield from block


def joined(blocks: Sequence[Contents]) -> Contents:
    """Return the rows of several, at least one, as one."""
    return Contents(
        *(np.concatenate([getattr(each, name) for each in blocks]) for name in _FIELDS)
    )


def _codes(part: Texts) -> IntArray:
    number = {name: code for code, name in enumerate(PARTS)}
    return np.array([number[each] for each in part.tolist()], np.int64)


# --- writing --------------------------------------------------------------------------


def _cells(block: Contents) -> Iterator[list[object]]:
    """The cells of some rows, a column at a time, in the order of `COLUMNS`."""
    is_face = [each in FACES for each in block.part.tolist()]

    def where(cells: Sequence[object]) -> list[object]:
        pairs = zip(cells, is_face, strict=True)
        return [cell if shown else "" for cell, shown in pairs]

    yield block.part.tolist()
    yield [harmless(each) for each in block.name.tolist()]
    yield _plain(block.sha256)
    yield _plain(block.pixel_hash)
    yield _hexes(block.phash)
    yield _hexes(block.dhash)
    for column in block.corners.T:
        yield where(column.tolist())
    yield where(_plain(block.face_pixel_hash))
    yield where(_hexes(block.face_phash))
    yield where(_hexes(block.face_dhash))
    yield where(block.label.tolist())
    for named in (block.character, block.album, block.confirmed_by):
        yield where([harmless(each) for each in named.tolist()])
    for key in (block.track, block.shot, block.source_file):
        yield [harmless(each) for each in key.tolist()]
    yield [each or "" for each in block.width.tolist()]
    yield [each or "" for each in block.height.tolist()]
    yield [harmless(each) for each in block.boxes.tolist()]


def _plain(column: Hexes) -> list[object]:
    return list(column.astype("U64").tolist())


def _hexes(column: IntArray) -> list[object]:
    return [f"{each & _MASK:016x}" for each in column.tolist()]


# --- reading --------------------------------------------------------------------------

_Block = TypeVar("_Block")


@dataclass(frozen=True)
class _Rows:
    """Some rows as cells, with the line where each ends."""

    path: Path
    place: dict[str, int]
    lines: list[int]
    cells: list[list[str]]

    def column(self, name: str) -> list[str]:
        at = self.place.get(name)
        if at is None:  # an earlier version wrote it
            return [""] * len(self.cells)
        return [row[at] for row in self.cells]

    def fail(self, row: int, name: str, expected: str) -> BadInput:
        found = self.cells[row][self.place[name]]
        return _bad(self.path, self.lines[row], f"{expected} as {name}", found)

    def parse(
        self, name: str, expected: str, fits: Callable[[str], object]
    ) -> list[str]:
        """Return a column all of whose cells fit."""
        column = self.column(name)
        for row, cell in enumerate(column):
            if not fits(cell):
                raise self.fail(row, name, expected)
        return column


def _bad(path: Path, line: int, expected: str, found: str) -> BadInput:
    return BadInput(f"{path}: line {line}: expected {expected}, found {found[:80]!r}")


def _read(path: Path, parse: Callable[[_Rows], _Block]) -> Iterator[_Block]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from map(parse, _blocks(path, file))
    except (OSError, UnicodeError) as error:
        raise BadInput(
            f"{path} cannot be read: {error}; name the folder of a whole release"
        ) from error


def _blocks(path: Path, file: Iterator[str]) -> Iterator[_Rows]:
    """Read the rows of a file in blocks; at least one, which may be empty."""
    reader = csv.reader(file, strict=True)
    try:
        header = next(reader, [])
        missing = [name for name in COLUMNS if header.count(name) != 1]
        missing = [name for name in missing if name in header or name not in LATER]
        if missing:
            shown = ", ".join(missing)
            raise _bad(path, 1, f"one column each of {shown}", ",".join(header))
        place = {name: header.index(name) for name in COLUMNS if name in header}
        lines: list[int] = []
        cells: list[list[str]] = []
        for row in reader:
            if len(row) != len(header):
                wanted = f"{len(header)} columns"
                raise _bad(path, reader.line_num, wanted, f"{len(row)} columns")
            lines.append(reader.line_num)
            cells.append(row)
            if len(cells) == _AT_ONCE:
                yield _Rows(path, place, lines, cells)
                lines, cells = [], []
    except csv.Error as error:
        raise _bad(path, reader.line_num, "a row of CSV", str(error)) from error
    yield _Rows(path, place, lines, cells)


def _parts(rows: _Rows) -> Iterator[tuple[Place, str]]:
    parts = rows.parse("part", f"one of {', '.join(PARTS)}", PARTS.__contains__)
    places = zip(rows.column("sha256"), *_corners(rows).T.tolist(), strict=True)
    for place, part in zip(places, parts, strict=True):
        if part in FACES:
            yield place, intern(part)


def _parse(rows: _Rows) -> Contents:
    parts = rows.parse("part", f"one of {', '.join(PARTS)}", PARTS.__contains__)
    face = [part in FACES for part in parts]
    for name in _OF_FACES:
        for row, (cell, has) in enumerate(zip(rows.column(name), face, strict=True)):
            if (cell != "") != has:
                wanted = "a value" if has else f"nothing in {parts[row]}"
                raise rows.fail(row, name, wanted)
    for row, cell in enumerate(rows.column("label")):
        if face[row] and (parts[row] == DISTRACTOR) != (cell == "-1"):
            wanted = "-1" if parts[row] == DISTRACTOR else "0 or more"
            raise rows.fail(row, "label", wanted)
    who = ("", *CONFIRMED_BY)
    return Contents(
        part=texts(parts),
        name=_names(rows, "name"),
        sha256=_sha256(rows, "sha256"),
        pixel_hash=_sha256(rows, "pixel_hash"),
        phash=_hashes(rows, "phash"),
        dhash=_hashes(rows, "dhash"),
        corners=_corners(rows),
        face_pixel_hash=_sha256(rows, "face_pixel_hash"),
        face_phash=_hashes(rows, "face_phash"),
        face_dhash=_hashes(rows, "face_dhash"),
        label=_labels(rows),
        character=_names(rows, "character"),
        album=_names(rows, "album"),
        confirmed_by=texts(
            rows.parse("confirmed_by", f"one of {', '.join(who[1:])}", who.__contains__)
        ),
        track=_names(rows, "track"),
        shot=_names(rows, "shot"),
        source_file=_names(rows, "source_file"),
        width=_sides(rows, "width"),
        height=_sides(rows, "height"),
        boxes=_boxes(rows, face),
    )


#: The columns that the rows of faces have, and the others have not.
_OF_FACES = (
    *("x1", "y1", "x2", "y2", "face_pixel_hash", "face_phash", "face_dhash"),
    *("label", "character", "album", "confirmed_by"),
)


def _names(rows: _Rows, name: str) -> Texts:
    return texts([meant_by(cell) for cell in rows.column(name)])


def _digits(rows: _Rows, name: str, count: int) -> list[str]:
    digits, empty = re.compile(f"[0-9a-f]{{{count}}}"), name in _OF_FACES
    return rows.parse(
        name,
        f"{count} hexadecimal digits",
        lambda cell: digits.fullmatch(cell) or (empty and not cell),
    )


def _sha256(rows: _Rows, name: str) -> Hexes:
    return np.array(_digits(rows, name, 64), "S64")


def _hashes(rows: _Rows, name: str) -> IntArray:
    cells = _digits(rows, name, 16)
    return np.array([int(cell or "0", 16) for cell in cells], np.uint64).view(np.int64)


def _labels(rows: _Rows) -> IntArray:
    cells = rows.parse(
        "label",
        "a number of an identity, or -1",
        lambda cell: not cell or cell == "-1" or _LABEL.fullmatch(cell),
    )
    return np.array([int(cell or "-1") for cell in cells], np.int64)


def _sides(rows: _Rows, name: str) -> IntArray:
    cells = rows.parse(
        name, "a number of pixels", lambda cell: not cell or _SIDE.fullmatch(cell)
    )
    return np.array([int(cell or "0") for cell in cells], np.int64)


def _boxes(rows: _Rows, face: Sequence[bool]) -> Texts:
    column = [meant_by(cell) for cell in rows.column("boxes")]
    for row, (cell, is_face) in enumerate(zip(column, face, strict=True)):
        if cell and (is_face or not _are_boxes(cell)):
            wanted = "nothing" if is_face else "boxes, X1 Y1 X2 Y2 each"
            raise rows.fail(row, "boxes", wanted)
    return texts(column)


def _are_boxes(cell: str) -> bool:
    if not _BOXES.fullmatch(cell):
        return False
    boxes = (box.split(" ")[:4] for box in cell.split(";"))
    return all(map(_is_number, chain.from_iterable(boxes)))


def _corners(rows: _Rows) -> npt.NDArray[np.float64]:
    columns = [
        [_number(cell) for cell in rows.parse(name, "a number", _is_number)]
        for name in ("x1", "y1", "x2", "y2")
    ]
    return np.array(columns, np.float64).reshape(4, -1).T.copy()


def _is_number(cell: str) -> bool:
    if not cell:
        return True
    try:
        return math.isfinite(float(cell)) and cell.isascii() and "_" not in cell
    except ValueError:
        return False


def _number(cell: str) -> float:
    return float(cell) if cell else math.nan
