"""The detection set: training boxes, test boxes and submissions, as CSV.

Without a header and without quoting. What spreadsheets save is read too: semicolons or
tabs, quotes, a header, blank rows, and decimals with a comma::

    picture.jpg,x1,y1,x2,y2                        training, LF
    picture.jpg,x1,y1,x2,y2,face                   test, CRLF
    picture.jpg,xmin,ymin,xmax,ymax,face,score     submission
"""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icf.errors import BadInput
from icf.icartoonface.lines import (
    LF,
    Lines,
    LineStyle,
    Row,
    below_folder,
    checked_name,
    plain_numbers,
    read_rows,
    write_rows,
)
from icf.spreadsheet import column_name

FloatArray = npt.NDArray[np.float64]

CLASS_NAME = "face"

#: What a row without cells consists of.
_BLANK = ' ,;\t"'
#: How a header calls the first column.
_HEADERS = {"picture", "image", "file", "filename", "file_name", "name", "path", "img"}

PUBLISHED_TEST = LineStyle("\r\n")
"""The line ends of the published test boxes; training boxes have the default."""


@dataclass(frozen=True, eq=False)
class DetectionBoxes:
    """True boxes, in the file's order.

    Attributes:
        pictures: The set's picture names, each once, in order of appearance. A picture
            without a face may be listed without a box.
        picture: Shape (n,), int64: for each box, its index into ``pictures``.
        corners: Shape (n, 4), float64: x1, y1, x2, y2 in pixels.
        style: How the file's lines end.
        lines: Where the boxes were read; None: in no file of lines.
    """

    pictures: tuple[str, ...]
    picture: npt.NDArray[np.int64]
    corners: FloatArray
    style: LineStyle = LF
    lines: Lines | None = None

    @property
    def degenerate(self) -> npt.NDArray[np.bool_]:
        """Shape (n,): whether a box has no width or no height. Such boxes are kept."""
        x1, y1, x2, y2 = self.corners.T
        return np.asarray((x2 <= x1) | (y2 <= y1), np.bool_)

    @property
    def repeated(self) -> int:
        """How many boxes equal an earlier one of their picture. Each of them counts."""
        rows = np.column_stack([self.picture, self._values()])
        return len(rows) - len(np.unique(rows, axis=0))

    def _values(self) -> FloatArray:
        """Shape (n, m): what tells the boxes of a picture apart."""
        return self.corners


@dataclass(frozen=True, eq=False)
class Detections(DetectionBoxes):
    """Found boxes, in the file's order, each with a score.

    Attributes:
        scores: Shape (n,), float64, finite; higher is more confident.
    """

    scores: FloatArray = field(kw_only=True)

    def _values(self) -> FloatArray:
        return np.column_stack([self.corners, self.scores])


def read_dettrain_csv(path: Path) -> DetectionBoxes:
    """Read training boxes: five columns, ``picture,x1,y1,x2,y2``.

    Raises:
        BadInput: A row is not a name and four finite numbers.
    """
    return _read_table(path, _TRAIN).boxes


def write_dettrain_csv(path: Path, boxes: DetectionBoxes) -> None:
    """Write training boxes: five columns.

    Raises:
        BadInput: A name is empty or contains a comma or a line end.
    """
    write_rows(path, _box_lines(boxes), boxes.style)


def read_dettest_csv(path: Path) -> DetectionBoxes:
    """Read test boxes: six columns, ``picture,x1,y1,x2,y2,face``.

    Raises:
        BadInput: A row is not a name, four finite numbers and the class ``face``.
    """
    return _read_table(path, _TEST).boxes


def write_dettest_csv(path: Path, boxes: DetectionBoxes) -> None:
    """Write test boxes: six columns. For CRLF, as published, see ``PUBLISHED_TEST``.

    Raises:
        BadInput: A name is empty or contains a comma or a line end.
    """
    lines = (f"{line},{CLASS_NAME}" for line in _box_lines(boxes))
    write_rows(path, lines, boxes.style)


def read_submission_csv(path: Path) -> Detections:
    """Read a submission: seven columns, ``picture,xmin,ymin,xmax,ymax,face,score``.

    The file's order is kept, because the official scorer matches in it.

    Raises:
        BadInput: A row is not a name, four finite numbers, the class ``face`` and a
            finite score.
    """
    table = _read_table(path, _SUBMISSION)
    return Detections(
        table.pictures,
        table.picture,
        table.numbers[:, :4].copy(),
        table.style,
        table.lines,
        scores=table.numbers[:, 4].copy(),
    )


def write_submission_csv(path: Path, detections: Detections) -> None:
    """Write a submission, highest score first (equal scores keep their order).

    Raises:
        BadInput: A name is empty or contains a comma or a line end, or a score is not
            finite.
    """
    scores = detections.scores
    if not np.isfinite(scores).all():
        row = int(np.flatnonzero(~np.isfinite(scores))[0]) + 1
        raise BadInput(
            f"{path}: expected finite scores, "
            f"found {scores[row - 1]} in detection {row}"
        )
    lines = list(_box_lines(detections))
    order = np.argsort(-scores, kind="stable").tolist()
    ranked = (f"{lines[i]},{CLASS_NAME},{_number(float(scores[i]))}" for i in order)
    write_rows(path, ranked, detections.style)


@dataclass(frozen=True)
class _Layout:
    """The columns of a file: a name, corners, then perhaps class and score."""

    columns: str

    @property
    def count(self) -> int:
        return self.columns.count(",") + 1

    @property
    def number_fields(self) -> list[int]:
        return [1, 2, 3, 4, *range(6, self.count)]


