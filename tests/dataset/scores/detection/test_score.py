from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.dataset.scores.detection import score_detection
from icf.dataset.scores.detection.voc import script_sorted
from icf.errors import BadInput
from icf.icartoonface.detection import DetectionBoxes, Detections
from tests.dataset.scores.detection import old_quicksort
from tests.dataset.scores.detection.made import (
    Floats,
    found_of,
    random_set,
    truth_of,
)


def naive_iou(a: Floats, b: Floats) -> float:
    """Pixel by pixel convention of PASCAL VOC: corners are inclusive."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    area_a = (a[2] - a[0] + 1) * (a[3] - a[1] + 1)
    area_b = (b[2] - b[0] + 1) * (b[3] - b[1] + 1)
    return float(both / (area_a + area_b - both))


def script(truth: DetectionBoxes, found: Detections) -> tuple[list[int], set[int]]:
    """As the published script: the detections in its order, and which are true."""
    walked: list[int] = []
    hits: set[int] = set()
    for picture in dict.fromkeys(truth.picture[np.argsort(truth.picture)].tolist()):
        order = np.flatnonzero(found.picture == picture).tolist()
        walked += order
        hits |= naive_hits(truth, found, order)
    return walked, hits


def naive_hits(truth: DetectionBoxes, found: Detections, order: list[int]) -> set[int]:
    """One detection after the other, as the development kit does it."""
    taken: set[int] = set()
    hits: set[int] = set()
    for k in order:
        boxes = np.flatnonzero(truth.picture == found.picture[k]).tolist()
        ious = [naive_iou(found.corners[k], truth.corners[b]) for b in boxes]
        if not ious or max(ious) < 0.5:
            continue
        best = boxes[ious.index(max(ious))]
        if best not in taken:
            taken.add(best)
            hits.add(k)
    return hits


def naive_area(hits: list[bool], count: int) -> float:
    area, true = 0.0, 0
    precisions = []
    for n, hit in enumerate(hits, 1):
        true += hit
        precisions.append(true / n)
    for n, hit in enumerate(hits):
        if hit:
            area += max(precisions[n:]) / count
    return area


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 5))
def test_official_equals_the_published_script(
    seed: int, pictures: int, crowded: int
) -> None:
    truth, found = random_set(seed, pictures, crowded)
    walked, hits = script(truth, found)
    made = score_detection(truth, found)
    count = len(truth.picture)

    def area(last: Callable[[int], float]) -> float:
        ranked = sorted(walked, key=lambda k: (-found.scores[k], last(k)))
        return naive_area([k in hits for k in ranked], count)

    own = [walked[k] for k in old_quicksort.argsort((-found.scores[walked]).tolist())]
    printed = naive_area([k in hits for k in own], count)
    assert made.official == pytest.approx(printed, abs=1e-12)
    assert made.official_unseen == len(found.scores) - len(walked)
    assert made.official_low == pytest.approx(area(lambda k: k in hits), abs=1e-12)
    highest = area(lambda k: k not in hits)
    assert made.official_high == pytest.approx(highest, abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 5))
def test_voc_all_point_equals_a_naive_walk(
    seed: int, pictures: int, crowded: int
) -> None:
    truth, found = random_set(seed, pictures, crowded)
    ranking = sorted(range(len(found.scores)), key=lambda k: -found.scores[k])
    hits = naive_hits(truth, found, ranking)
    expected = naive_area([k in hits for k in ranking], len(truth.picture))
    made = score_detection(truth, found)
    assert made.voc_all_point == pytest.approx(expected, abs=1e-12)


def test_official_does_not_see_a_picture_without_a_box() -> None:
    truth = truth_of([(1, [0, 0, 9, 9])], 2)
    found = found_of([(0, [0, 0, 9, 9], 0.9), (1, [0, 0, 9, 9], 0.8)], truth)
    made = score_detection(truth, found)
    assert (made.official, made.official_unseen) == (1, 1)
    assert made.voc_all_point == 0.5
    assert made.coco == pytest.approx(0.5)


def test_few_equal_scores_keep_the_order_of_the_pictures_in_official() -> None:
    truth = truth_of([(0, [0, 0, 9, 9]), (1, [0, 0, 9, 9])], 2)
    rows = [(1, [50.0, 50, 59, 59], 0.5), (0, [0.0, 0, 9, 9], 0.5)]
    made = score_detection(truth, found_of(rows, truth))
    assert (made.official, made.voc_all_point) == (0.5, 0.25)
    assert (made.official_low, made.official_high) == (0.25, 0.5)


def unlucky(count: int) -> Floats:
    """Scores for which a median of three halves nothing, so that the heap is reached.

    D. R. Musser, "Introspective sorting and selection algorithms", Software: Practice
    and Experience 27 (1997), section 3.
    """
    half = count // 2
    ascending = np.empty(count)
    ascending[0:half:2] = np.arange(1, half + 1, 2)
    ascending[1:half:2] = half + np.arange(1, half + 1, 2)
    ascending[half:] = 2 * np.arange(1, half + 1)
    return -ascending


@pytest.mark.parametrize(
    "scores",
    [
        np.zeros(0),
        np.repeat([0.5, 0.25], 400),
        np.random.default_rng(1).integers(0, 40, 1500) / 40,
        unlucky(1600),
        np.round(unlucky(1600) / 9),
    ],
)
def test_equal_scores_come_as_the_published_scripts_sort_leaves_them(
    scores: Floats,
) -> None:
    expected = old_quicksort.argsort((-scores).tolist())
    assert script_sorted(scores).tolist() == expected


def test_official_depends_on_the_order_of_the_file() -> None:
    truth = truth_of([(0, [0, 0, 9, 9]), (0, [50, 50, 59, 59])], 1)
    sure: tuple[int, list[float], float] = (0, [0, 0, 9, 9], 0.9)
    unsure: tuple[int, list[float], float] = (0, [0, 0, 9, 8], 0.1)
    assert score_detection(truth, found_of([sure, unsure], truth)).official == 0.5
    turned = score_detection(truth, found_of([unsure, sure], truth))
    assert turned.official == 0.25
    assert turned.voc_all_point == 0.5


def test_corners_are_inclusive_but_in_coco() -> None:
    truth = truth_of([(0, [0, 0, 9, 9])], 1)
    # 6 of 10 columns and 9 of 10 rows of pixels: 0.54; of edges 5/9 x 8/9: 0.49.
    score = score_detection(truth, found_of([(0, [0, 0, 5, 8], 1.0)], truth))
    assert (score.official, score.voc_all_point, score.coco) == (1, 1, 0)


def test_an_iou_of_exactly_one_half_is_enough() -> None:
    truth = truth_of([(0, [0, 0, 10, 10])], 1)
    score = score_detection(truth, found_of([(0, [0, 0, 5, 10], 1.0)], truth))
    assert score.coco == pytest.approx(1)


def test_a_reversed_true_box_counts_as_missed() -> None:
    truth = truth_of([(0, [0, 0, 9, 9]), (0, [9, 9, 0, 0])], 1)
    rows = [(0, [0.0, 0, 9, 9], 0.9), (0, [9.0, 9, 0, 0], 0.8)]
    score = score_detection(truth, found_of(rows, truth))
    assert (score.boxes, score.detections) == (2, 2)
    assert (score.official, score.voc_all_point) == (0.5, 0.5)


def test_no_detection_scores_nothing() -> None:
    truth = truth_of([(0, [0, 0, 9, 9])], 2)
    score = score_detection(truth, found_of([], truth))
    assert (score.official, score.coco, score.voc_all_point) == (0, 0, 0)
    assert (score.pictures, score.boxes, score.detections) == (2, 1, 0)


def test_detections_in_unknown_pictures_are_refused_by_name() -> None:
    truth = truth_of([(0, [0, 0, 9, 9])], 1)
    names = tuple(f"other_{i}.jpg" for i in range(7))
    boxes = np.ones((7, 4))
    found = Detections(names, np.arange(7), boxes, scores=np.ones(7))
    with pytest.raises(BadInput, match=r"7 pictures .*other_0.jpg.* and 2 more"):
        score_detection(truth, found)


def test_a_set_without_boxes_is_refused() -> None:
    truth = truth_of([], 3)
    with pytest.raises(BadInput, match="no true box"):
        score_detection(truth, found_of([], truth))


@pytest.mark.parametrize(
    ("box", "score", "what"),
    [
        ([0, 0, np.nan, 9], 0.5, "detection 1"),
        ([0, 0, 9, 9], np.inf, "score of detection 1"),
    ],
)
def test_numbers_that_are_not_finite_are_refused(
    box: list[float], score: float, what: str
) -> None:
    truth = truth_of([(0, [0, 0, 9, 9])], 1)
    with pytest.raises(BadInput, match=f"^{what}: expected finite numbers"):
        score_detection(truth, found_of([(0, box, score)], truth))
