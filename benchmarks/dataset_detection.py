"""Detection scores over 10,000 pictures, beside hotcoco, faster-coco-eval, pycocotools.

Some 219,000 boxes, true and found. Everybody starts from values in memory and computes
the twelve figures of COCO: ten IoUs, four areas. We compute `official` and
`voc_all_point` beside them, and keep what was matched to what.

Run: python -m benchmarks.dataset_detection [--json]
"""

import json
import subprocess
import tempfile
import time
from dataclasses import astuple
from pathlib import Path

import numpy as np

from benchmarks.report import Result, peer_python, report
from icf.dataset.scores.detection import score_detection
from icf.icartoonface.detection import DetectionBoxes, Detections

PICTURES, BOXES, FOUND = 10_000, 18_647, 200_353

PEERS = {
    "hotcoco": "from hotcoco import COCO, COCOeval",
    "faster-coco-eval": (
        "from faster_coco_eval import COCO, COCOeval_faster as COCOeval"
    ),
    "pycocotools": (
        "from pycocotools.coco import COCO; from pycocotools.cocoeval import COCOeval"
    ),
}
#: hotcoco reads the set from a file, the others take it from memory; its time to do so
#: is not counted.
PEER = """
import contextlib, json, os, sys, time
truth, found = (json.load(open(path)) for path in sys.argv[1:3])
coco = COCO(sys.argv[1]) if {fast} else COCO()
with contextlib.redirect_stdout(open(os.devnull, "w")):
    begin = time.process_time()
    if not {fast}:
        coco.dataset = truth
        coco.createIndex()
    evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    seconds = time.process_time() - begin
print(json.dumps({{"seconds": seconds, "stats": list(map(float, evaluation.stats))}}))
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


def run_peer(name: str, files: list[str]) -> tuple[float, list[float]]:
    """CPU seconds and the twelve figures of a peer, in a process of its own."""
    python = peer_python(name, [name, "numpy"])
    code = PEERS[name] + PEER.format(fast=name == "hotcoco")
    command = [str(python), "-c", code, *files]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    values = json.loads(done.stdout.splitlines()[-1])
    return values["seconds"], values["stats"]


def main() -> None:
    """Measure and report."""
    truth, found = make_input()
    begin = time.process_time()
    score = score_detection(truth, found)
    ours = time.process_time() - begin
    with tempfile.TemporaryDirectory() as folder:
        files = coco_files(truth, found, Path(folder))
        seconds, stats = {}, {}
        for name in PEERS:
            seconds[name], stats[name] = run_peer(name, files)
    figures = list(astuple(score.coco_summary))
    equal = figures == stats["pycocotools"]
    peer = seconds["hotcoco"]
    report(
        Result(
            name="dataset_detection",
            unit="CPU seconds",
            ours=ours,
            peer=peer,
            peer_name="hotcoco, twelve figures",
            ratio=peer / ours,
            goal="at most twice hotcoco's, and pycocotools' figures to the last bit",
            ok=ours <= 2 * peer and equal,
            also={
                "faster_coco_eval_ratio": seconds["faster-coco-eval"] / ours,
                "pycocotools_ratio": seconds["pycocotools"] / ours,
                "equal_to_pycocotools": equal,
                "hotcoco_equal_to_pycocotools": stats["hotcoco"]
                == stats["pycocotools"],
                "coco": score.coco,
                "official": score.official,
                "voc_all_point": score.voc_all_point,
                "boxes": score.boxes + score.detections,
            },
        )
    )


if __name__ == "__main__":
    main()
