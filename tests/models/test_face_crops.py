from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from icf.images import Undecodable, decode
from icf.models.face_crops import FaceCropper, read_boxes
from icf.stores.blobs import MissingBlob
from tests.annotate.place import BOX, Place, encoded, pixels

SIDE = 640


@pytest.fixture
def place(plain: Place) -> Place:
    """The database makes no difference to crops."""
    return plain


def crop(
    place: Place, *faces: int, rate: float = 1.0
) -> tuple[dict[int, bytes], dict[int, MissingBlob | Undecodable]]:
    cropper = FaceCropper(place.workspace.blobs, rate, 64_000_000, SIDE)
    with place.workspace.catalogue.read() as connection:
        boxes = read_boxes(connection, faces)
    jpegs: dict[int, bytes] = {}
    return jpegs, cropper.crop(boxes, jpegs.__setitem__)


def shown(place: Place, face: int, rate: float = 1.0) -> NDArray[np.float64]:
    jpegs, errors = crop(place, face, rate=rate)
    assert errors == {}
    picture = decode(jpegs[face])
    assert picture.format == "jpeg"
    return picture.pixels.astype(np.float64)


def test_crops_are_the_box_enlarged_by_the_rate(place: Place) -> None:
    face = place.add_face(place.add_character(), 0.5)
    side = BOX[2] - BOX[0]
    for rate in (0.0, 0.5, 1.0):
        expected = (side * (1 + rate), side * (1 + rate), 3)
        assert shown(place, face, rate).shape == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_people_see_pictures_upright(place: Place, orientation: int) -> None:
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
    face = place.add_face(place.add_character(), 0.5, data)
    assert np.abs(shown(place, face) - upright).mean() < 12


def test_a_crop_contains_no_metadata_of_the_picture(place: Place) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET DESCRIPTION"
    data = encoded(pixels(2), "JPEG", exif=exif, quality=95) + b"<script>"
    face = place.add_face(place.add_character(), 0.5, data)
    jpegs, _ = crop(place, face)
    assert b"SECRET" not in jpegs[face]
    assert b"script" not in jpegs[face]


def test_large_crops_are_reduced(place: Place) -> None:
    data = encoded(pixels(3, 1000), "PNG")
    columns = {"x1": 50.0, "y1": 50.0, "x2": 950.0, "y2": 950.0}
    face = place.add_face(place.add_character(), 0.5, data, **columns)
    assert shown(place, face).shape == (SIDE, SIDE, 3)


def test_a_missing_or_broken_picture_affects_only_its_own_faces(place: Place) -> None:
    ann = place.add_character()
    good, gone, bad = (
        place.add_face(ann, 0.5),
        place.add_face(ann, 0.5),
        place.add_face(ann, 0.5, b"no picture"),
    )
    with place.workspace.catalogue.read() as connection:
        [lost] = read_boxes(connection, [gone])
    place.workspace.blobs.path(lost.sha256).unlink()
    jpegs, errors = crop(place, good, gone, bad)
    assert jpegs.keys() == {good}
    assert isinstance(errors[gone], MissingBlob)
    assert "icf doctor --repair" in str(errors[gone])
    assert isinstance(errors[bad], Undecodable)
