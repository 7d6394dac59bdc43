"""Turn boxes with their picture, where they were drawn before it was upright.

The catalogue's boxes are in the upright picture, as its EXIF orientation has it. Many
tools ignore that tag: their boxes are in the picture as it is stored. The size that a
list gives a picture tells which of both is meant, where width and height differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

from PIL import Image

from icf.app.importing.given import GivenFace, Stated
from icf.errors import BadInput
from icf.images import Picture
from icf.images.exif import SWAPS_SIDES
from icf.images.exif import orientation as orientation_of
from icf.models.data.base import Box


class WrongSize(BadInput):
    """A list that gives another size than its picture has: its boxes are elsewhere."""


def in_upright(
    faces: Sequence[GivenFace], stated: Stated, data: bytes, picture: Picture
) -> tuple[GivenFace, ...]:
    """Return the faces with boxes in the upright picture.

    Args:
        faces: as the source has them.
        stated: what the source says of the pixels.
        data: the picture's bytes.
        picture: the decoded picture.

    Raises:
        WrongSize: the size is neither that of the upright picture nor as stored.
    """
    if stated.size is None and not stated.turned:
        return tuple(faces)
    turned = _orientation(data)
    upright = picture.width, picture.height
    stored = upright[::-1] if turned in SWAPS_SIDES else upright
    if stated.size is not None and stated.size not in (upright, stored):
        raise WrongSize(
            f"its list gives it {stated.size[0]} x {stated.size[1]} pixels, and it has "
            f"{upright[0]} x {upright[1]}; boxes of another size would be elsewhere"
        )
    is_stored = stated.turned
    if is_stored is None:
        is_stored = stored != upright and stated.size == stored
    if not is_stored or turned == 1:
        return tuple(faces)
    return tuple(
        replace(each, box=turn(each.box, turned, stored)) if each.box else each
        for each in faces
    )


def turn(box: Box, turned: int, stored: tuple[int, int]) -> Box:
    """Turn a box as `icf.images.exif.upright` turns pixels.

    Args:
        box: x1, y1, x2, y2 in the picture as it is stored.
        turned: the orientation, 1 to 8.
        stored: width and height as stored.

    >>> turn((0, 0, 2, 1), 6, (10, 4))
    (3, 0, 4, 2)
    """
    x1, y1, x2, y2 = box
    width, height = stored
    if turned in SWAPS_SIDES:
        x1, y1, x2, y2 = y1, x1, y2, x2
        width, height = height, width
    if turned in (2, 3, 6, 7):
        x1, x2 = width - x2, width - x1
    if turned in (3, 4, 7, 8):
        y1, y2 = height - y2, height - y1
    return x1, y1, x2, y2


def _orientation(data: bytes) -> int:
    """The EXIF orientation of a picture that was decoded already."""
    with Image.open(BytesIO(data)) as picture:
        block = picture.info.get("exif") or b""
    return orientation_of(block)
