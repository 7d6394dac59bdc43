from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.models.detection import Detection
from icf.models.training.drawn.detector_figures import (
    Matches,
    average_precision,
    match,
    merged,
)
from icf.tools.training_art.compose import Scene

Box = tuple[float, float, float, float]


def scene(
    boxes: list[Box], kinds: list[int], ignored: list[Box] | None = None
) -> Scene:
    return Scene(
        np.zeros((100, 100, 3), np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(kinds, np.int64),
        np.array(ignored or [], np.float32).reshape(-1, 4),
    )


def test_a_face_is_hit_once_and_by_the_best_box() -> None:
    found = match(
        scene([(0, 0, 20, 20), (50, 50, 70, 70)], [0, 1]),
        [
            Detection((0, 0, 20, 20), 0.9, "cartoon"),
            Detection((0, 0, 20, 19), 0.8, "cartoon"),
            Detection((50, 50, 70, 70), 0.7, "cartoon"),
            Detection((20, 70, 40, 90), 0.6, "human"),
        ],
    )
    assert found.hits.tolist() == [True, False, True, False]
    assert found.right_kind.tolist() == [True, False, False, False]
    assert found.faces == 2


def test_a_box_on_an_ignored_face_counts_neither_way() -> None:
    found = match(
        scene([(0, 0, 20, 20)], [0], [(50, 50, 60, 60)]),
        [Detection((50, 50, 60, 60), 0.9, "cartoon")],
    )
    assert found.hits.tolist() == []
    assert found.faces == 1


def test_pictures_without_faces_or_boxes_are_judged_too() -> None:
    box = Detection((0, 0, 20, 20), 0.9, "cartoon")
    assert match(scene([], []), [box]).hits.tolist() == [False]
    assert match(scene([(0, 0, 9, 9)], [0]), []).faces == 1


def judged(rows: list[tuple[int, bool]], missed: int) -> Matches:
    rows = sorted(rows, reverse=True)
    hits = np.array([hit for _, hit in rows], np.bool_)
    scores = np.array([score for score, _ in rows], np.float64)
    return Matches(scores, hits, hits, int(hits.sum()) + missed)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 999), st.booleans()),
        max_size=12,
        unique_by=lambda r: r[0],
    ),
    missed=st.integers(1, 5),
)
def test_the_average_precision_is_the_area_counted_by_hand(
    rows: list[tuple[int, bool]], missed: int
) -> None:
    found = judged(rows, missed)
    points, hits = [], 0
    for rank, hit in enumerate(found.hits, start=1):
        hits += int(hit)
        points.append((hits / found.faces, hits / rank))
    area = 0.0
    for step in range(1, found.faces + 1):
        recall = step / found.faces
        reached = [p for r, p in points if r >= recall - 1e-9]
        area += max(reached, default=0.0) / found.faces
    assert average_precision(found) == pytest.approx(area)


def test_boxes_of_many_pictures_are_ranked_together() -> None:
    found = merged([judged([(3, True)], 0), judged([(5, False), (1, True)], 2)])
    assert found.scores.tolist() == [5, 3, 1]
    assert found.hits.tolist() == [False, True, True]
    assert found.faces == 4
