from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.errors import WrongUse
from icf.models.training.adaptation.composition import CARTOON, HUMAN, compose


def test_each_half_is_three_quarters_its_own_and_a_quarter_the_others_unlabelled() -> (
    None
):
    batch = compose(0, 1, humans=100, cartoons=300, batch=64)
    for domain, other in ((HUMAN, CARTOON), (CARTOON, HUMAN)):
        known = (batch.domains == domain) & batch.labelled
        foreign = (batch.domains == other) & ~batch.labelled
        assert known.sum() == 24
        assert foreign.sum() == 8
    assert len(batch.pictures) == 64


@given(
    seed=st.integers(0, 99),
    humans=st.integers(1, 30),
    cartoons=st.integers(1, 30),
    half=st.integers(1, 12),
)
def test_every_picture_comes_once_before_any_comes_twice(
    seed: int, humans: int, cartoons: int, half: int
) -> None:
    batches = [compose(step, seed, humans, cartoons, 2 * half) for step in range(9)]
    for domain, count in ((HUMAN, humans), (CARTOON, cartoons)):
        stream = np.concatenate([b.pictures[b.domains == domain] for b in batches])
        for first in range(0, len(stream) - count + 1, count):
            assert sorted(stream[first : first + count]) == list(range(count))
        assert set(stream) <= set(range(count))


def test_a_batch_depends_on_step_and_seed_alone() -> None:
    one = compose(7, 3, 40, 50, 16)
    compose(8, 4, 40, 50, 16)
    other = compose(7, 3, 40, 50, 16)
    assert np.array_equal(one.pictures, other.pictures)
    assert not np.array_equal(one.pictures, compose(7, 4, 40, 50, 16).pictures)
    assert not np.array_equal(one.pictures, compose(8, 3, 40, 50, 16).pictures)


def test_without_unlabelled_pictures_every_picture_has_its_label() -> None:
    assert compose(0, 1, 10, 10, 8, unlabelled=0.0).labelled.all()


@pytest.mark.parametrize(
    ("humans", "batch", "message"),
    [(0, 8, "there are 0 human"), (5, 7, "even number"), (5, 0, "even number")],
)
def test_what_cannot_be_composed_is_said(humans: int, batch: int, message: str) -> None:
    with pytest.raises(WrongUse, match=message):
        compose(0, 1, humans, 10, batch)
