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


@pytest.mark.parametrize("falls", [True, False])
def test_the_key_is_in_the_lower_corner_that_no_curve_is_in(falls: bool) -> None:
    y = [9.0, 1.0] if falls else [1.0, 9.0]
    texts = drawn(Line("one", [1, 2], y), Line("two", [1, 2], y)).iter(f"{SVG}text")
    places = {each.text: float(each.attrib["x"]) for each in texts}
    assert (places["one"] < 260) == falls
