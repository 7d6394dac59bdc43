"""What a detector takes for faces in pictures that have none, for its next training."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from icf.models.detection import Detection, Detector
from icf.models.overlap import iou
from icf.stores.files import new_folder
from icf.tools.training_art import compose
from icf.tools.training_art.compose import Scene, Shares
from icf.tools.training_art.heads import Art, Pixels, read_rgba

#: Score from which a false box is shown again.
LEAST = 0.3
#: Side of the pictures that are searched, and how much is cut out around a box.
SIDE, MARGIN = 320, 1.3
#: Only figures without a face, and things, are searched.
_SHARES = Shares(faceless=1.0)
_AT_ONCE = 16


def mine(detector: Detector, art: Art, folder: Path, seed: int, pictures: int) -> int:
    """Write cut-outs of false boxes into a folder; nothing if it is there.

    Args:
        detector: that was trained.
        art: to compose pictures of.
        folder: gets ``NUMBER.png``; it is whole, or not there.
        seed: of the pictures.
        pictures: how many are searched.

    Returns:
        How many there are.
    """
    if not folder.is_dir():
        with new_folder(folder) as making:
            found = _false(detector, art, seed, pictures)
            for number, pixels in enumerate(found):
                bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
                cv2.imwrite(str(making / f"{number:04}.png"), bgr)
    return len(list(folder.glob("*.png")))


def read(folder: Path) -> list[Pixels]:
    """Read what was mined, RGBA."""
    return [read_rgba(path) for path in sorted(folder.glob("*.png"))]


def _false(detector: Detector, art: Art, seed: int, pictures: int) -> list[Pixels]:
    found: list[Pixels] = []
    for start in range(0, pictures, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, pictures))
        scenes = [
            compose.compose(art, SIDE, np.random.default_rng((seed, i)), _SHARES)
            for i in numbers
        ]
        seen = detector.detect([scene.pixels for scene in scenes], LEAST)
        for scene, faces in zip(scenes, seen, strict=True):
            found += [_cut(scene.pixels, f) for f in faces if not _unsure(scene, f)]
    return found


def _unsure(scene: Scene, face: Detection) -> bool:
    """Whether a box may be a face after all."""
    box = np.array([face.box], np.float32)
    return bool(len(scene.ignored)) and bool(iou(box, scene.ignored).max() > 0)


def _cut(pixels: Pixels, face: Detection) -> Pixels:
    x1, y1, x2, y2 = face.box
    middle, half = ((x1 + x2) / 2, (y1 + y2) / 2), MARGIN / 2
    left, right = (int(middle[0] + s * half * (x2 - x1)) for s in (-1, 1))
    top, bottom = (int(middle[1] + s * half * (y2 - y1)) for s in (-1, 1))
    return pixels[max(0, top) : bottom + 1, max(0, left) : right + 1]
