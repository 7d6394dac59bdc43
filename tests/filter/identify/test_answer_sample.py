from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from icf.catalogue.calibrations import Curve
from icf.filter.identify.answer_sample import draw
from icf.filter.identify.calibration import calibrate
from tests.filter.identify.test_calibration import CARD, drawn_answers

LIMIT = "icf.filter.identify.answer_sample.MAX_TERMS"


def test_questions_that_fit_are_all_used() -> None:
    assert draw(np.full(1000, 20_000), np.arange(1000) < 9).tolist() == [1] * 1000
    assert draw(np.empty(0, np.int64), np.empty(0, bool)).tolist() == []


def test_of_more_a_part_stands_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LIMIT, 2000)
    terms, random = np.repeat([3, 7], 500), np.arange(1000) % 20 == 0
    made = draw(terms, random)
    assert 1900 < terms[made > 0].sum() <= 2000
    # Those that were drawn at random are few, and say most.
    assert (made[random] == 1).all()
    assert made[~random].sum() == pytest.approx(950)
    assert len(set(made[~random].tolist())) == 2
    assert made.tolist() == draw(terms, random).tolist()


def test_a_question_that_does_not_fit_alone_leaves_room_for_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LIMIT, 100)
    terms = np.ones(200, np.int64)
    terms[::2] = 101
    made = draw(terms, np.zeros(200, bool))
    assert (made[::2] == 0).all()
    assert (made[1::2] == 2).all()


def test_what_is_fitted_to_a_part_is_near_what_is_fitted_to_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LIMIT, 3000)
    random = np.arange(20_000) % 20 == 0
    weights = np.where(random, 20.0, 1.0)
    answers = replace(drawn_answers(Curve(20.0, -13.0), 20_000), weights=weights)
    stands_for = draw(np.ones(20_000, np.int64), random)
    drawn = stands_for > 0
    part = replace(
        answers.take(drawn),
        weights=(weights * stands_for)[drawn],
        stands_for=stands_for[drawn],
    )
    assert len(part.same) == 3000
    whole, found = calibrate(answers, CARD), calibrate(part, CARD)
    assert found.curve.slope == pytest.approx(whole.curve.slope, rel=0.06)
    assert found.curve.even == pytest.approx(whole.curve.even, abs=0.01)
    assert found.card.error == pytest.approx(whole.card.error, abs=0.02)
    assert found.gain.value == pytest.approx(whole.gain.value, rel=0.15)
    assert found.improves
