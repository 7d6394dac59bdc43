from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.boxes.opinion import (
    MOST_BOXES,
    Opinion,
    as_boxes,
    read_opinion,
    stored_opinion,
)
from icf.annotate.tasks.base import RefusedAnswer


def boxed(*boxes: object) -> dict[str, Any]:
    return {"verdict": "boxed", "boxes": list(boxes)}


def read(value: dict[str, Any]) -> Opinion:
    return read_opinion(value, 100, 80)


def test_boxes_are_read() -> None:
    found = read(boxed([1, 2, 30.5, 40], [50, 60, 100, 80])).boxes
    assert found is not None
    assert found.tolist() == [[1, 2, 30.5, 40], [50, 60, 100, 80]]


def test_a_picture_may_have_no_face() -> None:
    found = read(boxed()).boxes
    assert found is not None
    assert found.shape == (0, 4)


def test_one_may_be_unable_to_tell() -> None:
    assert read({"verdict": "cannot_tell", "boxes": []}).boxes is None


def test_what_rounding_puts_outside_is_cut_at_the_edge() -> None:
    found = read(boxed([-0.6, 0, 100.4, 80])).boxes
    assert found is not None
    assert found.tolist() == [[0, 0, 100, 80]]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({}, "a verdict is"),
        ({"verdict": "yes"}, "a verdict is"),
        ({"verdict": "boxed"}, "boxes are missing"),
        ({"verdict": "boxed", "boxes": "all"}, "boxes are missing"),
        (boxed([1, 2, 3]), "box 1 is not four numbers"),
        (boxed({"x1": 1}), "box 1 is not four numbers"),
        (boxed([1, 2, 30, True]), "box 1 is not four numbers"),
        (boxed([1, 2, 30, "40"]), "box 1 is not four numbers"),
        (boxed([1, 2, 30, math.nan]), "box 1 is not four numbers"),
        (boxed([1, 2, 30, math.inf]), "box 1 is not four numbers"),
        (boxed([1, 2, 30, 10**400]), "box 1 is not four numbers"),
        (boxed([1, 2, 30, 40], [1, 2, 130, 40]), "box 2 is not inside the picture"),
        (boxed([-5, 2, 30, 40]), "box 1 is not inside the picture"),
        (boxed([10, 10, 11, 40]), "box 1 is under 2 pixels"),
        (boxed([30, 40, 1, 2]), "box 1 is under 2 pixels"),
        (boxed([1, 2, 30, 40], [5, 5, 9, 9], [1, 2, 30, 40]), "boxes 1 and 3 are"),
        (boxed(*[[0, 0, 9, 9]] * (MOST_BOXES + 1)), "at most 500 boxes"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(
    value: dict[str, Any], why: str
) -> None:
    with pytest.raises(RefusedAnswer, match=why):
        read(value)


corner = st.floats(0, 1000, width=32)


@given(st.lists(st.tuples(corner, corner, corner, corner)))
def test_what_is_stored_is_read_back_to_a_hundredth_of_a_pixel(
    boxes: list[tuple[float, float, float, float]],
) -> None:
    opinion = Opinion(as_boxes(boxes))
    again = stored_opinion(opinion.verdict, opinion.boxes_json()).boxes
    assert again is not None
    np.testing.assert_allclose(again, as_boxes(boxes), atol=0.00501)


def test_not_being_able_to_tell_is_stored_too() -> None:
    opinion = Opinion(None)
    assert stored_opinion(opinion.verdict, opinion.boxes_json()).boxes is None
