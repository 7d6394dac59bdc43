from __future__ import annotations

import math

import numpy as np
import pytest

from icf.models.anchors import SMALL, TORCHVISION, Geometry


def test_small_anchors_are_squares_of_two_to_four_strides() -> None:
    found = SMALL.anchors(64, 64)
    sides = found[:, 2:] - found[:, :2]
    np.testing.assert_allclose(sides[:, 0], sides[:, 1], rtol=1e-5)
    assert sides[:4, 0].tolist() == pytest.approx([16, 20.1587, 25.3984, 32], abs=1e-3)
    assert sides[-1, 0] == pytest.approx(256)
    assert found[0].tolist() == [-4, -4, 12, 12]


def test_anchors_are_computed_once_and_cannot_be_changed() -> None:
    found = SMALL.anchors(64, 128)
    assert SMALL.anchors(64, 128) is found
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 0


@pytest.mark.parametrize(
    ("geometry", "most"), [(SMALL, math.e**3), (TORCHVISION, 62.5)]
)
def test_an_offset_cannot_make_a_box_overflow(geometry: Geometry, most: float) -> None:
    reference = geometry.anchors(64, 64)[:1]
    found = geometry.decode(np.full((1, 4), 1e6, np.float32), reference)
    assert np.isfinite(found).all()
    side = reference[0, 2] - reference[0, 0]
    assert found[0, 2] - found[0, 0] == pytest.approx(side * most, rel=1e-2)
