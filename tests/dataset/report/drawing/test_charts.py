from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from icf.dataset.report.drawing import charts


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=80))
def test_a_ranked_curve_stays_inside_its_frame(values: list[int]) -> None:
    drawing = charts.ranked(sorted(values, reverse=True), "Faces per character")
    root = ElementTree.fromstring(drawing)
    points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", root[0].attrib["d"])
    assert all(0 <= float(x) <= 340 and 0 <= float(y) <= 170 for x, y in points)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=8))
def test_a_funnel_has_a_block_a_stage_as_tall_as_its_count(values: list[int]) -> None:
    drawing = charts.funnel(values)
    if not any(values):
        assert drawing == ""
        return
    root = ElementTree.fromstring(drawing)
    tall = [float(each.attrib["height"]) for each in root if each.tag == "rect"]
    assert len(tall) == len(values)
    most = max(values)
    for height, value in zip(tall, values, strict=True):
        assert abs(height - max(2, 110 * value / most)) < 0.1


def test_a_title_is_escaped() -> None:
    drawing = charts.ranked([3], '"><script>')
    assert "<script>" not in drawing
    root = ElementTree.fromstring(drawing)
    assert root.attrib["aria-label"] == '"><script>'


def test_nothing_to_draw_draws_nothing() -> None:
    assert charts.ranked([], "x") == ""
    assert charts.funnel([]) == ""
