"""Detection AP over 10,000 pictures: ours against faster-coco-eval and pycocotools.

Some 219,000 boxes, true and found. Everybody starts from values in memory and is asked
for AP at IoU 0.5 and nothing else (we give three conventions of it, the peers one). The
peers' time with their default settings, ten IoUs and four areas, is reported too.

Run: python -m benchmarks.dataset_detection [--json]
"""

import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.report import Result, peer_python, report
from icf.dataset.scores.detection import score_detection
from icf.icartoonface.detection import DetectionBoxes, Detections

PICTURES, BOXES, FOUND = 10_000, 18_647, 200_353

PEER = """
import json, sys, time
if sys.argv[1] == "faster-coco-eval":
    from faster_coco_eval import COCO, COCOeval_faster as COCOeval
else:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
import contextlib, os
truth, found = (json.load(open(path)) for path in sys.argv[2:4])
begin = time.process_time()
with contextlib.redirect_stdout(open(os.devnull, "w")):
    coco = COCO()
    coco.dataset = truth
    coco.createIndex()
    evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
    if sys.argv[4] == "ap50":
        evaluation.params.iouThrs = evaluation.params.iouThrs[:1]
        evaluation.params.areaRng = evaluation.params.areaRng[:1]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [100]
    evaluation.evaluate()
    evaluation.accumulate()
precision = evaluation.eval["precision"][0, :, 0, 0, -1]
seconds = time.process_time() - begin
print(json.dumps({"seconds": seconds, "ap50": float(precision.mean())}))
"""


def make_input() -> tuple[DetectionBoxes, Detections]:
    """One to a few faces a picture, each found about once, and many false alarms."""
    rng = np.random.default_rng(0)
    extra = rng.integers(0, PICTURES, BOXES - PICTURES)
    picture = np.sort(np.concatenate([np.arange(PICTURES), extra]))
    low = rng.integers(0, 800, (BOXES, 2))
    corners = np.hstack([low, low + rng.integers(20, 300, (BOXES, 2))]).astype(float)
    names = tuple(f"personai_icartoonface_detval_{i:05d}.jpg" for i in range(PICTURES))
    near = corners + rng.normal(0, 12, corners.shape)
    false_low = rng.integers(0, 800, (FOUND - BOXES, 2))
    false = np.hstack([false_low, false_low + rng.integers(20, 300, false_low.shape)])
    scores = np.concatenate([rng.beta(5, 2, BOXES), rng.beta(1, 6, FOUND - BOXES)])
    found = Detections(
        names,
        np.concatenate([picture, rng.integers(0, PICTURES, FOUND - BOXES)]),
        np.concatenate([near, false]).round(1),
        scores=scores,
    )
    return DetectionBoxes(names, picture, corners), found


def coco_files(truth: DetectionBoxes, found: Detections, folder: Path) -> list[str]:
    """Write both sets as COCO JSON."""

    def rows(boxes: DetectionBoxes) -> list[dict[str, object]]:
        sides = np.maximum(boxes.corners[:, 2:] - boxes.corners[:, :2], 0)
        xywh = np.hstack([boxes.corners[:, :2], sides]).tolist()
        pairs = zip(boxes.picture.tolist(), xywh, strict=True)
        return [{"image_id": i, "category_id": 1, "bbox": box} for i, box in pairs]

    areas = np.prod(np.maximum(truth.corners[:, 2:] - truth.corners[:, :2], 0), axis=1)
    annotations = [
        row | {"id": k, "iscrowd": 0, "area": area}
        for k, (row, area) in enumerate(
            zip(rows(truth), areas.tolist(), strict=True), 1
        )
    ]
    images = [{"id": i, "width": 1200, "height": 1200} for i in range(PICTURES)]
    results = [
        row | {"score": score}
        for row, score in zip(rows(found), found.scores.tolist(), strict=True)
    ]
    categories = [{"id": 1, "name": "face"}]
    dataset = {"info": {}, "images": images, "categories": categories}
    paths = [folder / "truth.json", folder / "found.json"]
    paths[0].write_text(json.dumps(dataset | {"annotations": annotations}))
    paths[1].write_text(json.dumps(results))
    return list(map(str, paths))


def run_peer(name: str, files: list[str], asked: str) -> tuple[float, float]:
    """CPU seconds and AP50 of a peer, in a process of its own."""
    python = peer_python(name, [name, "numpy"])
    command = [str(python), "-c", PEER, name, *files, asked]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    values = json.loads(done.stdout.splitlines()[-1])
    return values["seconds"], values["ap50"]


def main() -> None:
    """Measure and report."""
    truth, found = make_input()
    begin = time.process_time()
    score = score_detection(truth, found)
    ours = time.process_time() - begin
    with tempfile.TemporaryDirectory() as folder:
        files = coco_files(truth, found, Path(folder))
        peer, peer_ap = run_peer("faster-coco-eval", files, "ap50")
        peer_default, _ = run_peer("faster-coco-eval", files, "default")
        slow, slow_ap = run_peer("pycocotools", files, "ap50")
        slow_default, _ = run_peer("pycocotools", files, "default")
    agree = abs(score.coco - slow_ap) < 1e-6
    report(
        Result(
            name="dataset_detection",
            unit="CPU seconds",
            ours=ours,
            peer=peer,
            peer_name="faster-coco-eval, AP50 only",
            ratio=peer / ours,
            goal="no slower than faster-coco-eval, AP50 equal to pycocotools",
            ok=ours <= peer and agree,
            also={
                "pycocotools_ratio": slow / ours,
                "faster_coco_eval_default_seconds": peer_default,
                "pycocotools_default_seconds": slow_default,
                "ap50": score.coco,
                "pycocotools_ap50": slow_ap,
                "faster_coco_eval_ap50": peer_ap,
                "boxes": score.boxes + score.detections,
            },
        )
    )


if __name__ == "__main__":
    main()