_TRAIN = _Layout("picture,x1,y1,x2,y2")
_TEST = _Layout("picture,x1,y1,x2,y2,face")
_SUBMISSION = _Layout("picture,xmin,ymin,xmax,ymax,face,score")


@dataclass(frozen=True, eq=False)
class _Table:
    """A read file: distinct names, and per row a name's index and the numbers."""

    pictures: tuple[str, ...]
    picture: npt.NDArray[np.int64]
    numbers: FloatArray
    style: LineStyle
    lines: Lines

    @property
    def boxes(self) -> DetectionBoxes:
        return DetectionBoxes(
            self.pictures, self.picture, self.numbers, self.style, self.lines
        )


def dettrain_rows(path: Path) -> Iterator[tuple[Row, str, list[float]] | BadInput]:
    """Yield each row of the training boxes; a bad one is an error that is not raised.

    Returns:
        The row, its picture and x1, y1, x2, y2; or what is wrong with it.

    Raises:
        BadInput: The file cannot be read.
    """
    return _box_rows(path, _TRAIN)


def dettest_rows(path: Path) -> Iterator[tuple[Row, str, list[float]] | BadInput]:
    """Do the same as `dettrain_rows` for the test boxes.

    Raises:
        BadInput: The file cannot be read.
    """
    return _box_rows(path, _TEST)


def _box_rows(
    path: Path, layout: _Layout
) -> Iterator[tuple[Row, str, list[float]] | BadInput]:
    rows, _, delimiter = _rows_of(path, layout)
    for row in rows:
        try:
            yield (row, *_parsed(row, layout, delimiter))
        except BadInput as error:
            yield error


def _read_table(path: Path, layout: _Layout) -> _Table:
    rows, style, delimiter = _rows_of(path, layout)
    index: dict[str, int] = {}
    picture = np.empty(len(rows), np.int64)
    numbers = np.empty((len(rows), len(layout.number_fields)))
    for i, row in enumerate(rows):
        name, numbers[i] = _parsed(row, layout, delimiter)
        picture[i] = index.setdefault(name, len(index))
    lines = Lines(path, [row.number for row in rows])
    return _Table(tuple(index), picture, numbers, style, lines)


def _rows_of(path: Path, layout: _Layout) -> tuple[list[Row], LineStyle, str]:
    """Read the rows that are neither blank nor a header, and what delimits them."""
    rows, style = read_rows(path)
    rows = [row for row in rows if row.text.strip(_BLANK)]
    delimiter = _delimiter(rows, layout)
    if rows and _is_header(_split(rows[0], delimiter)):
        del rows[0]
    _check_decimals(rows, layout, delimiter)
    return rows, style, delimiter


def _parsed(row: Row, layout: _Layout, delimiter: str) -> tuple[str, list[float]]:
    """Return a row's picture and its finite numbers."""
    fields = _fields(row, layout, delimiter)
    texts = [fields[j] for j in layout.number_fields]
    try:
        numbers = plain_numbers(texts, decimal_comma=delimiter != ",")
    except ValueError:
        row.fail(f"numbers in {layout.columns}")
    if not all(map(math.isfinite, numbers)):
        row.fail(f"finite numbers in {layout.columns}")
    return below_folder(row, fields[0]), numbers


def _check_decimals(rows: Sequence[Row], layout: _Layout, delimiter: str) -> None:
    """Refuse a comma before the decimals of one number and a point in another.

    One of both must group thousands, so that `1.234` may be 1234.
    """
    if delimiter == ",":
        return
    comma = point = None
    for row in rows:
        fields = _split(row, delimiter)
        numbers = [fields[j] for j in layout.number_fields if j < len(fields)]
        comma = comma or (row if any("," in each for each in numbers) else None)
        point = point or (row if any("." in each for each in numbers) else None)
        if comma and point:
            last = max(comma, point, key=lambda each: each.number)
            last.fail("decimals with a comma or with a point in the whole file")


def _delimiter(rows: Sequence[Row], layout: _Layout) -> str:
    """Return what separates the fields of the first row; a comma if nothing does."""
    found = (d for d in (",", ";", "\t") if len(_split(rows[0], d)) == layout.count)
    return next(found, ",") if rows else ","


def _split(row: Row, delimiter: str) -> list[str]:
    if '"' not in row.text:
        return row.text.split(delimiter)
    try:
        return next(csv.reader([row.text], delimiter=delimiter, strict=True))
    except csv.Error:
        return row.text.split(delimiter)


def _is_header(fields: Sequence[str]) -> bool:
    return column_name(fields[0]) in _HEADERS and not any(
        field[:1].isdecimal() for field in fields
    )


def _fields(row: Row, layout: _Layout, delimiter: str) -> list[str]:
    fields = _split(row, delimiter)
    if len(fields) != layout.count or not fields[0]:
        row.fail(f"{layout.count} comma-separated fields, {layout.columns}")
    if layout.count > 5 and fields[5].strip().lower() != CLASS_NAME:
        row.fail(f"the class {CLASS_NAME!r}", repr(fields[5]))
    return fields


def _box_lines(boxes: DetectionBoxes) -> Iterator[str]:
    names = [checked_name(name, ",") for name in boxes.pictures]
    rows = zip(boxes.picture.tolist(), boxes.corners.tolist(), strict=True)
    for picture, corners in rows:
        yield ",".join([names[picture], *map(_number, corners)])


def _number(value: float) -> str:
    """Format as the shortest text that reads back equal; integers without ``.0``.

    Example:
        >>> _number(180.0), _number(0.25)
        ('180', '0.25')
    """
    return repr(value).removesuffix(".0")
