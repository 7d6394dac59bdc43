"""Sets of boxes to score, and pycocotools on them."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import numpy.typing as npt

from icf.icartoonface.detection import DetectionBoxes, Detections

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


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


def random_set(
    seed: int, pictures: int, crowded: int = 3, scale: int = 1
) -> tuple[DetectionBoxes, Detections]:
    """True boxes, noisy and repeated detections, false ones, and coarse scores.

    Some pictures have no true box, some no detection; boxes repeat.
    """
    rng = np.random.default_rng(seed)
    true: list[tuple[int, list[float]]] = []
    found: list[tuple[int, list[float], float]] = []
    for i in range(pictures):
        for _ in range(int(rng.integers(0, crowded + 1))):
            low, side = rng.integers(0, 40, 2), rng.integers(0, 30, 2)
            box = np.concatenate([low, low + side]) * scale
            true.append((i, box.tolist()))
            for _ in range(int(rng.integers(0, 4))):
                near = (box + scale * rng.integers(-4, 5, 4)).tolist()
                found.append((i, near, float(rng.integers(0, 12)) / 8))
        for _ in range(int(rng.integers(0, 2))):
            box = scale * rng.integers(0, 60, 4)
            found.append((i, box.tolist(), float(rng.integers(0, 8)) / 8))
    true.append((0, [0, 0, 9, 9]))
    order = rng.permutation(len(found)).tolist()
    truth = truth_of(true, pictures)
    return truth, found_of([found[k] for k in order], truth)


def coco_truth(truth: DetectionBoxes, crowd: Bools) -> dict[str, Any]:
    """The true boxes as COCO's JSON has them."""
    boxes = [xywh(corners) for corners in truth.corners]
    rows = zip(truth.picture.tolist(), boxes, crowd.tolist(), strict=True)
    names = enumerate(truth.pictures)
    return {
        "info": {},
        "images": [{"id": i, "file_name": name} for i, name in names],
        "categories": [{"id": 1, "name": "face"}],
        "annotations": [
            {
                "id": k + 1,
                "image_id": i,
                "category_id": 1,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": int(is_crowd),
            }
            for k, (i, box, is_crowd) in enumerate(rows)
        ],
    }


def coco_results(found: Detections) -> list[dict[str, Any]]:
    rows = zip(found.picture, found.corners, found.scores, strict=True)
    return [
        {
            "image_id": int(i),
            "category_id": 1,
            "bbox": xywh(corners),
            "score": float(score),
        }
        for i, corners, score in rows
    ]


def xywh(corners: Floats) -> list[float]:
    x1, y1, x2, y2 = corners.tolist()
    return [x1, y1, max(x2 - x1, 0), max(y2 - y1, 0)]


def pycocotools(
    truth: DetectionBoxes, found: Detections, crowd: Bools | None = None
) -> list[float]:
    """The twelve figures."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    none = np.zeros(len(truth.picture), np.bool_)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = coco_truth(truth, none if crowd is None else crowd)
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(coco_results(found)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats]
