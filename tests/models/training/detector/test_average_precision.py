"""AP50 of the trainer, beside the scorer that a release is scored by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.dataset.scores.detection import score_detection
from icf.icartoonface.detection import DetectionBoxes, Detections
from icf.models.detection import Detection
from icf.models.training.detector.average_precision import (
    Matches,
    Truth,
    ap50,
    area,
    best_threshold,
    interval,
    match,
    matched,
)

Box = tuple[float, float, float, float]


def truth(
    boxes: list[Box], kinds: list[int] | None = None, ignored: list[Box] | None = None
) -> Truth:
    return Truth(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([0] * len(boxes) if kinds is None else kinds, np.int64),
        np.array(ignored or [], np.float32).reshape(-1, 4),
    )


def test_a_face_is_hit_once_and_by_the_best_box() -> None:
    _, hits, right = match(
        truth([(0, 0, 20, 20), (50, 50, 70, 70)], [0, 1]),
        [
            Detection((0, 0, 20, 20), 0.9, "cartoon"),
            Detection((0, 0, 20, 19), 0.8, "cartoon"),
            Detection((50, 50, 70, 70), 0.7, "cartoon"),
            Detection((20, 70, 40, 90), 0.6, "human"),
        ],
    )
    assert hits.tolist() == [True, False, True, False]
    assert right.tolist() == [True, False, False, False]


def test_a_box_on_an_ignored_face_counts_neither_way() -> None:
    scores, hits, _ = match(
        truth([(0, 0, 20, 20)], ignored=[(50, 50, 60, 60)]),
        [Detection((50, 50, 60, 60), 0.9, "cartoon")],
    )
    assert scores.tolist() == hits.tolist() == []


def test_pictures_without_faces_or_boxes_are_judged_too() -> None:
    box = Detection((0, 0, 20, 20), 0.9, "cartoon")
    found = matched([truth([]), truth([(0, 0, 9, 9)])], [[box], []])
    assert found.hits.tolist() == [False]
    assert found.faces.tolist() == [0, 1]
    assert ap50(found) == 0


def test_boxes_of_many_pictures_are_ranked_together() -> None:
    def one(score: float, x: float) -> Detection:
        return Detection((x, 0, x + 20, 20), score, "cartoon")

    face = truth([(0, 0, 20, 20)])
    found = matched([face, face], [[one(0.3, 0)], [one(0.5, 50), one(0.1, 0)]])
    assert found.scores.tolist() == [0.5, 0.3, 0.1]
    assert found.hits.tolist() == [False, True, True]
    assert found.picture.tolist() == [1, 0, 1]


place = st.integers(0, 60)
side = st.integers(8, 40)
shape = st.tuples(place, place, side, side)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Truth], list[list[Detection]]]:
    """Some pictures with faces, and boxes near them; no two scores are equal."""

    def box(values: tuple[int, int, int, int]) -> Box:
        x, y, w, h = values
        return (float(x), float(y), float(x + w), float(y + h))

    scores = draw(st.permutations(range(1, 40)))
    truths, found, used = [], [], 0
    for _ in range(draw(st.integers(1, 4))):
        faces = [box(v) for v in draw(st.lists(shape, max_size=4))]
        near = [box(v) for v in draw(st.lists(shape, max_size=4))]
        near += [f for f in faces if draw(st.booleans())]
        own = sorted((scores[used + i] / 40 for i in range(len(near))), reverse=True)
        used += len(near)
        truths.append(truth(faces))
        found.append(
            [Detection(b, s, "cartoon") for b, s in zip(near, own, strict=True)]
        )
    return truths, found


@given(world=worlds())
def test_it_is_the_coco_figure_of_the_scorer(
    world: tuple[list[Truth], list[list[Detection]]],
) -> None:
    truths, found = world
    if not sum(len(t.boxes) for t in truths):
        return
    names = tuple(f"{i}.jpg" for i in range(len(truths)))
    counts = [len(t.boxes) for t in truths]
    true = DetectionBoxes(
        names,
        np.repeat(np.arange(len(truths)), counts),
        np.concatenate([t.boxes for t in truths]).astype(np.float64),
    )
    flat = [(i, d) for i, each in enumerate(found) for d in each]
    submitted = Detections(
        names,
        np.array([i for i, _ in flat], np.int64),
        np.array([d.box for _, d in flat], np.float64).reshape(-1, 4),
        scores=np.array([d.score for _, d in flat], np.float64),
    )
    wanted = score_detection(true, submitted).coco
    assert ap50(matched(truths, found)) == pytest.approx(wanted, abs=1e-9)


def judged(hits: list[bool], faces: int) -> Matches:
    count = len(hits)
    each = np.array(hits, np.bool_)
    number = np.arange(count)
    per_picture = np.zeros(count, np.int64)
    per_picture[:faces] = 1
    return Matches(1 - number / 100, each, each, number, per_picture)


@given(hits=st.lists(st.booleans(), max_size=12), missed=st.integers(1, 5))
def test_the_area_is_counted_by_hand(hits: list[bool], missed: int) -> None:
    faces = sum(hits) + missed
    found = judged(hits + [False] * missed, faces)
    points, right = [], 0
    for rank, hit in enumerate(found.hits, start=1):
        right += int(hit)
        points.append((right / faces, right / rank))
    expected = 0.0
    for step in range(1, faces + 1):
        reached = [p for r, p in points if r >= step / faces - 1e-9]
        expected += max(reached, default=0.0) / faces
    assert area(found) == pytest.approx(expected)


def test_a_picture_that_counts_twice_is_one_that_is_there_twice() -> None:
    face = truth([(0, 0, 20, 20)])
    hit = [Detection((0, 0, 20, 20), 0.9, "cartoon")]
    miss = [Detection((50, 0, 70, 20), 0.8, "cartoon")]
    twice = ap50(matched([face, face, face], [hit, miss, miss]))
    weighted = ap50(matched([face, face], [hit, miss]), np.array([1.0, 2.0]))
    assert weighted == pytest.approx(twice)


def test_the_interval_holds_the_figure_and_narrows_with_more_pictures() -> None:
    random = np.random.default_rng(0)
    widths = []
    for count in (40, 640):
        found = judged((random.random(count) < 0.8).tolist(), count)
        low, high = interval(found, np.arange(count), 100)
        assert low <= ap50(found) <= high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_the_threshold_is_where_precision_and_recall_are_best() -> None:
    found = judged([True, True, True, False, False, False], 3)
    assert best_threshold(found) == found.scores[2]
