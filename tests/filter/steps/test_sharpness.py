from __future__ import annotations

import cv2
import numpy as np
import pytest

from icf.catalogue.catalogue import Catalogue
from icf.engine.threshold import StoredRow
from icf.filter.steps.sharpness import Sharpness
from icf.images import measures
from tests.filter.rows import add_album, add_face, add_image


@pytest.mark.parametrize(("variance", "reason"), [(99.9, "blurred"), (100.0, "ok")])
def test_a_face_needs_the_minimum_variance_exactly(
    variance: float, reason: str
) -> None:
    [outcome] = Sharpness(100.0).judge([StoredRow(1, (variance, None))])
    assert (outcome.reason, outcome.passed) == (reason, reason == "ok")
    assert (outcome.value, outcome.threshold) == (variance, 100.0)


def test_the_measure_of_the_decode_that_found_the_face_is_read(
    sqlite_catalogue: Catalogue,
) -> None:
    [tom] = add_album(sqlite_catalogue, "Tom")
    blurred = add_face(
        sqlite_catalogue, add_image(sqlite_catalogue, tom), tom, sharpness=12.5
    )
    with sqlite_catalogue.read() as connection:
        [item] = Sharpness(100.0).select(connection, [blurred])
    assert item == StoredRow(blurred, (12.5, None))


def test_a_blurred_drawing_falls_under_the_default_and_the_sharp_one_does_not() -> None:
    sharp = np.full((200, 200, 3), 230, np.uint8)
    cv2.circle(sharp, (100, 100), 80, (40, 40, 40), 4)
    cv2.circle(sharp, (70, 80), 12, (20, 20, 20), -1)
    cv2.circle(sharp, (130, 80), 12, (20, 20, 20), -1)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 8), np.uint8)
    assert measures.sharpness(sharp) > 100 > measures.sharpness(blurred)
