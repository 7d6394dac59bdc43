"""Read the files of labels of the format YOLO."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import PurePosixPath

from icf.dataset.formats.base import Corners
from icf.dataset.formats.checked import MISSING, Fault, ReleaseFiles
from icf.dataset.formats.checks.known import Known
from icf.dataset.formats.checks.listed import Layout, Listed, check_listed
from icf.dataset.formats.layouts import CALLED, CONFIG, DATA_YAML
from icf.dataset.formats.records import SPLITS, Split

#: What ten digits leave of a whole number of pixels.
_EXACT = 1e-3


def check_yolo(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture and box against the contents."""
    layout = Layout(
        {("detection", split): f"labels/{CALLED[split]}" for split in SPLITS},
        tuple(f"images/{CALLED[split]}/" for split in SPLITS),
    )
    known = Known(files)
    yield from _config(files)
    yield from check_listed(known, layout, _all(files, known))


def _config(files: ReleaseFiles) -> Iterator[Fault]:
    if DATA_YAML not in files.hashes:
        yield Fault(DATA_YAML, MISSING)
    elif (files.folder / DATA_YAML).read_bytes() != CONFIG.encode():
        yield Fault(DATA_YAML, "names other folders or classes than were written")


def _all(files: ReleaseFiles, known: Known) -> Iterator[Listed | Fault]:
    for split in SPLITS:
        images, labels = (f"{each}/{CALLED[split]}/" for each in ("images", "labels"))
        of_picture = set()
        for picture in files.hashes:
            if not picture.startswith(images):
                continue
            name = picture.removeprefix(images)
            file = f"{labels}{PurePosixPath(name).stem}.txt"
            of_picture.add(file)
            if file not in files.hashes:
                yield Fault(file, MISSING)
                yield Listed(file, "detection", split, name, picture=picture)
                continue
            try:
                boxes = _boxes(files, file, _size(known, split, name))
            except (OSError, ValueError) as error:
                yield Fault(file, f"cannot be read: {error}")
                boxes = None
            yield Listed(file, "detection", split, name, picture=picture, boxes=boxes)
        for file in files.hashes:
            if file.startswith(labels) and file not in of_picture:
                yield Fault(file, "is of no picture")


def _size(known: Known, split: Split, name: str) -> tuple[int, int] | None:
    row = known.row("detection", split, name)
    return None if row is None else known.whole(row)


def _boxes(
    files: ReleaseFiles, file: str, size: tuple[int, int] | None
) -> tuple[Corners, ...] | None:
    """Return the boxes of a file in pixels; None where the picture's size is not known.

    Raises:
        ValueError: a line is no box of the one class, or of no numbers.
    """
    lines = (files.folder / file).read_text(encoding="ascii").splitlines()
    rows = [line.split(" ") for line in lines]
    for number, row in enumerate(rows, 1):
        if len(row) != 5 or row[0] != "0":
            raise ValueError(f"line {number}: it is no box of the class 0")
    if size is None:
        return None
    return tuple(_corners([float(each) for each in row[1:]], size) for row in rows)


def _corners(shares: list[float], size: tuple[int, int]) -> Corners:
    """Turn shares into pixels, which are whole in what was written.

    Raises:
        ValueError: a number is none, or too large to be one of a box.
    """
    (x, y, w, h), (width, height) = shares, size
    corners = (
        *((x - w / 2) * width, (y - h / 2) * height),
        *((x + w / 2) * width, (y + h / 2) * height),
    )
    if not all(map(math.isfinite, corners)):
        raise ValueError("a number is NaN or infinite")
    whole = [round(each) for each in corners]
    near = all(abs(a - b) < _EXACT for a, b in zip(corners, whole, strict=True))
    x1, y1, x2, y2 = whole if near else corners
    return x1, y1, x2, y2  # type: ignore[return-value] # of a moved box, as it is
