from __future__ import annotations

import pytest

from icf.catalogue.catalogue import Catalogue
from icf.engine.threshold import StoredRow
from icf.filter.steps.size import Size
from tests.filter.rows import add_album, add_face, add_image


@pytest.mark.parametrize(
    ("side", "reason"), [(99.9, "too_small"), (100.0, "ok"), (400.0, "ok")]
)
def test_a_face_needs_the_minimum_side_exactly(side: float, reason: str) -> None:
    [outcome] = Size(100).judge([StoredRow(1, (side, None))])
    assert (outcome.reason, outcome.passed) == (reason, reason == "ok")
    assert (outcome.value, outcome.threshold) == (side, 100)


def test_the_shorter_side_counts(catalogue: Catalogue) -> None:
    [tom] = add_album(catalogue, "Tom")
    image_id = add_image(catalogue, tom)
    wide = add_face(catalogue, image_id, tom, x1=10.0, x2=500.0, y1=5.0, y2=95.5)
    high = add_face(catalogue, image_id, tom, x1=10.0, x2=90.25, y1=5.0, y2=95.5)
    with catalogue.read() as connection:
        items = Size(100).select(connection, [wide, high])
    assert {item.id: item.values[0] for item in items} == {wide: 90.5, high: 80.25}
