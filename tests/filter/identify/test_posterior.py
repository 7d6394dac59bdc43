from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from icf.catalogue.calibrations import Curve
from icf.filter.identify.posterior import (
    OTHER_WEIGHT,
    FloatArray,
    Gallery,
    Vectors,
    compare,
    posterior,
    prior_weights,
)

CURVE = Curve(14.0, -7.0)

_joint = arrays(np.float64, (5, 4), elements=st.floats(0, 1e12))


def unit(*numbers: float) -> Vectors:
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


def known(owner: list[int], *vectors: Vectors) -> Gallery:
    """Known faces; the first of each character is its reference."""
    rows = np.array(owner, np.int64)
    return Gallery(np.stack(vectors), rows, np.unique(rows, return_index=True)[1])


def of_own(cosine: float, rivals: tuple[float, ...] = ()) -> float:
    """P(own) of a face with these cosines to its own reference and to the others'."""
    ratios = np.exp(CURVE.log_odds(np.array([[cosine, *rivals]])))
    candidates = np.array([[True] + [False] * len(rivals)])
    return float(posterior(ratios * prior_weights(candidates)).characters[0, 0])


@given(_joint)
def test_all_characters_and_none_of_these_sum_to_one(joint: FloatArray) -> None:
    made = posterior(joint)
    assert np.allclose(made.characters.sum(axis=1) + made.none, 1)
    assert (made.characters >= 0).all()
    assert (made.none > 0).all()


@given(_joint, st.integers(0, 3), st.floats(0, 1e6))
def test_more_evidence_for_a_character_makes_it_likelier_and_the_others_less(
    joint: FloatArray, column: int, more: float
) -> None:
    before = posterior(joint)
    raised = joint.copy()
    raised[:, column] += more
    after = posterior(raised)
    tiny = 1e-12
    others = [each for each in range(4) if each != column]
    assert (after.characters[:, column] >= before.characters[:, column] - tiny).all()
    assert (after.characters[:, others] <= before.characters[:, others] + tiny).all()
    assert (after.none <= before.none + tiny).all()


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_nearer_face_is_likelier(one: float, other: float) -> None:
    near, far = max(one, other), min(one, other)
    assert of_own(near, (0.4,)) >= of_own(far, (0.4,))


@given(st.floats(-1, 1))
def test_without_rivals_it_is_the_calibrated_probability(cosine: float) -> None:
    assert of_own(cosine) == pytest.approx(float(CURVE.probability(cosine)))


def test_an_equally_similar_rival_takes_little_probability() -> None:
    assert of_own(0.8, (0.8,)) > 0.9
    assert of_own(0.8, (0.8,)) == pytest.approx(
        of_own(0.8) / (1 + OTHER_WEIGHT * of_own(0.8))
    )


def test_a_rival_that_is_far_likelier_takes_the_face() -> None:
    assert of_own(0.5) == pytest.approx(0.5)
    assert of_own(0.5, (0.6,)) > 0.4
    assert of_own(0.5, (0.95,)) < 0.1


def test_many_others_together_weigh_no_more_than_none_of_these() -> None:
    candidates = np.zeros((1, 101), bool)
    candidates[0, 0] = True
    assert prior_weights(candidates)[0, 1:].sum() == pytest.approx(1)
    assert prior_weights(np.array([[True, True, False]])).tolist() == [
        [1, 1, OTHER_WEIGHT]
    ]


def test_the_weights_of_a_characters_gallery_sum_to_one() -> None:
    some = known([0, 1, 1, 1, 2, 2], *(unit(1, each) for each in range(6)))
    shares = some.shares()
    assert np.allclose(np.bincount(some.owner, shares), 1)
    assert shares.tolist() == [1, 0.5, 0.25, 0.25, 0.5, 0.5]


def test_the_odds_of_each_face_count_for_its_character_alone() -> None:
    """Also in a large cast, where no face has a number for each character."""
    draw, count = np.random.default_rng(2), 3000
    owner = np.repeat(np.arange(count), draw.integers(1, 4, count))
    vectors = draw.normal(size=(len(owner), 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    some, probes = known(owner.tolist(), *vectors), vectors[:5]
    tracemalloc.start()
    made = compare(probes, some, CURVE).ratios
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used < 8 * len(owner) * count / 20
    weighed = np.exp(CURVE.log_odds(probes @ vectors.T)) * some.shares()
    for column in (0, 1, 1500, count - 1):
        assert np.allclose(made[:, column], weighed[:, owner == column].sum(axis=1))


def test_a_face_similar_only_to_a_confirmed_one_is_recognised() -> None:
    face = unit(0, 1, 0)[None]
    alone = compare(face, known([0], unit(1, 0, 0)), CURVE)
    more = compare(face, known([0, 0], unit(1, 0, 0), unit(0, 1, 0.1)), CURVE)
    assert alone.ratios[0, 0] < 0.01
    assert more.ratios[0, 0] > 100
    assert more.cosines.tolist() == [[0]]


@given(st.integers(1, 8))
def test_dissimilar_confirmed_faces_halve_the_odds_at_most(
    count: int,
) -> None:
    reference, face = unit(1, 0, 0), unit(1, 0.2, 0)[None]
    others = [unit(-1, 0, each) for each in range(count)]
    alone = compare(face, known([0], reference), CURVE).ratios
    more = compare(face, known([0] * (count + 1), reference, *others), CURVE).ratios
    assert more[0, 0] >= alone[0, 0] / 2


def test_a_confirmed_face_is_no_evidence_for_itself() -> None:
    face = unit(0, 1, 0)
    some = known([0, 0], unit(1, 0, 0), face)
    itself = np.array([1, -1])
    with_itself, as_another = compare(
        np.stack([face, face]), some, CURVE, itself
    ).ratios
    without = compare(face[None], known([0], unit(1, 0, 0)), CURVE).ratios
    assert with_itself[0] == pytest.approx(without[0, 0])
    assert as_another[0] > 100
