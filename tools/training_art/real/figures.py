"""Real drawings read from the cache, as heads: of a figure without a box, all of it."""

from __future__ import annotations

import json
from pathlib import Path

from icf.tools.training_art.heads import Head, read_rgba
from icf.tools.training_art.real import make
from icf.tools.training_art.real.sources import SOURCES


def figures() -> dict[str, list[Head]]:
    """Read every figure, by source.

    Returns:
        For each source its pictures; those of one figure have one identity.
    """
    return {source.name: _of(make.root() / source.name) for source in SOURCES}


def _of(folder: Path) -> list[Head]:
    return [_head(path) for path in sorted(folder.glob("*/*.png"))]


def _head(path: Path) -> Head:
    pixels = read_rgba(path)
    style, identity = path.parts[-3], path.parts[-2]
    box = path.with_suffix(".json")
    if not box.exists():
        height, width = pixels.shape[:2]
        return Head(pixels, (0.0, 0.0, float(width), float(height)), style, identity)
    x1, y1, x2, y2 = json.loads(box.read_text())["face"]
    return Head(pixels, (x1, y1, x2, y2), style, identity)
