from __future__ import annotations

import cv2
import numpy as np
import pytest

from icf.catalogue.catalogue import Catalogue
from icf.engine.threshold import StoredRow
from icf.filter.steps.tone import Tone
from icf.images import decode, measures
from icf.images.cut import cut
from icf.settings import FilterSettings
from tests.filter.rows import add_album, add_face, add_image
from tests.filter.workspaces import read_file, site_files

DEFAULTS = FilterSettings()


@pytest.mark.parametrize(
    ("brightness", "contrast", "reason", "value", "threshold"),
    [
        (10.0, 6.0, "ok", 6.0, 6.0),
        (9.9, 50.0, "dark", 9.9, 10.0),
        (9.9, 1.0, "dark", 9.9, 10.0),
        (250.0, 5.9, "flat", 5.9, 6.0),
        (None, None, "ok", None, 6.0),
    ],
)
def test_a_face_needs_the_minimum_brightness_and_contrast_exactly(
    brightness: float | None,
    contrast: float | None,
    reason: str,
    value: float | None,
    threshold: float,
) -> None:
    [outcome] = Tone(10.0, 6.0).judge(
        [StoredRow(1, (brightness, None, contrast, None))]
    )
    assert (outcome.reason, outcome.passed) == (reason, reason == "ok")
    assert (outcome.value, outcome.threshold) == (value, threshold)


def test_the_measures_of_the_decode_that_found_the_face_are_read(
    catalogue: Catalogue,
) -> None:
    [tom] = add_album(catalogue, "Tom")
    image_id = add_image(catalogue, tom)
    measured = add_face(catalogue, image_id, tom, brightness=80.5, contrast=30.25)
    old = add_face(catalogue, image_id, tom)
    with catalogue.read() as connection:
        items = Tone(10.0, 6.0).select(connection, [measured, old])
    assert sorted(items, key=lambda item: item.id) == [
        StoredRow(measured, (80.5, None, 30.25, None)),
        StoredRow(old, (None, None, None, None)),
    ]


def reason_of(crop: measures.Pixels) -> str:
    """What becomes of a face with the default thresholds."""
    step = Tone(DEFAULTS.min_brightness, DEFAULTS.min_contrast)
    tone = measures.tone(crop)
    row = StoredRow(1, (tone.brightness, None, tone.contrast, None))
    return step.judge([row])[0].reason


def test_no_drawn_face_of_the_site_is_lost_nor_with_half_of_its_light() -> None:
    files = [file for file in site_files(1000)[::3] if file.faces]
    seen = 0
    for file in files:
        pixels = decode(read_file(file)).pixels
        for face in file.faces:
            crop = cut(pixels, face.box)
            assert reason_of(crop) == "ok", file.name
            assert reason_of(crop // 2) == "ok", file.name
            seen += 1
    assert seen > 150


def line_art(paper: int, ink: int) -> measures.Pixels:
    """A face in thin lines."""
    crop = np.full((200, 200, 3), paper, np.uint8)
    lines = (ink, ink, ink)
    cv2.ellipse(crop, (100, 100), (70, 90), 0, 0, 360, lines, 3, cv2.LINE_AA)
    for centre in ((70, 80), (130, 80)):
        cv2.circle(crop, centre, 12, lines, 3, cv2.LINE_AA)
    cv2.line(crop, (80, 150), (120, 150), lines, 3, cv2.LINE_AA)
    return crop


def test_line_art_is_kept_in_black_on_white_and_in_white_on_black() -> None:
    assert reason_of(line_art(paper=255, ink=0)) == "ok"
    assert reason_of(line_art(paper=0, ink=255)) == "ok"


def test_what_nobody_can_see_is_out() -> None:
    assert reason_of(line_art(paper=2, ink=20)) == "dark"
    assert reason_of(line_art(paper=250, ink=240)) == "flat"
