from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from icf.filter.identify.assignment import averaged, filed
from icf.filter.identify.posterior import Numbers, posterior

_odds = arrays(np.float64, (4, 3), elements=st.floats(1e-6, 1e6))
_pairs = list(itertools.combinations(range(4), 2))


def all_open(joint: Numbers) -> np.ndarray:
    return np.ones(joint.shape, bool)


def test_the_faces_of_a_track_get_the_average_of_their_ratios() -> None:
    ratios = np.array([[8.0, 0], [0, 1], [2, 3]])
    assert averaged(ratios, np.array([0, 1, 0])).tolist() == [[5, 1.5], [0, 1]]


@given(arrays(np.float64, (6, 2), elements=st.floats(0, 100)))
def test_a_track_is_never_likelier_than_its_best_frame(ratios: Numbers) -> None:
    one = averaged(ratios, np.zeros(6, np.int64))
    assert (one <= ratios.max(axis=0) + 1e-9).all()
    assert (one >= ratios.max(axis=0) / 6 - 1e-9).all()


@given(_odds)
def test_faces_without_links_are_filed_under_their_likeliest(joint: Numbers) -> None:
    made = filed(joint, all_open(joint), [], 0.1)
    assert made.column.tolist() == joint.argmax(axis=1).tolist()
    assert np.allclose(made.probability.characters, posterior(joint).characters)
    best = made.probability.characters.max(axis=1)
    assert made.kept.tolist() == (best >= 0.1).tolist()
    assert (made.taken_by == -1).all()


@given(_odds, st.sets(st.sampled_from(_pairs)), st.floats(0.01, 0.9))
def test_no_two_that_are_apart_are_kept_under_one_character(
    joint: Numbers, apart: set[tuple[int, int]], enough: float
) -> None:
    made = filed(joint, all_open(joint), apart, enough)
    for one, other in apart:
        both = made.kept[one] and made.kept[other]
        assert not (both and made.column[one] == made.column[other])
    sums = made.probability.characters.sum(axis=1) + made.probability.none
    assert np.allclose(sums, 1)


@given(_odds, st.permutations(range(4)), st.sets(st.sampled_from(_pairs)))
def test_the_order_of_the_faces_changes_nothing(
    joint: Numbers, order: list[int], apart: set[tuple[int, int]]
) -> None:
    place = {each: at for at, each in enumerate(order)}
    one = filed(joint, all_open(joint), apart, 0.1)
    other = filed(
        joint[order],
        all_open(joint),
        [(place[a], place[b]) for a, b in apart],
        0.1,
    )
    best = one.probability.characters.max(axis=1)
    if len(set(best.tolist())) == len(best):
        assert other.column.tolist() == one.column[order].tolist()
        assert other.kept.tolist() == one.kept[order].tolist()


def test_the_likelier_face_of_a_frame_keeps_its_character() -> None:
    joint = np.array([[9.0, 0.01], [99.0, 2.0]])
    made = filed(joint, all_open(joint), [(0, 1)], 0.1)
    assert made.column.tolist() == [1, 0]
    assert made.kept.tolist() == [False, True]
    assert made.taken_by.tolist() == [1, -1]


def test_the_other_takes_its_next_best() -> None:
    joint = np.array([[9.0, 3.0], [99.0, 2.0]])
    made = filed(joint, all_open(joint), [(0, 1)], 0.1)
    assert made.column.tolist() == [1, 0]
    assert made.kept.tolist() == [True, True]


def test_a_face_that_is_left_nothing_is_out_under_what_it_was_most_like() -> None:
    joint = np.array([[9.0, 50.0], [99.0, 2.0]])
    candidates = np.array([[True, False], [True, False]])
    made = filed(joint, candidates, [(0, 1)], 0.0)
    assert made.column.tolist() == [0, 0]
    assert made.kept.tolist() == [False, True]


@pytest.mark.parametrize("odds", [(9.0, 9.0), (9.0, 99.0, 3.0), (0.1, 5.0, 5.0, 8.0)])
def test_at_most_one_of_a_frame_is_exact(odds: tuple[float, ...]) -> None:
    """Counted over every way in which at most one of the faces is the character."""
    joint = np.array(odds)[:, None]
    apart = list(itertools.combinations(range(len(odds)), 2))
    made = filed(joint, all_open(joint), apart, 0.1)
    ways = [1.0, *odds]
    expected = [each / sum(ways) for each in odds]
    assert made.probability.characters[:, 0] == pytest.approx(expected)


def test_a_candidate_alone_may_be_filed_under() -> None:
    joint = np.array([[1.0, 50.0]])
    made = filed(joint, np.array([[True, False]]), [], 0.01)
    assert (made.column[0], made.probability.characters[0, 1] > 0.9) == (0, True)
