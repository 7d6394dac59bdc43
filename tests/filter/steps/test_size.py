from __future__ import annotations

import pytest

from icf.catalogue.catalogue import Catalogue
from icf.filter.steps.size import Size, SizedFace
from tests.filter.rows import add_album, add_face, add_image


@pytest.mark.parametrize(
    ("side", "reason"), [(99.9, "too_small"), (100.0, "ok"), (400.0, "ok")]
)
def test_a_face_needs_the_minimum_side_exactly(side: float, reason: str) -> None:
    [outcome] = Size(100).judge([SizedFace(1, side)])
    assert (outcome.reason, outcome.passed) == (reason, reason == "ok")
    assert (outcome.value, outcome.threshold) == (side, 100)


def test_the_shorter_side_counts(sqlite_catalogue: Catalogue) -> None:
    [tom] = add_album(sqlite_catalogue, "Tom")
    image_id = add_image(sqlite_catalogue, tom)
    wide = add_face(sqlite_catalogue, image_id, tom, x1=10.0, x2=500.0, y1=5.0, y2=95.5)
    with sqlite_catalogue.read() as connection:
        [item] = Size(100).select(connection, [wide])
    assert item == SizedFace(wide, 90.5)
