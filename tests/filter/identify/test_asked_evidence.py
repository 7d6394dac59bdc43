from __future__ import annotations

import tracemalloc

import numpy as np

from icf.catalogue.calibrations import Curve
from icf.filter.identify.asked_evidence import AskedEvidence
from icf.filter.identify.posterior import IntArray

CURVE = Curve(14.0, -7.0)


def drawn(terms: IntArray) -> AskedEvidence:
    """Questions with some terms each, shape (n,), drawn at random."""
    rng = np.random.default_rng(1)
    question = np.repeat(np.arange(len(terms)), terms)
    return AskedEvidence(
        np.arange(len(terms)),
        question,
        rng.normal(0.5, 0.2, len(question)),
        rng.random(len(question)),
        rng.random(len(question)) < 0.25,
    )


def test_many_questions_give_what_each_gives_alone() -> None:
    # Some have more terms than are computed at a time.
    terms = np.array([1, 7, 40_000, 3, 1, *range(1, 400), 20_000, 5])
    asked = drawn(terms)
    probability, by_curve = asked.gradient(CURVE)
    for each in range(len(terms)):
        alone, alone_by_curve = asked.take(asked.rows == each).gradient(CURVE)
        assert alone[0] == probability[each]
        assert np.array_equal(alone_by_curve[:, 0], by_curve[:, each])


def test_without_questions_there_is_no_probability() -> None:
    probability, by_curve = drawn(np.empty(0, np.int64)).gradient(CURVE)
    assert (probability.shape, by_curve.shape) == ((0,), (2, 0))


def test_computing_probabilities_takes_little_memory_a_term() -> None:
    asked = drawn(np.full(10_000, 50))
    asked.gradient(CURVE)
    tracemalloc.start()
    asked.gradient(CURVE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * len(asked.cosine)
