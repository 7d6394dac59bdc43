"""An art cache of a few drawings, and MobileNetV2 weights, made here."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
import torchvision

from tests.tools.training_art import tiny


def write_cache(root: Path) -> None:
    """Write two styles, one of them held out, two places and some things."""
    drawn = root / "drawn"
    for style in ("lorelei", "micah"):
        for number in range(3):
            identity = f"{style}-{number:03}"
            for view in range(2):
                path = drawn / "dicebear" / style / identity / f"{view}.png"
                tiny.write_head(path, style, identity)
    random = np.random.default_rng(0)
    for name in ("field", "coffee"):
        path = drawn / "backgrounds" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), random.integers(0, 256, (90, 120, 3), np.uint8))
    for number in range(10):
        path = drawn / "openclipart" / "tools" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        thing = np.zeros((40, 40, 4), np.uint8)
        thing[8:32, 8:32] = (*random.integers(0, 256, 3), 255)
        cv2.imwrite(str(path), thing)


def write_weights(path: Path) -> Path:
    """Write random weights in the shape of torchvision's ImageNet file."""
    torch.manual_seed(9)
    torch.save(torchvision.models.mobilenet_v2(weights=None).state_dict(), path)
    return path
