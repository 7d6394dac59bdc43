"""Average precision of draws of pictures, against a plain one of copied pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.dataset.scores.detection import score_detection
from icf.icartoonface.detection import DetectionBoxes, Detections
from icf.models.gate.average_precision import (
    FoundFaces,
    TrueFaces,
    matched,
    within,
)


def boxes(
    *rows: tuple[float, float, float, float],
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array(rows, np.float32).reshape(-1, 4)


def world(seed: int, pictures: int) -> tuple[list[TrueFaces], list[FoundFaces]]:
    """Pictures with faces in a row, and boxes on some of them and beside."""
    random = np.random.default_rng(seed)
    truth, found = [], []
    for _ in range(pictures):
        there = random.integers(0, 4)
        x = 100.0 * np.arange(there)
        true = np.stack([x, x * 0, x + 60, x * 0 + 60], axis=1).astype(np.float32)
        seen = random.integers(0, 6)
        where = 100.0 * random.integers(0, 5, seen) + random.integers(0, 40, seen)
        guess = np.stack([where, where * 0, where + 60, where * 0 + 60], axis=1)
        scores = -np.sort(-random.random(seen))
        truth.append(TrueFaces(true, boxes()))
        found.append(FoundFaces(guess.astype(np.float32), scores))
    return truth, found


def plain(truth: list[TrueFaces], found: list[FoundFaces], times: list[int]) -> float:
    """The area under the interpolated curve, box by box."""
    curve = matched(truth, found)
    weights = [times[each] for each in curve.picture]
    faces = sum(n * len(each.boxes) for n, each in zip(times, truth, strict=True))
    right, precision = 0, []
    for number, hit in enumerate(curve.hit):
        right += weights[number] * bool(hit)
        precision.append(right / max(sum(weights[: number + 1]), 1))
    area = 0.0
    for number, hit in enumerate(curve.hit):
        area += weights[number] * bool(hit) * max(precision[number:])
    return area / faces if faces else 0.0


@given(seed=st.integers(0, 10_000), pictures=st.integers(1, 8))
def test_a_draw_counts_each_picture_as_often_as_it_was_drawn(
    seed: int, pictures: int
) -> None:
    truth, found = world(seed, pictures)
    times = np.random.default_rng(seed).integers(0, 4, (3, pictures))
    drawn = matched(truth, found).average_precision(times.astype(np.float64))
    expected = [plain(truth, found, row) for row in times.tolist()]
    np.testing.assert_allclose(drawn, expected)


def test_a_draw_of_some_pictures_is_what_these_alone_give() -> None:
    truth, found = world(8, 12)
    drawn = np.array([[1.0] * 6 + [0.0] * 6])
    some = matched(truth, found).average_precision(drawn)
    assert some[0] == pytest.approx(matched(truth[:6], found[:6]).figure())


def test_it_agrees_with_the_scorer_of_releases() -> None:
    truth, found = world(3, 40)
    names = tuple(f"{n}.jpg" for n in range(len(truth)))
    scored = score_detection(
        DetectionBoxes(
            names,
            np.repeat(np.arange(len(truth)), [len(each.boxes) for each in truth]),
            np.concatenate([each.boxes for each in truth]).astype(np.float64),
        ),
        Detections(
            names,
            np.repeat(np.arange(len(found)), [len(each.boxes) for each in found]),
            np.concatenate([each.boxes for each in found]).astype(np.float64),
            scores=np.concatenate([each.scores for each in found]),
        ),
    )
    assert matched(truth, found).figure() == pytest.approx(scored.coco, abs=0.01)


def test_boxes_on_ignored_faces_are_neither_right_nor_wrong() -> None:
    truth = TrueFaces(boxes((0, 0, 10, 10)), boxes((50, 50, 60, 60)))
    found = FoundFaces(
        boxes((50, 50, 60, 60), (0, 0, 10, 10), (90, 0, 99, 9)),
        np.array([0.9, 0.8, 0.7]),
    )
    curve = matched([truth], [found])
    assert curve.hit.tolist() == [True, False]
    assert curve.figure() == 1.0


def test_a_face_is_found_once() -> None:
    truth = TrueFaces(boxes((0, 0, 10, 10)), boxes())
    found = FoundFaces(boxes((0, 0, 10, 10), (0, 0, 10, 9)), np.array([0.9, 0.8]))
    assert matched([truth], [found]).hit.tolist() == [True, False]


def test_one_size_of_faces_is_looked_for_alone() -> None:
    truth = TrueFaces(boxes((0, 0, 10, 10), (0, 0, 200, 200)), boxes())
    found = FoundFaces(
        boxes((0, 0, 200, 200), (300, 0, 500, 200), (0, 0, 10, 10), (50, 0, 60, 10)),
        np.array([0.9, 0.8, 0.7, 0.6]),
    )
    small = matched([within(truth, (0, 128))], [found], (0, 128))
    assert small.hit.tolist() == [True, False]
    assert small.faces.tolist() == [1]
    large = matched([within(truth, (128, 256))], [found], (128, 256))
    assert large.hit.tolist() == [True, False]


def test_pictures_without_boxes_have_no_precision() -> None:
    nothing = FoundFaces(boxes(), np.zeros(0))
    truth = TrueFaces(boxes((0, 0, 10, 10)), boxes())
    assert matched([truth], [nothing]).figure() == 0
    assert matched([TrueFaces(boxes(), boxes())], [nothing]).figure() == 0
