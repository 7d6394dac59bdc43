"""What files of boxes are made of, whatever their format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icf.annotate.answers import EmptyRow, Fault
from icf.annotate.boxes.opinion import FloatArray

#: Letters of a picture's hash in its name: a file of another workspace is noticed.
HASH_LETTERS = 8

_NAME = re.compile(r"(?:^|[/\\-])i0*([0-9]{1,18})-([0-9a-f]{8})(?:\.\w{1,5})?$")


@dataclass(frozen=True, eq=False)
class ExportedPicture:
    """A picture with boxes, to be written.

    Attributes:
        image_id: in the catalogue.
        sha256: of its bytes.
        width, height: of the upright picture, in pixels.
        boxes: shape (n, 4), people's or the detector's; None: nothing is shown.
        people: how many people agree on the boxes; 0: they are none of people's.
        disagreement: one less the mean IoU of people's boxes with these.
    """

    image_id: int
    sha256: str
    width: int
    height: int
    boxes: FloatArray | None
    people: int = 0
    disagreement: float | None = None

    @property
    def name(self) -> str:
        """What files call it."""
        return picture_name(self.image_id, self.sha256)

    @property
    def path(self) -> str:
        """Where it is in the exported folder."""
        return f"pictures/{self.name}.jpg"


@dataclass(frozen=True)
class BoxRow:
    """What a file says of one picture.

    Attributes:
        number: of the picture in the file, from 1.
        picture: its name, as `picture_name` makes it, perhaps in an address.
        annotator: who says so, as written; may be empty.
        value: as the page would send it, see `icf.annotate.boxes.opinion`.
        size: width and height that the boxes are meant for, where the file says it.
        answered_at: UTC epoch seconds, where the file has them.
        seconds: that it took, where the file has them.
        item: what the program calls that which was answered.
    """

    number: int
    picture: str
    annotator: str
    value: Mapping[str, Any]
    size: tuple[int, int] | None = None
    answered_at: float | None = None
    seconds: float | None = None
    item: str = ""


Row = BoxRow | EmptyRow | Fault


@dataclass(frozen=True)
class BoxFile:
    """The content of a file of boxes.

    Attributes:
        name: the file's name, without its folder.
        format: the name of its format.
        rows: every row, in the order of the file; read once.
        unit: what the rows' numbers count.
        shown: whether people saw the detector's boxes where these are not hidden.
        sha256: of its bytes.
    """

    name: str
    format: str
    rows: Iterator[Row]
    unit: str
    shown: bool
    sha256: str


def why_turned(rotation: object) -> str | None:
    """Why a box of such a rotation, in degrees, cannot be taken; None if it can.

    >>> why_turned(390.0), why_turned(360), why_turned(None)
    ('is turned by 30 degrees; boxes here are upright', None, None)
    """
    turned = rotation % 360 if isinstance(rotation, int | float) else 0
    return (
        f"is turned by {turned:g} degrees; boxes here are upright" if turned else None
    )


def picture_name(image_id: int, sha256: str) -> str:
    """The name of a picture in exported files.

    >>> picture_name(12, "3fa2b1c4" + "0" * 56)
    'i000012-3fa2b1c4'
    """
    return f"i{image_id:06d}-{sha256[:HASH_LETTERS]}"


def parse_picture(text: str) -> tuple[int, str] | None:
    """The id of a picture and the beginning of its hash, by its name or its path.

    >>> parse_picture("pictures/i000012-3fa2b1c4.jpg")
    (12, '3fa2b1c4')
    >>> parse_picture("holiday.jpg")
    """
    found = _NAME.search(Path(text).name if "?" not in text else text)
    return (int(found[1]), found[2]) if found else None
