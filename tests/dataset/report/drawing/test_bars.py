from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from icf.dataset.report.drawing import charts
from icf.dataset.report.drawing.bars import grouped

counts = st.lists(st.integers(0, 10**7), min_size=1, max_size=8)


@given(counts, st.integers(1, 3))
def test_every_count_has_a_bar_as_tall_as_it_inside_the_frame(
    values: list[int], series: int
) -> None:
    names = [f"<{each}>" for each in range(len(values))]
    drawn = grouped(names, [(f"s{n}", values) for n in range(series)], "Counts")
    if not any(values):
        assert drawn == ""
        return
    root = ElementTree.fromstring(drawn)
    bars = [group[1] for group in root.iter("g")]
    assert len(bars) == len(values) * series
    top, _, down = charts.frame(max(values))
    for bar, value in zip(
        bars, [v for v in values for _ in range(series)], strict=True
    ):
        tall = float(bar.attrib["height"])
        assert abs(tall - max(down * value / top, 1.0 if value else 0.0)) < 0.06
        assert float(bar.attrib["x"]) >= charts.LEFT
        right = float(bar.attrib["x"]) + float(bar.attrib["width"])
        assert right <= charts.WIDTH


def test_a_long_name_is_cut_on_the_axis_and_whole_in_its_title() -> None:
    name = "a very long name of a region"
    root = ElementTree.fromstring(grouped([name] * 6, [("n", [1] * 6)], "Regions"))
    assert next(root.iter("title")).text == f"{name}: 1"
    texts = [each.text or "" for each in root.iter("text")]
    assert name not in texts
    assert any(each.endswith("…") for each in texts)
