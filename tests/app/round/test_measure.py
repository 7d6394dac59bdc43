from __future__ import annotations

import numpy as np
import pytest

from icf.app.round import status
from icf.app.round.measure import changes, label_error
from icf.catalogue.calibrations import Curve
from icf.filter.identify.calibration import Answers
from tests.filter.identify.evidence import of_cosines

#: Even odds at a cosine of one half.
CURVE = Curve(20.0, -10.0)


def answers(
    cosines: list[float], same: list[bool], weights: list[float], wrong: float = 0.0
) -> Answers:
    count = len(cosines)
    return Answers(
        of_cosines(np.array(cosines)),
        np.array(same),
        np.arange(count),
        np.full(count, wrong),
        np.array(weights),
    )


def test_each_answer_counts_for_the_faces_that_it_stands_for() -> None:
    some = answers([0.9, 0.9, 0.1, 0.1], [True, False, False, True], [10, 1, 8, 1])
    found = label_error(some, CURVE)
    assert found is not None
    assert found.value == pytest.approx(2 / 20)
    assert 0 <= found.low < found.value < found.high


def test_peoples_own_errors_are_taken_out() -> None:
    """100 answers of which 3 differ, where people are wrong 3 times of 100."""
    same = [True] * 97 + [False] * 3
    found = label_error(answers([0.9] * 100, same, [1] * 100, wrong=0.03), CURVE)
    assert found is not None
    assert found.value == pytest.approx(0, abs=1e-9)
    assert found.high > 0


def test_answers_that_stand_for_nothing_tell_nothing() -> None:
    assert label_error(answers([0.9], [True], [0.0]), CURVE) is None


def test_another_curve_decides_otherwise() -> None:
    some = answers([0.6] * 5, [False] * 5, [1] * 5)
    for curve, value in ((CURVE, 1.0), (Curve(20.0, -15.0), 0.0)):
        found = label_error(some, curve)
        assert found is not None
        assert found.value == value


def test_what_changed_is_a_difference_of_counts() -> None:
    before, after = {"to_ask": 90, "accepted": 3}, {"to_ask": 60, "accepted": 25}
    assert changes(before, after, 2.5) == {
        "questions_saved": 30,
        "seconds_saved": 75.0,
        "became_sure": 22,
    }


def test_a_few_questions_more_are_no_minutes() -> None:
    changed = {"questions_saved": -2, "seconds_saved": -9.0, "became_sure": 0}
    nothing = dict.fromkeys(("label_error", "accepted_error", "calibration"))
    summary = {"changes": changed, "before": nothing, "after": nothing}
    [row, *_] = status._changed(summary)
    assert row == ("questions saved", "-2 (0 minutes)")
