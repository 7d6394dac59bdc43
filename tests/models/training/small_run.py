"""A small embedder training on generated faces; ``main`` is a program, to be killed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch

from icf.models.data.formats.folders import FoldersReader
from icf.models.data.index import Source
from icf.models.training.config import read_config
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.loop import Watcher
from icf.models.training.train import Trained, train

SMALL: Mapping[str, object] = {
    "network.name": "timm:test_resnet",
    "network.dim": 16,
    "network.side": 32,
    "loop.steps": 8,
    "loop.batch": 8,
    "loop.precision": "float32",
    "loop.save_every": 3,
    "loop.log_every": 1,
    "loop.workers": 0,
    "held_out.share": 0.0,
}


def write_faces(
    root: Path, identities: int, each: int, side: int = 40, mixed: float = 0.0
) -> Path:
    """Write drawn faces: an identity has its own colours and its own shapes.

    Args:
        root: the folder.
        identities: how many.
        each: faces of an identity.
        side: of a picture, in pixels.
        mixed: the share of a picture's colours that is its own, not its identity's.
    """
    for identity in range(identities):
        of_identity = np.random.default_rng((7, identity))
        all_have = of_identity.integers(30, 226, (3, 3))
        eye, mouth = of_identity.uniform(0.06, 0.16), of_identity.uniform(0.08, 0.3)
        folder = root / f"identity-{identity:03}"
        folder.mkdir(parents=True)
        for number in range(each):
            random = np.random.default_rng((8, identity, number))
            own = np.random.default_rng((9, identity, number)).integers(30, 226, (3, 3))
            colours = (1 - mixed) * all_have + mixed * own
            canvas = np.full((side, side, 3), colours[0], np.float32)
            shift = random.uniform(-0.05, 0.05, 2)
            centre = [int(side * (0.5 + s)) for s in shift]
            skin, hair = ([float(v) for v in colour] for colour in colours[1:])
            size = (int(side * 0.34), int(side * 0.4))
            cv2.ellipse(canvas, centre, size, 0, 0, 360, skin, -1)
            cv2.ellipse(canvas, centre, size, 0, 180, 360, hair, int(side * 0.1))
            for sign in (-1, 1):
                at = (centre[0] + int(sign * side * 0.14), centre[1])
                cv2.circle(canvas, at, int(side * eye), (20.0, 20.0, 20.0), -1)
            lip = (centre[0], centre[1] + int(side * 0.2))
            width = (int(side * mouth), 2)
            cv2.ellipse(canvas, lip, width, 0, 0, 360, (60.0, 40.0, 160.0), -1)
            noisy = canvas + random.normal(0, 6, canvas.shape)
            picture = np.clip(noisy, 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"{number}.png"), picture)
    return root


def train_small(
    faces: Path,
    out: Path,
    start: Path | None = None,
    watcher: Watcher | None = None,
    **changes: object,
) -> Trained:
    """Train on a folder of identities; ``loop__steps=3`` changes ``loop.steps``."""
    given = {key.replace("__", "."): value for key, value in changes.items()}
    config = read_config(EmbedderConfig, "embedder", changes={**SMALL, **given})
    source = Source(FoldersReader(faces))
    return train(
        "embedder", [source], config, out, start=start, device="cpu", watcher=watcher
    )


def main() -> None:
    """Train as the words of the line say."""
    torch.set_num_threads(1)
    train_small(Path(sys.argv[1]), Path(sys.argv[2]), **json.loads(sys.argv[3]))
