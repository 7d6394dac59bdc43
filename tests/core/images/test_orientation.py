"""The orientation of files as they are, without decoding their pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.images.exif import PREFIX
from icf.images.header import orientation_of
from icf.images.jpeg import may_be_turned, read_frame
from tests.core.pictures import encoded, with_orientation

PIXELS = np.zeros((24, 40, 3), np.uint8)
KINDS = ("JPEG", "PNG", "WEBP")


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_one_in_the_exif_block(kind: str, turned: int) -> None:
    assert orientation_of(with_orientation(PIXELS, kind, turned)) == turned


@pytest.mark.parametrize("kind", [*KINDS, "GIF", "BMP"])
def test_without_an_exif_block_nothing_is_turned(kind: str) -> None:
    assert orientation_of(encoded(PIXELS, kind)) == 1


def test_an_exif_block_behind_others_is_found() -> None:
    data = with_orientation(PIXELS, "JPEG", 6)
    comment = b"\xff\xfe\x40\x00" + bytes(0x3FFE)
    assert orientation_of(data[:2] + comment * 5 + data[2:]) == 6


@given(st.data())
def test_the_quick_look_misses_no_jpeg_that_is_turned(data: st.DataObject) -> None:
    turned = data.draw(st.booleans())
    whole = with_orientation(PIXELS, "JPEG", 8) if turned else encoded(PIXELS, "JPEG")
    place = data.draw(st.integers(2, min(len(whole), 200)))
    odd = data.draw(st.binary(max_size=6))
    changed = whole[:place] + odd + whole[place:]
    frame = read_frame(changed)
    if frame is not None and frame.orientation != 1:
        assert may_be_turned(changed)
    assert may_be_turned(whole) is (turned and PREFIX in whole)
