"""Curves of scores as drawings: what is in them can be seen."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from icf.dataset.scores.plots import Line, Plot, draw

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*lines: Line) -> ElementTree.Element:
    return ElementTree.fromstring(draw(Plot("A title", "rate", "share", lines)))


def test_the_name_of_an_axis_is_not_written_over_the_title() -> None:
    texts = drawn(Line("a", [1, 2], [3, 4])).iter(f"{SVG}text")
    heights = {each.text: float(each.attrib["y"]) for each in texts}
    assert heights["share"] - heights["A title"] >= 14


@pytest.mark.parametrize("times", [1, 2])
def test_a_curve_of_one_place_is_a_dot(times: int) -> None:
    found = drawn(Line("a", [5.0] * times, [50.0] * times), Line("b", [1, 2], [3, 4]))
    [dot] = found.iter(f"{SVG}circle")
    [one, _] = found.iter(f"{SVG}polyline")
    assert one.attrib["points"].startswith(f"{dot.attrib['cx']},{dot.attrib['cy']}")
    assert dot.attrib["fill"] == one.attrib["stroke"]
    assert not list(drawn(Line("none", [], [])).iter(f"{SVG}circle"))
