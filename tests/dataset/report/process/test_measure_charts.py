from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from icf.dataset.report.drawing import charts
from icf.dataset.report.process.measure_charts import reliability, thresholded
from icf.dataset.report.process.measures import Measure
from icf.reliability import Bin

bars = st.dictionaries(
    st.integers(0, 5_000),
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
    min_size=1,
    max_size=40,
).filter(lambda counts: any(good + bad for good, bad in counts.values()))
steps = st.sampled_from([0.05, 1.0, 10.0, 50.0])


def drawn(measure: Measure) -> ElementTree.Element:
    return ElementTree.fromstring(thresholded(measure))


def titles(root: ElementTree.Element) -> list[tuple[int, int]]:
    found = []
    for each in root.iter("title"):
        numbers = re.findall(r": ([\d,]*\d)(?:, ([\d,]*\d) beyond)?", each.text or "")
        all_of_it, beyond = numbers[0]
        found.append(
            (int(all_of_it.replace(",", "")), int(beyond.replace(",", "") or 0))
        )
    return found


counts = st.dictionaries(
    st.integers(0, 10_000), st.integers(1, 10**6), min_size=1, max_size=60
)


def bars_of(drawing: str) -> list[tuple[int, int]]:
    """The lower end and the count that each bar names."""
    found = re.findall(r"<title>([\d,]+) and more: ([\d,]+)</title>", drawing)
    return [(int(a.replace(",", "")), int(b.replace(",", ""))) for a, b in found]


@given(counts, st.integers(2, 20))
def test_a_histogram_counts_everything_in_few_even_bars(
    values: dict[int, int], bars: int
) -> None:
    measure = Measure("Sizes", "px", 10, {k: (n, 0) for k, n in values.items()}, None)
    drawing = thresholded(measure, bars)
    ElementTree.fromstring(drawing)
    shown = bars_of(drawing)
    assert len(shown) <= bars
    assert sum(count for _, count in shown) == sum(values.values())
    ends = [end for end, _ in shown]
    assert len({b - a for a, b in pairwise(ends)}) <= 1
    assert ends[0] <= 10 * min(values)


@settings(deadline=None)
@given(bars, steps, st.integers(0, 6_000))
def test_every_row_is_in_a_bar_and_the_threshold_in_the_frame(
    counts: dict[int, tuple[int, int]], step: float, cut: int
) -> None:
    measure = Measure("Size", "pixels", step, counts, cut * step)
    root = drawn(measure)
    shown = titles(root)
    assert len(shown) <= 20
    assert sum(number for number, _ in shown) == measure.total
    assert sum(beyond for _, beyond in shown) == measure.beyond
    [line] = [each for each in root.iter("line") if each.get("class") == "cut"]
    assert charts.LEFT <= float(line.attrib["x1"]) <= charts.WIDTH
    for rect in root.iter("rect"):
        x, wide = float(rect.attrib["x"]), float(rect.attrib["width"])
        y, tall = float(rect.attrib["y"]), float(rect.attrib["height"])
        assert x >= charts.LEFT
        assert x + wide <= charts.WIDTH
        assert wide > 0
        assert tall > 0
        assert y > 0


def test_the_threshold_is_between_the_bars_that_it_divides() -> None:
    counts = {place: (0, 5) if place < 4 else (5, 0) for place in range(8)}
    root = drawn(Measure("Size", "pixels", 10.0, counts, 40.0))
    [line] = [each for each in root.iter("line") if each.get("class") == "cut"]
    cut = float(line.attrib["x1"])
    for rect in root.iter("rect"):
        left = float(rect.attrib["x"])
        right = left + float(rect.attrib["width"])
        assert (right < cut) == (rect.attrib["class"] == "fill out")
        assert right < cut or left > cut


def test_the_drawing_says_in_words_what_it_shows() -> None:
    root = drawn(Measure("Sharpness", "", 50.0, {0: (0, 1200), 3: (34, 0)}, 100.0))
    words = "Sharpness: 1,234 measured, 1,200 beyond the threshold of 100"
    assert root.attrib["aria-label"] == words


def test_without_a_threshold_there_is_no_line() -> None:
    root = drawn(Measure("Sharpness", "", 50.0, {0: (7, 0)}, None))
    assert not [each for each in root.iter("line") if each.get("class") == "cut"]
    assert root.attrib["aria-label"] == "Sharpness: 7 measured"


shares = st.floats(0, 1)


@settings(deadline=None)
@given(st.lists(st.builds(Bin, st.integers(1, 10**6), shares, shares), min_size=1))
def test_reliability_has_a_dot_a_bin_and_a_right_one_on_the_diagonal(
    bins: list[Bin],
) -> None:
    root = ElementTree.fromstring(reliability(bins))
    dots = list(root.iter("circle"))
    assert len(dots) == len(bins)
    [even] = [each for each in root.iter("line") if each.get("class") == "even"]
    x1, y1 = float(even.attrib["x1"]), float(even.attrib["y1"])
    side = float(even.attrib["x2"]) - x1
    for dot, each in zip(dots, bins, strict=True):
        assert abs(float(dot.attrib["cx"]) - (x1 + each.predicted * side)) < 0.1
        assert abs(float(dot.attrib["cy"]) - (y1 - each.observed * side)) < 0.1


def test_no_answers_are_no_drawing() -> None:
    assert reliability([]) == ""
