"""A small COCO data set, with drawn pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIDE = 144


def write_picture(path: Path, seed: int, size: tuple[int, int] = (SIDE, SIDE)) -> Path:
    """Write a picture of its own; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
    pixels = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    assert cv2.imwrite(str(path), pixels)
    return path


def image(key: object, name: str, **more: object) -> dict[str, object]:
    """An entry of ``images``."""
    return {"id": key, "file_name": name, "width": SIDE, "height": SIDE, **more}


def annotation(
    image_id: object, bbox: object = (10, 20, 104, 100), **more: object
) -> dict[str, object]:
    """An entry of ``annotations``."""
    known = {"id": 1, "image_id": image_id, "category_id": 1, "iscrowd": 0}
    return {**known, "bbox": bbox, **more}


def content(
    images: Sequence[Mapping[str, object]],
    annotations: Sequence[Mapping[str, object]],
    **more: object,
) -> dict[str, Any]:
    """A whole file; its categories are a face, a person's face and a tree."""
    names = ("face", "human face", "tree")
    categories = [{"id": key, "name": name} for key, name in enumerate(names, 1)]
    return {
        "images": list(images),
        "annotations": list(annotations),
        "categories": categories,
        **more,
    }


def write_json(path: Path, value: object) -> Path:
    """Write a file of JSON; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
