"""The recognition set: training boxes, and test labels with their pairs.

``icartoonface_rectrain_det.txt``: no header, TAB separated, integer corners::

    folder/picture.jpg<TAB>x1<TAB>y1<TAB>x2<TAB>y2

``icartoonface_rectest_info.txt``: white space separated, first one line of six fields
per picture, then one line of two fields per ordered pair of pictures of one identity::

    picture.jpg x1 y1 x2 y2 label        label -1 is a distractor
    probe.jpg gallery.jpg

One published copy lacks the pair lines; ``pairs_to_score`` makes them from the labels.
"""

import re
import string
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icf.errors import BadInput
from icf.icartoonface.lines import (
    LF,
    LineStyle,
    Row,
    below_folder,
    checked_name,
    read_rows,
    write_rows,
)
from icf.names import normal_name

IntArray = npt.NDArray[np.int64]

DISTRACTOR = -1

_SHOWN = 120
#: What 64 bits hold, in plain digits.
_INTEGER = re.compile("[+-]?[0-9]{1,18}")


@dataclass(frozen=True, eq=False)
class RecognitionTrain:
    """Training pictures and their boxes, in the file's order.

    Attributes:
        paths: Picture paths below the training folder, one folder per identity.
        boxes: Shape (n, 4), int64: x1, y1, x2, y2 in pixels.
        style: How the file's lines end.
    """

    paths: tuple[str, ...]
    boxes: IntArray
    style: LineStyle = LF

    @property
    def identities(self) -> tuple[str, ...]:
        """The folder of each picture, which is its identity, in its normal form."""
        return tuple(normal_name(path.rpartition("/")[0]) for path in self.paths)


@dataclass(frozen=True, eq=False)
class RecognitionTest:
    """Test pictures, their labels, and the pairs that the file lists.

    Attributes:
        files: Picture names, each once.
        boxes: Shape (n, 4), int64: x1, y1, x2, y2 in pixels.
        labels: Shape (n,), int64; -1 is a distractor.
        pairs: Shape (m, 2), int64: rows of probe and gallery picture; m is 0 where the
            file lists none.
        style: How the file's lines end.
    """

    files: tuple[str, ...]
    boxes: IntArray
    labels: IntArray
    pairs: IntArray = field(default_factory=lambda: np.empty((0, 2), np.int64))
    style: LineStyle = LF


def read_rectrain_det(path: Path) -> RecognitionTrain:
    """Read the training boxes.

    Raises:
        BadInput: A row is not a path and four integers, TAB separated.
    """
    rows, style = read_rows(path)
    paths: list[str] = []
    boxes: list[list[int]] = []
    for row in rows:
        name, box = parse_rectrain_row(row)
        paths.append(name)
        boxes.append(box)
    return RecognitionTrain(tuple(paths), _box_array(boxes), style)


def parse_rectrain_row(row: Row) -> tuple[str, list[int]]:
    """Return the path and the box of a row of the training boxes.

    Raises:
        BadInput: it is not a path and four integers, TAB separated.
    """
    fields = row.text.split("\t")
    if len(fields) != 5 or not fields[0]:
        row.fail("5 TAB-separated fields: path x1 y1 x2 y2")
    return below_folder(row, fields[0]), _integers(row, fields[1:])


def rectrain_rows(path: Path) -> Iterator[tuple[Row, str, list[float]] | BadInput]:
    """Yield each row of the training boxes; a bad one is an error that is not raised.

    Blank rows are passed over.

    Yields:
        The row, its picture and x1, y1, x2, y2; or what is wrong with it.

    Raises:
        BadInput: The file cannot be read.
    """
    for row in read_rows(path)[0]:
        if row.text.strip():
            try:
                name, box = parse_rectrain_row(row)
                yield row, name, [float(side) for side in box]
            except BadInput as error:
                yield error


def rectest_rows(
    path: Path,
) -> Iterator[tuple[Row, str, list[float], int] | BadInput]:
    """Yield each picture of the test labels; a bad row is an error that is not raised.

    Blank rows are passed over, and pairs of pictures that the file lists.

    Yields:
        The row, its picture, x1, y1, x2, y2 and its label; or what is wrong with it.

    Raises:
        BadInput: The file cannot be read.
    """
    rows = [row for row in read_rows(path)[0] if row.text.strip()]
    # Names alone, and of damaged rows too: a pair of those says nothing more.
    names = {normal_name(row.text.split()[0]) for row in rows if not _is_pair(row)}
    for row in rows:
        try:
            if _is_pair(row):
                _check_names(row, names)
                continue
            name, (*box, label) = _picture(row)
            yield row, name, [float(side) for side in box], label
        except BadInput as error:
            yield error


def _check_names(row: Row, known: Container[str]) -> None:
    """Refuse a pair of a picture that is not listed; a picture cut short is one."""
    for name in map(normal_name, row.text.split()):
        if name not in known:
            row.fail("a listed picture in a pair", repr(name[:_SHOWN]))


def write_rectrain_det(path: Path, train: RecognitionTrain) -> None:
    """Write the training boxes.

    Raises:
        BadInput: A path is empty or contains a TAB or a line end.
    """
    lines = (
        "\t".join([checked_name(name, "\t"), *map(str, box)])
        for name, box in zip(train.paths, train.boxes.tolist(), strict=True)
    )
    write_rows(path, lines, train.style)


