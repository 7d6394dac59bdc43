from __future__ import annotations

from icf.codes import SuspectedBox
from icf.dataset.scores.detection.evaluation import evaluate
from icf.dataset.scores.detection.truth import Found, Truth
from tests.dataset.scores.detection.made import found_of, truth_of


def test_suspects_are_sure_boxes_without_truth_untouched_truth_and_doubles() -> None:
    boxes = truth_of(
        [
            (0, [0, 0, 50, 50]),
            (0, [0, 0, 50, 49]),
            (1, [100, 100, 140, 140]),
            (1, [0, 0, 20, 20]),
        ],
        2,
    )
    rows = [
        (0, [0.0, 0, 50, 50], 0.9),
        (1, [200.0, 0, 240, 40], 0.95),  # sure, and nothing is there
        (1, [300.0, 0, 340, 40], 0.1),  # not sure
        (1, [105.0, 100, 140, 140], 0.92),
    ]
    truth = Truth.of(boxes)
    made = evaluate(truth, Found.of(truth, found_of(rows, boxes)), draws=0).suspects
    first, second = boxes.pictures
    assert [(each.reason, each.picture, each.corners) for each in made] == [
        (SuspectedBox.NO_BOX, second, (200, 0, 240, 40)),
        (SuspectedBox.UNTOUCHED, second, (0, 0, 20, 20)),
        (SuspectedBox.TWICE, first, (0, 0, 50, 49)),
    ]
    assert [each.score for each in made[:2]] == [0.95, 1.0]
    assert made[2].other == (0, 0, 50, 50)
    assert 0.97 < made[2].score < 1


def test_without_detections_every_true_box_is_untouched() -> None:
    boxes = truth_of([(0, [0, 0, 9, 9])], 1)
    truth = Truth.of(boxes)
    made = evaluate(truth, Found.of(truth, found_of([], boxes)), draws=10)
    assert [each.reason for each in made.suspects] == [SuspectedBox.UNTOUCHED]
    assert made.points == {}
    assert made.values()["official"] == 0
