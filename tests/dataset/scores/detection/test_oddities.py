from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from icf.dataset.scores.detection.oddities import Oddities, find_oddities
from icf.dataset.scores.detection.truth import Found, Truth
from icf.errors import BadInput
from tests.dataset.scores.detection.made import found_of, truth_of


def test_each_oddity_is_counted() -> None:
    boxes = truth_of(
        [
            (0, [0, 0, 9, 9]),
            (0, [0, 0, 9, 9]),
            (1, [9, 9, 0, 0]),
            (1, [0, 0, 50, 9]),
            (2, [0, 0, 1, 1]),
        ],
        3,
    )
    rows = [
        (0, [0.0, 0, 9, 9], 0.5),
        (0, [0.0, 0, 9, 9], 0.7),
        (1, [-9.0, 0, 9, 9], 0.9),
        (1, [3.0, 3, 3, 9], 0.9),
        (2, [0.0, 0, 99, 99], 0.1),
        (2, [0.2, 0.3, 0.4, 0.9], 0.1),
    ]
    truth = replace(Truth.of(boxes), size=np.array([[9, 9], [20, 20], [0, 0]]))
    odd = find_oddities(truth, Found.of(truth, found_of(rows, boxes)))
    assert odd == Oddities(
        repeated_boxes=1,
        repeated_detections=0,
        flat_boxes=1,
        flat_detections=1,
        tiny_boxes=1,
        tiny_detections=1,
        boxes_outside=1,
        detections_outside=1,
        unsorted_pictures=1,
    )
    assert len(list(odd.messages())) == 7
    assert any("shares of the picture" in each for each in odd.messages())


def test_a_file_of_a_part_of_the_pictures_is_said_to_miss_the_others() -> None:
    boxes = truth_of([(0, [0, 0, 9, 9]), (1, [0, 0, 9, 9]), (1, [1, 1, 9, 9])], 3)
    truth = Truth.of(boxes)
    found = Found.of(truth, found_of([(0, [0.0, 0, 9, 9], 0.5)], boxes))
    odd = find_oddities(truth, found)
    assert odd.undetected_pictures == 1
    assert "nothing was detected in 1 of the pictures" in " ".join(odd.messages())
    # The third picture has no face; a crowd is nothing that must be found.
    ignored = replace(truth, crowd=np.array([False, True, True]))
    assert find_oddities(ignored, found).undetected_pictures == 0


def test_sound_boxes_need_no_message() -> None:
    boxes = truth_of([(0, [0, 0, 9, 9])], 1)
    truth = replace(Truth.of(boxes), size=np.array([[9, 9]]))
    rows = [(0, [-0.5, 0, 9.5, 9], 0.5), (0, [0.0, 0, 9, 9], 0.5)]
    odd = find_oddities(truth, Found.of(truth, found_of(rows, boxes)))
    assert list(odd.messages()) == []


def test_corners_that_no_picture_has_are_refused() -> None:
    boxes = truth_of([(0, [0, 0, 9, 9])], 1)
    found = found_of([(0, [0, 0, 1e300, 9], 0.5)], boxes)
    with pytest.raises(BadInput, match=r"detection 1: expected corners within 10,000,"):
        Found.of(Truth.of(boxes), found)
