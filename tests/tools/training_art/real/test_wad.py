"""Pictures in WAD files, which are written here byte by byte."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from icf.tools.training_art.real import wad

#: Colour number n is (n, 0, 255 - n).
COLOURS = np.stack(
    [np.arange(256), np.zeros(256, int), 255 - np.arange(256)], 1
).astype(np.uint8)


def a_picture(width: int, height: int, columns: list[bytes]) -> bytes:
    head = struct.pack("<HHhh", width, height, 0, 0)
    starts, at = [], len(head) + 4 * width
    for column in columns:
        starts.append(at)
        at += len(column)
    return head + struct.pack(f"<{width}I", *starts) + b"".join(columns)


def a_post(top: int, *colours: int) -> bytes:
    return bytes([top, len(colours), 0, *colours, 0])


def a_wad(**lumps: bytes) -> bytes:
    at, body, directory = 12, b"", b""
    for name, lump in lumps.items():
        directory += struct.pack("<ii8s", at + len(body), len(lump), name.encode())
        body += lump
    return b"IWAD" + struct.pack("<ii", len(lumps), at + len(body)) + body + directory


def test_posts_are_opaque_and_what_is_between_them_is_not() -> None:
    columns = [a_post(0, 7, 9) + a_post(3, 20) + b"\xff", b"\xff"]
    drawn = wad.picture(a_picture(2, 4, columns), COLOURS)
    assert drawn.shape == (4, 2, 4)
    assert drawn[:, 0, 0].tolist() == [7, 9, 0, 20]
    assert drawn[:, 0, 2].tolist() == [248, 246, 0, 235]
    assert drawn[..., 3].tolist() == [[255, 0], [255, 0], [0, 0], [255, 0]]


def test_a_post_that_leaves_the_picture_is_cut_off() -> None:
    drawn = wad.picture(a_picture(1, 2, [a_post(1, 5, 6, 7) + b"\xff"]), COLOURS)
    assert drawn[:, 0, 0].tolist() == [0, 5]


def test_lumps_are_found_by_name_and_the_first_palette_is_read() -> None:
    first = bytes(range(256)) * 3
    found = wad.lumps(a_wad(PLAYPAL=first + b"\1" * 768, TROOA1=b"abc"))
    assert found["TROOA1"] == b"abc"
    assert wad.palette(found["PLAYPAL"])[1].tolist() == [3, 4, 5]


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="not a WAD"):
        wad.lumps(b"\x89PNG" + bytes(20))
