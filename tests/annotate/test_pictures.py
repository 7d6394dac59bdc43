from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icf.annotate.pictures import MAX_SIDE, Cutter, picture_path, read_faces
from icf.images import decode
from tests.annotate.place import BOX, Place, encoded, pixels


def cut(place: Place, folder: Path, *faces: int, rate: float = 1.0) -> dict[int, str]:
    folder.mkdir(exist_ok=True)
    cutter = Cutter(place.workspace.blobs, rate, 64_000_000)
    with place.workspace.catalogue.read() as connection:
        shown = read_faces(connection, faces)
    return cutter.cut(shown, folder)


def shown(folder: Path, face: int) -> np.ndarray:
    picture = decode((folder / picture_path(face)).read_bytes())
    assert picture.format == "jpeg"
    return picture.pixels.astype(np.float64)


def test_crops_are_the_box_enlarged_by_the_rate(place: Place, tmp_path: Path) -> None:
    face = place.add_face(place.add_character(), 0.5)
    side = BOX[2] - BOX[0]
    for rate in (0.0, 0.5, 1.0):
        folder = tmp_path / str(rate)
        assert cut(place, folder, face, rate=rate) == {}
        assert shown(folder, face).shape == (side * (1 + rate), side * (1 + rate), 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_people_see_pictures_upright(
    plain: Place, tmp_path: Path, orientation: int
) -> None:
    upright = pixels(1)
    # How a camera that was held so stores it (Exif 2.3, table 6).
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(np.ascontiguousarray(stored[orientation]), "PNG", exif=exif)
    face = plain.add_face(plain.add_character(), 0.5, data)
    assert cut(plain, tmp_path / "out", face) == {}
    assert np.abs(shown(tmp_path / "out", face) - upright).mean() < 12


def test_a_fresh_jpeg_carries_nothing_else_along(plain: Place, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET DESCRIPTION"
    data = encoded(pixels(2), "JPEG", exif=exif, quality=95) + b"<script>"
    face = plain.add_face(plain.add_character(), 0.5, data)
    cut(plain, tmp_path / "out", face)
    written = (tmp_path / "out" / picture_path(face)).read_bytes()
    assert b"SECRET" not in written
    assert b"script" not in written


def test_large_crops_are_reduced(plain: Place, tmp_path: Path) -> None:
    data = encoded(pixels(3, 1000), "PNG")
    columns = {"x1": 50.0, "y1": 50.0, "x2": 950.0, "y2": 950.0}
    face = plain.add_face(plain.add_character(), 0.5, data, **columns)
    cut(plain, tmp_path / "out", face)
    assert shown(tmp_path / "out", face).shape == (MAX_SIDE, MAX_SIDE, 3)


def test_a_missing_or_broken_picture_costs_its_own_faces_only(
    plain: Place, tmp_path: Path
) -> None:
    ann = plain.add_character()
    good, gone, bad = (
        plain.add_face(ann, 0.5),
        plain.add_face(ann, 0.5),
        plain.add_face(ann, 0.5, b"no picture"),
    )
    with plain.workspace.catalogue.read() as connection:
        [lost] = read_faces(connection, [gone])
    plain.workspace.blobs.path(lost.sha256).unlink()
    missing = cut(plain, tmp_path / "out", good, gone, bad)
    assert set(missing) == {gone, bad}
    assert "icf-harvest retry" in missing[gone]
    names = [path.name for path in (tmp_path / "out" / "pictures").iterdir()]
    assert names == [f"face-{good}.jpg"]
