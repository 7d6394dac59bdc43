from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from icf.models.overlap import iou, suppress

edge = st.integers(0, 30)
box = st.tuples(edge, edge, st.integers(1, 20), st.integers(1, 20)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
scored = st.lists(st.tuples(box, st.integers(0, 100)), max_size=12)


def scalar_iou(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    across = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    down = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return across * down / (area - across * down)


@given(a=box, b=box)
def test_iou_is_what_counting_by_hand_gives(
    a: tuple[int, ...], b: tuple[int, ...]
) -> None:
    found = iou(np.array([a], np.float32), np.array([b], np.float32))
    np.testing.assert_allclose(found, [[scalar_iou(a, b)]], rtol=1e-6)


def test_boxes_without_area_share_nothing() -> None:
    flat = np.array([[3, 3, 3, 9]], np.float32)
    assert iou(flat, flat).tolist() == [[0.0]]


@given(rows=scored)
def test_what_is_kept_does_not_overlap_and_what_goes_had_a_better_one(
    rows: list[tuple[tuple[int, ...], int]],
) -> None:
    boxes = np.array([row[0] for row in rows], np.float32).reshape(-1, 4)
    scores = np.array([row[1] for row in rows], np.float32)
    kept = suppress(boxes, scores, 0.5).tolist()
    assert sorted(kept, key=lambda i: (-scores[i], i)) == kept
    for index, (one, score) in enumerate(rows):
        rivals = [k for k in kept if k != index and scalar_iou(one, rows[k][0]) > 0.5]
        if index in kept:
            assert not rivals
        else:
            assert any(rows[k][1] >= score for k in rivals)
