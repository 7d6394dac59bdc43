from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from icf.filter.identify.assignment import assign, average_tracks
from icf.filter.identify.posterior import FloatArray, posterior

_odds = arrays(np.float64, (4, 3), elements=st.floats(1e-6, 1e6))
_pairs = list(itertools.combinations(range(4), 2))


def all_allowed(joint: FloatArray) -> np.ndarray:
    return np.ones(joint.shape, bool)


def test_the_faces_of_a_track_get_the_average_of_their_ratios() -> None:
    ratios = np.array([[8.0, 0], [0, 1], [2, 3]])
    assert average_tracks(ratios, np.array([0, 1, 0])).tolist() == [[5, 1.5], [0, 1]]


@given(arrays(np.float64, (6, 2), elements=st.floats(0, 100)))
def test_a_track_is_never_likelier_than_its_best_frame(ratios: FloatArray) -> None:
    one = average_tracks(ratios, np.zeros(6, np.int64))
    assert (one <= ratios.max(axis=0) + 1e-9).all()
    assert (one >= ratios.max(axis=0) / 6 - 1e-9).all()


@given(_odds)
def test_faces_without_links_get_their_likeliest_character(joint: FloatArray) -> None:
    made = assign(joint, all_allowed(joint), [], 0.1)
    assert made.column.tolist() == joint.argmax(axis=1).tolist()
    assert np.allclose(made.probability.characters, posterior(joint).characters)
    best = made.probability.characters.max(axis=1)
    assert made.kept.tolist() == (best >= 0.1).tolist()
    assert (made.taken_by == -1).all()


@given(_odds, st.sets(st.sampled_from(_pairs)), st.floats(0.01, 0.9))
def test_no_two_faces_that_cannot_link_are_kept_under_one_character(
    joint: FloatArray, cannot_link: set[tuple[int, int]], min_probability: float
) -> None:
    made = assign(joint, all_allowed(joint), cannot_link, min_probability)
    for one, other in cannot_link:
        both = made.kept[one] and made.kept[other]
        assert not (both and made.column[one] == made.column[other])
    sums = made.probability.characters.sum(axis=1) + made.probability.none
    assert np.allclose(sums, 1)


@given(_odds, st.permutations(range(4)), st.sets(st.sampled_from(_pairs)))
def test_the_order_of_the_faces_changes_nothing(
    joint: FloatArray, order: list[int], cannot_link: set[tuple[int, int]]
) -> None:
    place = {each: at for at, each in enumerate(order)}
    one = assign(joint, all_allowed(joint), cannot_link, 0.1)
    other = assign(
        joint[order],
        all_allowed(joint),
        [(place[a], place[b]) for a, b in cannot_link],
        0.1,
    )
    best = one.probability.characters.max(axis=1)
    if len(set(best.tolist())) == len(best):
        assert other.column.tolist() == one.column[order].tolist()
        assert other.kept.tolist() == one.kept[order].tolist()


def test_the_likelier_face_of_a_frame_keeps_its_character() -> None:
    joint = np.array([[9.0, 0.01], [99.0, 2.0]])
    made = assign(joint, all_allowed(joint), [(0, 1)], 0.1)
    assert made.column.tolist() == [1, 0]
    assert made.kept.tolist() == [False, True]
    assert made.taken_by.tolist() == [1, -1]


def test_the_other_face_gets_its_next_best_candidate() -> None:
    joint = np.array([[9.0, 3.0], [99.0, 2.0]])
    made = assign(joint, all_allowed(joint), [(0, 1)], 0.1)
    assert made.column.tolist() == [1, 0]
    assert made.kept.tolist() == [True, True]


def test_a_face_without_a_free_candidate_is_dropped_under_its_likeliest() -> None:
    joint = np.array([[9.0, 50.0], [99.0, 2.0]])
    candidates = np.array([[True, False], [True, False]])
    made = assign(joint, candidates, [(0, 1)], 0.0)
    assert made.column.tolist() == [0, 0]
    assert made.kept.tolist() == [False, True]


@pytest.mark.parametrize("odds", [(9.0, 9.0), (9.0, 99.0, 3.0), (0.1, 5.0, 5.0, 8.0)])
def test_at_most_one_of_a_frame_is_exact(odds: tuple[float, ...]) -> None:
    """Counted over every way in which at most one of the faces is the character."""
    joint = np.array(odds)[:, None]
    cannot_link = list(itertools.combinations(range(len(odds)), 2))
    made = assign(joint, all_allowed(joint), cannot_link, 0.1)
    ways = [1.0, *odds]
    expected = [each / sum(ways) for each in odds]
    assert made.probability.characters[:, 0] == pytest.approx(expected)


def test_only_candidates_are_assigned() -> None:
    joint = np.array([[1.0, 50.0]])
    made = assign(joint, np.array([[True, False]]), [], 0.01)
    assert (made.column[0], made.probability.characters[0, 1] > 0.9) == (0, True)
