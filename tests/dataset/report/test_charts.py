from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from icf.dataset.report import charts

counts = st.dictionaries(
    st.integers(0, 10_000).map(lambda place: place * 10),
    st.integers(1, 10**6),
    min_size=1,
    max_size=60,
)


def bars_of(drawing: str) -> list[tuple[int, int]]:
    """The lower end and the count that each bar names."""
    found = re.findall(r"<title>([\d,]+) and more: ([\d,]+)</title>", drawing)
    return [(int(a.replace(",", "")), int(b.replace(",", ""))) for a, b in found]


@given(counts, st.integers(2, 20))
def test_a_histogram_counts_everything_in_few_even_bars(
    values: dict[int, int], bars: int
) -> None:
    drawing = charts.histogram(values, 10, "Sizes", bars)
    ElementTree.fromstring(drawing)
    shown = bars_of(drawing)
    assert len(shown) <= bars
    assert sum(count for _, count in shown) == sum(values.values())
    ends = [end for end, _ in shown]
    assert len({b - a for a, b in pairwise(ends)}) <= 1
    assert ends[0] <= min(values)


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
    assert charts.ranked([], "x") == charts.histogram({}, 10, "x") == ""
    assert charts.funnel([]) == ""
