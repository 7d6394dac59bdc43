"""The convention `coco` equals pycocotools, to the last bit."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icf.dataset.scores.detection.coco import CocoSummary
from icf.dataset.scores.detection.score import score_detection, score_found
from icf.dataset.scores.detection.truth import Found, Truth
from tests.dataset.scores.detection.made import (
    Bools,
    found_of,
    pycocotools,
    random_set,
    truth_of,
)

#: Sizes of boxes that reach into all three ranges of COCO.
SCALES = (1, 3, 8)


def as_pycocotools_says(summary: CocoSummary) -> list[float]:
    return [-1.0 if value is None else value for value in astuple(summary)]


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.integers(1, 5),
    st.sampled_from(SCALES),
)
def test_all_figures_equal_pycocotools_bit_for_bit(
    seed: int, pictures: int, crowded: int, scale: int
) -> None:
    boxes, found = random_set(seed, pictures, crowded, scale)
    # Half of the boxes' corners are fractions, whose sums round.
    boxes = replace(boxes, corners=boxes.corners / 0.7)
    found = replace(found, corners=found.corners / 0.7)
    crowd: Bools = np.random.default_rng(seed).random(len(boxes.picture)) < 0.2
    crowd[-1] = False
    if len(found.scores):
        truth = replace(Truth.of(boxes), crowd=crowd)
        score = score_found(truth, Found.of(truth, found)).score
        expected = pycocotools(boxes, found, crowd)
        assert as_pycocotools_says(score.coco_summary) == expected
        assert score.coco == expected[1]


def test_only_the_best_hundred_of_a_picture_count() -> None:
    rng = np.random.default_rng(5)
    truth = truth_of([(0, [10 * i, 0, 10 * i + 8, 8]) for i in range(150)], 2)
    rows = [
        (0, [10 * i, 0, 10 * i + 8, int(rng.integers(5, 9))], float(rng.random()))
        for i in rng.permutation(150).tolist()
    ]
    rows += [(1, [0, 0, 5, 5], 0.5)] * 130
    found = found_of(rows, truth)
    score = score_detection(truth, found)
    assert as_pycocotools_says(score.coco_summary) == pycocotools(truth, found)
    assert score.coco < score.voc_all_point


def test_a_size_that_no_box_has_gives_no_figure() -> None:
    truth = truth_of([(0, [0, 0, 9, 9])], 1)
    found = found_of([(0, [0, 0, 9, 9], 1.0)], truth)
    summary = score_detection(truth, found).coco_summary
    assert summary.ap_small == pytest.approx(1)
    assert (summary.ap_medium, summary.ap_large, summary.ar_large) == (None,) * 3
