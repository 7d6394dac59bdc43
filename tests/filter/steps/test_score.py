from __future__ import annotations

import pytest

from icf.catalogue.catalogue import Catalogue
from icf.filter.steps.score import Score
from tests.filter.rows import DETECTOR, add_album, add_face, add_image


@pytest.mark.parametrize(("score", "reason"), [(0.49, "low_score"), (0.5, "ok")])
def test_a_face_under_the_least_score_is_out(
    catalogue: Catalogue, score: float, reason: str
) -> None:
    [tom] = add_album(catalogue, "Tom")
    face_id = add_face(catalogue, add_image(catalogue, tom), tom, score=score)
    step = Score(0.5)
    with catalogue.read() as connection:
        [outcome] = step.judge(step.select(connection, [face_id]))
    assert (outcome.reason, outcome.passed) == (reason, reason == "ok")
    assert (outcome.value, outcome.threshold) == (score, 0.5)
    assert outcome.model == DETECTOR
