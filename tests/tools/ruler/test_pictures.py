"""Files of packages become pictures, with hashes that tell what changed."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icf.errors import BadInput
from icf.tools.ruler import boxed, loaded, manifest, pictures, qt_resources, sheets
from icf.tools.ruler.manifest import Drawing, Source, View

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1">'
    '<rect width="1" height="1" fill="#ff0000"/></svg>'
)
SOURCE = Source("own", "debian", "own-data", "1", "CC0-1.0", "dev")
KNOWN = {"own": SOURCE}


def png(size: tuple[int, int] = (8, 4), colour: str = "#10203040") -> bytes:
    """A picture of one transparent colour."""
    file = io.BytesIO()
    Image.new("RGBA", size, colour).save(file, "png")
    return file.getvalue()


def qt(files: dict[str, bytes]) -> bytes:
    """A Qt resource file, version 1, with the files in a folder ``art``."""
    names, data, places = b"", b"", []
    for name in ("art", *files):
        places.append(len(names))
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    tree = struct.pack(">iHii", 0, 2, 1, 1)
    tree += struct.pack(">iHii", places[0], 2, len(files), 2)
    stored = zip(places[1:], files.values(), strict=True)
    for number, (place, content) in enumerate(stored):
        packed = struct.pack(">I", len(content)) + zlib.compress(content)
        block = packed if number % 2 else content
        tree += struct.pack(">iHHHi", place, number % 2, 0, 0, len(data))
        data += struct.pack(">I", len(block)) + block
    at = 20
    header = struct.pack(">4i", 1, at, at + len(tree), at + len(tree) + len(data))
    return b"qres" + header + tree + data + names


def test_a_transparent_picture_is_laid_on_its_ground_cut_and_resized() -> None:
    view = View(cut=(2, 0, 8, 2), longer=12, ground="#000000")
    pixels = pictures.drawn(png(colour="#ff000080"), view)
    assert pixels.shape == (4, 12, 3)
    assert (pixels == (128, 0, 0)).all()


@pytest.mark.parametrize("packed", [SVG.encode(), gzip.compress(SVG.encode())])
def test_a_vector_drawing_is_drawn_as_wide_as_asked(packed: bytes) -> None:
    pixels = pictures.drawn(packed, View(raster=20))
    assert pixels.shape == (10, 20, 3)
    assert pixels[5, 5].tolist() == [255, 0, 0]
    assert pixels[5, 15].tolist() == [255, 255, 255]


def test_a_vector_drawing_in_points_is_drawn() -> None:
    inches = SVG.replace("<svg ", '<svg width="144pt" height="72pt" ')
    assert pictures.drawn(inches.encode(), View(raster=20)).shape == (10, 20, 3)


def test_a_screen_without_its_header_is_read(tmp_path: Path) -> None:
    rows = bytes([0xFF, 1] * 5 + [0xC5, 1]) * 200  # Runs of 63, and one of 5.
    palette = bytes([0, 0, 0, 9, 8, 7]) + bytes(762)
    (tmp_path / "1.ALG").write_bytes(bytes(128) + rows + b"\x0c" + palette)
    pixels = pictures.drawn(pictures.content(tmp_path, "1.ALG"), View())
    assert pixels.shape == (200, 320, 3)
    assert (pixels == (9, 8, 7)).all()


def test_members_of_archives_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.rcc").write_bytes(qt({"one.png": b"plain", "two.png": b"packed"}))
    icons = {"width": 2, "height": 1, "icons": {"dot": {"body": "<g/>"}}}
    (tmp_path / "b.json").write_text(json.dumps(icons))
    assert pictures.content(tmp_path, "a.rcc!art/one.png") == b"plain"
    assert pictures.content(tmp_path, "a.rcc!art/two.png") == b"packed"
    assert b'viewBox="0 0 2 1"' in pictures.content(tmp_path, "b.json!dot")
    with pytest.raises(BadInput, match="has no art/three"):
        pictures.content(tmp_path, "a.rcc!art/three.png")


@pytest.mark.parametrize("content", [b"RIFF", b"qres", qt({"a": b"b"})[:40]])
def test_a_damaged_resource_file_is_bad_input(content: bytes) -> None:
    with pytest.raises(BadInput, match="Qt resource file"):
        qt_resources.members(content)


def test_what_is_boxed_is_loaded_and_what_changed_is_told(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    for name, colour in (("a.png", "#102030"), ("b.png", "#302010")):
        (tmp_path / "own" / name).write_bytes(png(colour=colour))
    face = {"box": [1, 1, 3, 3], "identity": "Ada"}
    about = {"source": "own", "group": "comics", "faces": [face]}
    drawings = [
        boxed.taken({**about, "file": name}, KNOWN, tmp_path)
        for name in ("a.png", "b.png")
    ]
    (tmp_path / "own" / "b.png").write_bytes(png(colour="#ffffff"))
    gone = Drawing("own", "c.png", View(), "0", (1, 1), "no faces")

    ruler = loaded.read([*drawings, gone], KNOWN, tmp_path)

    assert [each.drawing for each in ruler.shown] == drawings[:1]
    assert ruler.shown[0].pixels.shape == (4, 8, 3)
    assert [line.split(": ")[1] for line in ruler.missing] == ["b.png", "c.png"]
    assert "its pixels are not those that were boxed" in ruler.missing[0]


def test_a_draft_with_a_box_outside_of_its_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/a.png").write_bytes(png())
    line = {"source": "own", "file": "a.png", "group": "comics"}
    with pytest.raises(BadInput, match="not inside 8 x 4"):
        boxed.taken({**line, "faces": [{"box": [0, 0, 9, 2]}]}, KNOWN, tmp_path)


def test_a_picture_that_is_boxed_again_replaces_itself() -> None:
    old = Drawing("own", "a.png", View(), "0", (9, 9), "no faces")
    new = Drawing("own", "a.png", View(longer=9), "1", (9, 9), "no faces")
    other = Drawing("own", "a.png", View(cut=(0, 0, 1, 1)), "2", (1, 1), "no faces")
    assert boxed.merge([old], [new, other]) == [new, other]


def test_a_sheet_shows_boxes_where_they_are() -> None:
    pixels = np.full((100, 200, 3), 255, np.uint8)
    marked = sheets.Marked("a", pixels, [((100, 50, 150, 90), "Ada")])
    (sheet,) = sheets.sheets([marked])
    assert sheet.getpixel((34 + 230, 34 + 150)) == (255, 0, 0)


def test_every_source_is_of_a_known_kind() -> None:
    assert {each.registry for each in manifest.sources().values()} <= {
        "debian", "npm", "pypi"
    }  # fmt: skip


def test_a_puzzle_is_put_together_without_its_board(tmp_path: Path) -> None:
    board = """"width": 20, "height": 10 },
    { "pixmapfile" : "image/l.png", "x" : "0.35", "y" : "0.5" },
    { "pixmapfile" : "image/r.png", "x" : "0.65", "y" : "0.5" }"""
    files = {
        "board/board1.qml": board.encode(),
        "image/l.png": png((6, 4), "#ff0000"),
        "image/r.png": png((6, 4), "#0000ff"),
    }
    (tmp_path / "p.rcc").write_bytes(qt(files))
    packed = pictures.content(tmp_path, "p.rcc!art/board/board1.qml")
    pixels = pictures.drawn(packed, View())
    assert pixels.shape == (4, 12, 3)
    assert pixels[0, 5].tolist() == [255, 0, 0]
    assert pixels[3, 6].tolist() == [0, 0, 255]


def test_what_was_drawn_is_kept_and_checked_again(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/a.png").write_bytes(png())
    line = {"source": "own", "file": "a.png", "group": "no faces"}
    drawing = boxed.taken(line, KNOWN, tmp_path)
    loaded.read([drawing], KNOWN, tmp_path)
    (tmp_path / "own/a.png").unlink()
    assert len(loaded.read([drawing], KNOWN, tmp_path).shown) == 1
    (kept,) = (tmp_path / ".drawn").iterdir()
    kept.write_bytes(png(colour="#ffffff"))
    assert loaded.read([drawing], KNOWN, tmp_path).shown == ()
