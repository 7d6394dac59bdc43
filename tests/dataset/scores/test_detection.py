import contextlib
import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.dataset.scores.detection import score_detection
from icf.errors import BadInput
from icf.icartoonface.detection import DetectionBoxes, Detections

Floats = npt.NDArray[np.float64]


def truth_of(rows: list[tuple[int, list[float]]], pictures: int) -> DetectionBoxes:
    return DetectionBoxes(
        tuple(f"personai_icartoonface_detval_{i:05d}.jpg" for i in range(pictures)),
        np.array([i for i, _ in rows], np.int64),
        np.array([box for _, box in rows], np.float64).reshape(-1, 4),
    )


def found_of(
    rows: list[tuple[int, list[float], float]], truth: DetectionBoxes
) -> Detections:
    return Detections(
        truth.pictures,
        np.array([i for i, *_ in rows], np.int64),
        np.array([box for _, box, _ in rows], np.float64).reshape(-1, 4),
        scores=np.array([score for *_, score in rows], np.float64),
    )


def random_set(seed: int, pictures: int, crowded: int = 3) -> Any:
    """True boxes, noisy and repeated detections, false ones, and coarse scores."""
    rng = np.random.default_rng(seed)
    true: list[tuple[int, list[float]]] = []
    found: list[tuple[int, list[float], float]] = []
    for i in range(pictures):
        for _ in range(int(rng.integers(0, crowded + 1))):
            low, side = rng.integers(0, 40, 2), rng.integers(0, 30, 2)
            box = np.concatenate([low, low + side])
            true.append((i, box.tolist()))
            for _ in range(int(rng.integers(0, 4))):
                near = (box + rng.integers(-4, 5, 4)).tolist()
                found.append((i, near, float(rng.integers(0, 12)) / 8))
        for _ in range(int(rng.integers(0, 2))):
            box = rng.integers(0, 60, 4)
            found.append((i, box.tolist(), float(rng.integers(0, 8)) / 8))
    true.append((0, [0, 0, 9, 9]))
    order = rng.permutation(len(found)).tolist()
    truth = truth_of(true, pictures)
    return truth, found_of([found[k] for k in order], truth)


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


def naive_voc(truth: DetectionBoxes, found: Detections, by_score: bool) -> float:
    """One detection after the other, as the development kit does it."""
    ranking = sorted(range(len(found.scores)), key=lambda k: -found.scores[k])
    order = ranking if by_score else range(len(found.scores))
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
    return naive_area([k in hits for k in ranking], len(truth.picture))


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


def pycocotools_ap50(truth: DetectionBoxes, found: Detections) -> float:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def box(corners: Floats) -> list[float]:
        x1, y1, x2, y2 = corners.tolist()
        return [x1, y1, max(x2 - x1, 0), max(y2 - y1, 0)]

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": i} for i in range(len(truth.pictures))],
            "categories": [{"id": 1}],
            "annotations": [
                {
                    "id": k + 1,
                    "image_id": int(i),
                    "category_id": 1,
                    "bbox": (xywh := box(corners)),
                    "area": xywh[2] * xywh[3],
                    "iscrowd": 0,
                }
                for k, (i, corners) in enumerate(
                    zip(truth.picture, truth.corners, strict=True)
                )
            ],
        }
        coco.createIndex()
        rows = zip(found.picture, found.corners, found.scores, strict=True)
        results = coco.loadRes(
            [
                {
                    "image_id": int(i),
                    "category_id": 1,
                    "bbox": box(corners),
                    "score": float(score),
                }
                for i, corners, score in rows
            ]
        )
        evaluation = COCOeval(coco, results, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[1])


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 5))
def test_official_and_voc_equal_a_naive_walk(
    seed: int, pictures: int, crowded: int
) -> None:
    truth, found = random_set(seed, pictures, crowded)
    score = score_detection(truth, found)
    assert score.official == pytest.approx(naive_voc(truth, found, False), abs=1e-12)
    assert score.voc_all_point == pytest.approx(
        naive_voc(truth, found, True), abs=1e-12
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 5))
def test_coco_equals_pycocotools(seed: int, pictures: int, crowded: int) -> None:
    truth, found = random_set(seed, pictures, crowded)
    if len(found.scores):
        expected = pycocotools_ap50(truth, found)
        assert score_detection(truth, found).coco == pytest.approx(expected, abs=1e-6)


def test_coco_equals_pycocotools_beyond_100_detections_in_a_picture() -> None:
    rng = np.random.default_rng(5)
    truth = truth_of([(0, [10 * i, 0, 10 * i + 8, 8]) for i in range(150)], 2)
    rows = [
        (0, [10 * i, 0, 10 * i + 8, int(rng.integers(5, 9))], float(rng.random()))
        for i in rng.permutation(150).tolist()
    ]
    rows += [(1, [0, 0, 5, 5], 0.5)] * 130
    found = found_of(rows, truth)
    score = score_detection(truth, found)
    assert score.coco == pytest.approx(pycocotools_ap50(truth, found), abs=1e-6)
    assert score.coco < score.voc_all_point


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