def read_rectest_info(path: Path) -> RecognitionTest:
    """Read the test labels, from the copy with pair lines or from the one without.

    Raises:
        BadInput: A row is neither a picture nor a pair; a picture is listed twice or
            after the first pair; a pair names an unknown picture, the same picture
            twice, a distractor, or two identities, or is listed twice.
    """
    rows, style = read_rows(path)
    count = next((i for i, row in enumerate(rows) if _is_pair(row)), len(rows))
    files: list[str] = []
    known: dict[str, int] = {}
    numbers: list[list[int]] = []
    for row in rows[:count]:
        name, integers = _picture(row)
        if known.setdefault(normal_name(name), len(files)) != len(files):
            row.fail("each picture once", f"{name!r} again")
        files.append(name)
        numbers.append(integers)
    table = np.array(numbers, np.int64).reshape(-1, 5)
    labels = table[:, 4].copy()
    pairs = _pairs(rows[count:], known, labels)
    return RecognitionTest(
        tuple(files),
        table[:, :4].copy(),
        labels,
        np.array(pairs, np.int64).reshape(-1, 2),
        style,
    )


def write_rectest_info(path: Path, info: RecognitionTest) -> None:
    """Write the evaluation copy: pictures, then pairs (made where ``info`` has none).

    Raises:
        BadInput: A name is empty or contains white space.
    """
    files = info.files
    pairs = (f"{files[a]} {files[b]}" for a, b in pairs_to_score(info).tolist())
    write_rows(path, [*_picture_lines(info), *pairs], info.style)


def write_rectest_labels(path: Path, info: RecognitionTest) -> None:
    """Write the copy that is stored next to the pictures, without pair lines.

    Raises:
        BadInput: A name is empty or contains white space.
    """
    write_rows(path, _picture_lines(info), info.style)


def pairs_to_score(info: RecognitionTest) -> IntArray:
    """Return the pairs that the file lists, or all pairs that its labels give.

    Returns:
        Shape (m, 2): rows of probe and gallery picture.
    """
    return info.pairs if len(info.pairs) else make_pairs(info.labels)


def count_pairs(labels: IntArray) -> int:
    """Return how many pairs `make_pairs` makes."""
    _, pictures = np.unique(labels[labels != DISTRACTOR], return_counts=True)
    return int((pictures * (pictures - 1)).sum())


def make_pairs(labels: IntArray) -> IntArray:
    """Make every ordered pair of different pictures of one identity.

    Args:
        labels: Shape (n,); -1 is a distractor and is in no pair.

    Returns:
        Shape (m, 2), sorted by probe, then by gallery picture; m is the sum of
        M x (M - 1) over the identities with M pictures.

    Example:
        >>> make_pairs(np.array([7, -1, 7, 3])).tolist()
        [[0, 2], [2, 0]]
    """
    rows = np.flatnonzero(labels != DISTRACTOR)
    rows = rows[np.argsort(labels[rows], kind="stable")]
    _, sizes = np.unique(labels[rows], return_counts=True)
    starts = np.cumsum(sizes) - sizes
    repeats = np.repeat(sizes, sizes)
    probe = np.repeat(rows, repeats)
    within = np.arange(len(probe)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    gallery = rows[np.repeat(np.repeat(starts, sizes), repeats) + within]
    pairs = np.stack([probe, gallery], axis=1)[probe != gallery]
    order = np.argsort(pairs[:, 0], kind="stable")
    return np.asarray(pairs[order], np.int64)


def _is_pair(row: Row) -> bool:
    return len(row.text.split()) == 2


def _picture(row: Row) -> tuple[str, list[int]]:
    """Parse a picture's name and its five integers."""
    fields = row.text.split()
    if len(fields) != 6:
        row.fail("6 fields: picture x1 y1 x2 y2 label")
    integers = _integers(row, fields[1:])
    if integers[4] < DISTRACTOR:
        row.fail("a label of -1 (distractor) or more", fields[5])
    return below_folder(row, fields[0]), integers


def _pairs(
    rows: Sequence[Row], known: dict[str, int], labels: IntArray
) -> list[tuple[int, int]]:
    """Parse pairs, each of which may be listed once."""
    lines: dict[tuple[int, int], int] = {}
    for row in rows:
        pair = _pair(row, known, labels)
        if pair in lines:
            row.fail("each pair once", f"the pair of line {lines[pair]} again")
        lines[pair] = row.number
    return list(lines)


def _pair(row: Row, known: dict[str, int], labels: IntArray) -> tuple[int, int]:
    """Parse a pair of pictures of one identity; return their rows."""
    fields = row.text.split()
    if len(fields) != 2:
        row.fail("2 fields: probe gallery (pictures come before the first pair)")
    names = [normal_name(field) for field in fields]
    for name in names:
        if name not in known:
            row.fail("a picture listed above", repr(name))
    probe, gallery = (known[name] for name in names)
    if probe == gallery:
        row.fail("two different pictures")
    if labels[probe] != labels[gallery] or labels[probe] == DISTRACTOR:
        row.fail(
            "two pictures of one identity", f"labels {labels[probe]}, {labels[gallery]}"
        )
    return probe, gallery


def _integers(row: Row, fields: Sequence[str]) -> list[int]:
    if all(map(_INTEGER.fullmatch, fields)):
        return [int(value) for value in fields]
    row.fail(
        "integers of at most 18 digits after the name", " ".join(map(repr, fields))
    )


def _box_array(boxes: list[list[int]]) -> IntArray:
    return np.array(boxes, np.int64).reshape(-1, 4)


def _picture_lines(info: RecognitionTest) -> Iterator[str]:
    rows = zip(info.files, info.boxes.tolist(), info.labels.tolist(), strict=True)
    for name, (x1, y1, x2, y2), label in rows:
        yield f"{checked_name(name, string.whitespace)} {x1} {y1} {x2} {y2} {label}"
