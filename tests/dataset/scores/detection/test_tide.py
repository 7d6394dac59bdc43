"""The cost of errors, compared with an independent account of TIDE."""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.dataset.scores.detection.score import score_found
from icf.dataset.scores.detection.tide import Cause, Errors, find_errors
from icf.dataset.scores.detection.truth import Found, Truth
from icf.icartoonface.detection import DetectionBoxes, Detections
from tests.dataset.scores.detection.made import (
    coco_results,
    coco_truth,
    found_of,
    random_set,
    truth_of,
)


def errors_of(
    boxes: DetectionBoxes,
    detections: Detections,
    others: DetectionBoxes | None = None,
) -> Errors:
    truth = replace(Truth.of(boxes), others=others)
    found = Found.of(truth, detections)
    scored = score_found(truth, found)
    return find_errors(truth, found, scored.overlaps, scored.coco)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 5))
def test_counts_and_costs_equal_those_of_hotcoco(
    seed: int, pictures: int, crowded: int
) -> None:
    from hotcoco import COCO, COCOeval

    boxes, found = random_set(seed, pictures, crowded, scale=3)
    if not len(found.scores):
        return
    # No two scores and no two overlaps are equal: programs break such ties differently.
    rng = np.random.default_rng(seed)
    found = replace(
        found,
        corners=found.corners + rng.random(found.corners.shape) / 50,
        scores=(1 + rng.permutation(len(found.scores))) / (len(found.scores) + 2),
    )
    costs = errors_of(boxes, found).costs
    none = np.zeros(len(boxes.picture), np.bool_)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(coco_truth(boxes, none))
        evaluation = COCOeval(truth, truth.loadRes(coco_results(found)), "bbox")
        evaluation.evaluate()
        expected = evaluation.tide_errors()
    assert costs.ap == pytest.approx(expected["ap_base"], abs=1e-12)
    for name, ours in (
        ("Loc", costs.localisation),
        ("Dupe", costs.duplicate),
        ("Bkg", costs.background),
        ("Miss", costs.missed),
    ):
        assert ours.count == expected["counts"][name]
        assert ours.ap == pytest.approx(expected["delta_ap"][name], abs=1e-12)
    for name, ours in (("FP", costs.false_positives), ("FN", costs.false_negatives)):
        assert ours.ap == pytest.approx(expected["delta_ap"][name], abs=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_boxes_of_another_kind_are_told_apart_as_hotcoco_does(
    seed: int, pictures: int
) -> None:
    from hotcoco import COCO, COCOeval

    boxes, found = random_set(seed, pictures, 4, scale=3)
    rng = np.random.default_rng(seed)
    other = rng.random(len(boxes.picture)) < 0.4
    if not len(found.scores) or other.all() or not other.any():
        return
    found = replace(
        found,
        corners=found.corners + rng.random(found.corners.shape) / 50,
        scores=(1 + rng.permutation(len(found.scores))) / (len(found.scores) + 2),
    )
    content = coco_truth(boxes, np.zeros(len(boxes.picture), np.bool_))
    content["categories"].append({"id": 2, "name": "human"})
    for row, is_other in zip(content["annotations"], other.tolist(), strict=True):
        row["category_id"] = 2 if is_other else 1
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(content)
        evaluation = COCOeval(truth, truth.loadRes(coco_results(found)), "bbox")
        evaluation.evaluate()
        expected = evaluation.tide_errors()["counts"]

    def part(some: npt.NDArray[np.bool_]) -> DetectionBoxes:
        return replace(boxes, picture=boxes.picture[some], corners=boxes.corners[some])

    costs = errors_of(part(~other), found, part(other)).costs
    assert {
        "Cls": costs.causes["classification"].count,
        "Both": costs.causes["both"].count,
        "Loc": costs.localisation.count,
        "Dupe": costs.duplicate.count,
        "Bkg": costs.background.count,
    } == {name: expected[name] for name in ("Cls", "Both", "Loc", "Dupe", "Bkg")}


def test_a_face_of_another_kind_costs_what_its_box_hides() -> None:
    truth, human = (
        truth_of([(0, [0, 0, 10, 10])], 1),
        truth_of([(0, [50, 0, 60, 10])], 1),
    )
    rows = [(0, [50.0, 0, 60, 10], 0.9), (0, [0.0, 0, 10, 10], 0.5)]
    costs = errors_of(truth, found_of(rows, truth), human).costs
    assert costs.classification is not None
    assert costs.classification.count == 1
    assert costs.classification.ap == pytest.approx(0.5)
    assert errors_of(truth, found_of(rows, truth)).costs.classification is None


def test_each_false_box_and_each_lost_face_has_one_cause() -> None:
    truth = truth_of([(0, [0, 0, 10, 10]), (0, [100, 0, 110, 10])], 2)
    rows = [
        (0, [0.0, 0, 10, 10], 0.9),  # the first face
        (0, [0.0, 0, 10, 9], 0.8),  # again
        (0, [0.0, 4, 10, 14], 0.7),  # IoU 6/14 with it
        (0, [50.0, 50, 60, 60], 0.6),  # nothing is there
        (1, [0.0, 0, 10, 10], 0.5),  # nor here
    ]
    errors = errors_of(truth, found_of(rows, truth))
    assert errors.cause.tolist() == [
        Cause.TRUE,
        Cause.DUPLICATE,
        Cause.LOCALISATION,
        Cause.BACKGROUND,
        Cause.BACKGROUND,
    ]
    assert errors.missed.tolist() == [1]
    # Without the missed face recall is 1, not 1/2, at a precision of 1.
    assert errors.costs.missed.ap == pytest.approx(50 / 101)
    assert errors.costs.background.ap == 0


def test_a_badly_placed_box_of_a_free_face_is_no_missed_face() -> None:
    truth = truth_of([(0, [0, 0, 10, 10])], 1)
    errors = errors_of(truth, found_of([(0, [0, 4, 10, 14], 0.7)], truth))
    assert len(errors.missed) == 0
    assert errors.costs.localisation.ap == pytest.approx(1)
