from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from icf.dataset.scores.detection.groups import by_kind, by_share, by_size
from icf.dataset.scores.detection.score import score_detection, score_found
from icf.dataset.scores.detection.truth import Found, Truth
from icf.icartoonface.detection import DetectionBoxes, Detections
from tests.dataset.scores.detection.made import found_of, random_set, truth_of


def part(
    boxes: DetectionBoxes, found: Detections, first: int, last: int
) -> tuple[DetectionBoxes, Detections]:
    """The set of some of the pictures."""
    names = boxes.pictures[first:last]
    true = (boxes.picture >= first) & (boxes.picture < last)
    made = (found.picture >= first) & (found.picture < last)
    return (
        DetectionBoxes(names, boxes.picture[true] - first, boxes.corners[true]),
        Detections(
            names,
            found.picture[made] - first,
            found.corners[made],
            scores=found.scores[made],
        ),
    )


def test_a_kind_scores_as_a_set_of_its_pictures_alone() -> None:
    boxes, found = random_set(3, 12)
    albums = ("one",) * 5 + ("two",) * 6 + ("",)
    truth = replace(Truth.of(boxes), kinds={"album": albums})
    matched = Found.of(truth, found)
    groups = by_kind(truth, matched, score_found(truth, matched))["album"]
    assert list(groups) == ["one", "two"]
    for name, ends in (("one", (0, 5)), ("two", (5, 11))):
        alone = score_detection(*part(boxes, found, *ends))
        assert groups[name].pictures == alone.pictures
        assert groups[name].boxes == alone.boxes
        assert groups[name].official == alone.official
        assert groups[name].coco == alone.coco


def test_a_kind_without_a_box_has_no_score() -> None:
    boxes = truth_of([(0, [0, 0, 9, 9])], 2)
    truth = replace(Truth.of(boxes), kinds={"style": ("flat", "empty")})
    found = Found.of(truth, found_of([(0, [0, 0, 9, 9], 0.5)], boxes))
    groups = by_kind(truth, found, score_found(truth, found))
    assert list(groups["style"]) == ["flat"]


def test_sizes_are_pixels_and_shares_are_of_the_picture() -> None:
    # The same face of 60 x 60 pixels in a small and in a large picture; one is found.
    boxes = truth_of([(0, [0, 0, 60, 60]), (1, [0, 0, 60, 60])], 2)
    truth = replace(Truth.of(boxes), size=np.array([[100, 100], [1000, 1000]]))
    found = Found.of(truth, found_of([(0, [0, 0, 60, 60], 0.5)], boxes))
    scored = score_found(truth, found)
    sizes = by_size(scored)
    assert [each.boxes for each in sizes.values()] == [0, 2, 0]
    assert sizes["medium"].ar == 0.5
    assert sizes["large"].ap is None
    shares = by_share(truth, found, scored)
    assert shares is not None
    assert [each.boxes for each in shares.values()] == [1, 0, 1]
    assert shares["10% or more"].ap50 == pytest.approx(1)
    assert shares["below 1%"].ap50 == 0


def test_without_the_size_of_a_picture_there_are_no_shares() -> None:
    boxes, found = random_set(1, 3)
    truth = replace(Truth.of(boxes), size=np.array([[9, 9], [9, 9], [0, 0]]))
    matched = Found.of(truth, found)
    assert by_share(truth, matched, score_found(truth, matched)) is None


def test_pictures_are_scored_by_their_longer_side_where_it_is_known() -> None:
    boxes = truth_of([(0, [0, 0, 9, 9]), (1, [0, 0, 9, 9])], 2)
    truth = replace(Truth.of(boxes), size=np.array([[300, 500], [501, 20]]))
    found = Found.of(truth, found_of([(0, [0, 0, 9, 9], 0.5)], boxes))
    groups = by_kind(truth, found, score_found(truth, found))["longer_side"]
    assert {name: each.official for name, each in groups.items()} == {
        "up to 500": 1,
        "501 to 1000": 0,
    }
