from __future__ import annotations

import pytest

from icf.harvest.attributes.style import LONGEST, read_style


@pytest.mark.parametrize("text", ["flat vector", " Flat\tVector ", "FLAT  VECTOR"])
def test_one_style_is_compared_in_one_form(text: str) -> None:
    assert read_style(text) == "flat vector"


def test_prose_and_nothing_are_no_style() -> None:
    assert read_style("x" * LONGEST) == "x" * LONGEST
    assert [read_style(text) for text in ("", " \n", "x" * (LONGEST + 1))] == [None] * 3
