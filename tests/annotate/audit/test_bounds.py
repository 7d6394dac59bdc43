"""Bounds are held against published numbers, exact fractions, and all outcomes."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.audit.bounds import (
    finite_bound,
    finite_size,
    sample_size,
    upper_bound,
)

CONFIDENCE = 0.95


def hypergeometric(found: int, checked: int, labels: int, wrong: int) -> Fraction:
    """The exact probability of finding so many of the wrong labels."""
    ways = comb(wrong, found) * comb(labels - wrong, checked - found)
    return Fraction(ways, comb(labels, checked))


@pytest.mark.parametrize(
    ("max_error", "sizes"),
    [(0.05, [59, 93, 124, 208, 336]), (0.01, [299, 473, 628, 1049, 1693])],
)
def test_the_samples_that_prove_five_and_one_percent_are_the_known_ones(
    max_error: float, sizes: list[int]
) -> None:
    found = [sample_size(max_error, CONFIDENCE, each) for each in (0, 1, 2, 5, 10)]
    assert found == sizes


@given(st.integers(0, 12), st.integers(1, 400), st.sampled_from([0.9, 0.95, 0.99]))
def test_at_the_bound_so_few_errors_are_as_unlikely_as_the_confidence_says(
    errors: int, more: int, confidence: float
) -> None:
    checked = errors + more
    share = Fraction(upper_bound(errors, checked, confidence))
    tail = sum(
        comb(checked, each) * share**each * (1 - share) ** (checked - each)
        for each in range(errors + 1)
    )
    assert float(tail) == pytest.approx(1 - confidence, rel=1e-9)


@given(st.data(), st.integers(1, 24))
def test_the_finite_bound_covers_whatever_is_wrong_in_a_small_population(
    data: st.DataObject, labels: int
) -> None:
    checked = data.draw(st.integers(1, labels))
    bounds = [finite_bound(e, checked, labels, CONFIDENCE) for e in range(checked + 1)]
    for wrong in range(labels + 1):
        possible = range(max(0, checked - labels + wrong), min(wrong, checked) + 1)
        covered = sum(
            hypergeometric(each, checked, labels, wrong)
            for each in possible
            if bounds[each] >= wrong / labels
        )
        assert covered >= Fraction(95, 100)


@given(st.data(), st.integers(1, 24))
def test_clopper_pearson_covers_also_without_replacement(
    data: st.DataObject, labels: int
) -> None:
    checked = data.draw(st.integers(1, labels))
    bounds = [upper_bound(e, checked, CONFIDENCE) for e in range(checked + 1)]
    for wrong in range(labels + 1):
        possible = range(max(0, checked - labels + wrong), min(wrong, checked) + 1)
        covered = sum(
            hypergeometric(each, checked, labels, wrong)
            for each in possible
            if bounds[each] >= wrong / labels
        )
        assert covered >= Fraction(95, 100)


@pytest.mark.parametrize("labels", [1, 7, 40, 300, 5_000])
@pytest.mark.parametrize("allowed", [0, 1, 5])
@pytest.mark.parametrize("max_error", [0.01, 0.05])
def test_the_finite_size_is_the_least_that_proves_the_error(
    labels: int, allowed: int, max_error: float
) -> None:
    checked, errors = finite_size(max_error, CONFIDENCE, allowed, labels)
    assert checked <= labels
    assert errors <= allowed
    assert finite_bound(errors, checked, labels, CONFIDENCE) <= max_error
    if checked - 1 > errors:
        assert finite_bound(errors, checked - 1, labels, CONFIDENCE) > max_error


def test_of_very_many_labels_the_finite_size_is_nearly_that_of_clopper_pearson() -> (
    None
):
    assert finite_size(0.01, CONFIDENCE, 0, 10_000_000) == (299, 0)


def test_whoever_checked_every_label_knows_the_share() -> None:
    assert finite_bound(2, 50, 50, CONFIDENCE) == 2 / 50


def test_nothing_checked_proves_nothing() -> None:
    assert upper_bound(0, 0, CONFIDENCE) == 1.0
    assert finite_bound(0, 0, 10, CONFIDENCE) == 1.0
