from __future__ import annotations

import numpy as np
import pytest

from icf.annotator_error import estimate


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.15])
def test_disagreements_tell_how_often_people_err(rate: float) -> None:
    draw = np.random.default_rng(0)
    wrong = draw.random((3000, 3)) < rate
    yes = np.where(draw.random(3000) < 0.5, wrong.sum(axis=1), 3 - wrong.sum(axis=1))
    found = estimate(np.stack([yes, 3 - yes], axis=1))
    assert found.rate == pytest.approx(rate, abs=0.012)
    assert found.low < found.rate < found.high < found.low + 0.03
    assert found.repeated == 3000


def test_without_repeated_answers_the_prior_is_stated() -> None:
    found = estimate(np.empty((0, 2), np.int64))
    assert found.rate == pytest.approx(0.03, abs=0.001)
    assert (round(found.low, 3), round(found.high, 2)) == (0.004, 0.11)
