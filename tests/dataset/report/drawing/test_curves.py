from __future__ import annotations

from xml.etree import ElementTree

import pytest

from icf.dataset.report.drawing.curves import (
    HEIGHT,
    LEFT,
    WIDTH,
    Axis,
    Curve,
    curves,
    percent_axis,
)

RANKS = Axis("rank", 1, 500, (1, 500))


def points(element: ElementTree.Element) -> list[tuple[float, float]]:
    pairs = (each.split(",") for each in element.attrib["points"].split())
    return [(float(x), float(y)) for x, y in pairs]


def test_a_long_curve_keeps_its_ends_and_its_interval_around_it() -> None:
    x = list(range(1, 501))
    y = [50 + each / 10 for each in x]
    low, high = [each - 3 for each in y], [min(100.0, each + 2) for each in y]
    drawn = curves([Curve("a < b", x, y, low, high)], RANKS, percent_axis("%"), "CMC")
    root = ElementTree.fromstring(drawn)
    [line] = [e for e in root.iter("polyline")]
    [band] = list(root.iter("polygon"))
    along = points(line)
    assert len(along) < 300
    assert along[0][0] == LEFT
    assert along[-1][0] == pytest.approx(WIDTH - 14)
    for at, down in along:
        around = [y for x, y in points(band) if x == at]
        assert min(around) <= down <= max(around)
    assert all(0 <= y <= HEIGHT for _, y in along)
    assert "a < b" in [each.text for each in root.iter("text")]


def test_without_an_interval_there_is_no_band() -> None:
    drawn = curves([Curve("a", [1, 2], [1, 2])], RANKS, percent_axis("%"), "CMC")
    assert "polygon" not in drawn
    assert curves([], RANKS, percent_axis("%"), "CMC") == ""
