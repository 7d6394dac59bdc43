from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from icf.dataset.formats.icartoonface.lines import align

NAMES = st.lists(st.integers(0, 12).map(str), max_size=12)


def test_a_line_that_is_lost_is_the_only_difference() -> None:
    found = align(["a", "c", "d"], ["a", "b", "c", "d"])
    assert found.missing == [1]
    assert (found.added, found.repeated, found.moved) == ([], [], frozenset())


def test_a_line_that_was_moved_is_the_only_one_out_of_order() -> None:
    assert align(list("bcdea"), list("abcde")).moved == {4}
    assert align(list("eabcd"), list("abcde")).moved == {0}


@given(NAMES, NAMES.map(lambda some: list(dict.fromkeys(some))))
def test_every_line_and_every_row_is_told_once(
    listed: list[str], meant: list[str]
) -> None:
    found = align(listed, meant)
    places = [place for place, _ in found.pairs]
    assert sorted([*places, *found.added, *found.repeated]) == list(range(len(listed)))
    rows = [row for _, row in found.pairs]
    assert sorted([*rows, *found.missing]) == list(range(len(meant)))
    assert all(listed[place] == meant[row] for place, row in found.pairs)
    stay = [row for place, row in found.pairs if place not in found.moved]
    assert stay == sorted(stay)
