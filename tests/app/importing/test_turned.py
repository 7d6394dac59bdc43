"""Boxes turn with their pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from icf.app.importing.given import GivenFace, Stated
from icf.app.importing.turned import WrongSize, in_upright, turn
from icf.images import decode
from icf.images.exif import upright

WIDTH, HEIGHT = 24, 18
BOX = (2, 1, 6, 3)


def picture(turned: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = turned
    file = io.BytesIO()
    Image.linear_gradient("L").resize((WIDTH, HEIGHT)).save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_turned_box_has_the_pixels_that_it_had(turned: int) -> None:
    pixels = np.arange(WIDTH * HEIGHT * 3, dtype=np.uint8).reshape(HEIGHT, WIDTH, 3)
    x1, y1, x2, y2 = BOX
    marked = np.zeros_like(pixels)
    marked[y1:y2, x1:x2] = 1
    rows, columns = np.nonzero(upright(marked, turned)[..., 0])
    found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert turn(BOX, turned, (WIDTH, HEIGHT)) == found


@pytest.mark.parametrize(
    ("turned", "stated", "moves"),
    [
        (6, Stated((WIDTH, HEIGHT)), True),
        (6, Stated((HEIGHT, WIDTH)), False),
        (6, Stated(), False),
        (3, Stated((WIDTH, HEIGHT)), False),
        (3, Stated((WIDTH, HEIGHT), turned=True), True),
        (6, Stated(None, turned=True), True),
        (6, Stated((WIDTH, HEIGHT), turned=False), False),
        (1, Stated((WIDTH, HEIGHT), turned=True), False),
    ],
)
def test_the_stated_size_says_whether_boxes_turn(
    turned: int, stated: Stated, moves: bool
) -> None:
    data = picture(turned)
    [face] = in_upright([GivenFace(BOX, 0)], stated, data, decode(data))
    assert (face.box != BOX) is moves


def test_another_size_is_refused() -> None:
    data = picture(6)
    with pytest.raises(WrongSize, match="gives it 48 x 36 pixels, and it has 18 x 24"):
        in_upright([], Stated((48, 36)), data, decode(data))
