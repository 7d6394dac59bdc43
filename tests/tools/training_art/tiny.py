"""A small art collection made here: nothing is fetched."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from icf.tools.training_art.heads import Art, Head, Pixels

FACE = (12.0, 10.0, 52.0, 56.0)


def picture(red: int, side: int = 64) -> Pixels:
    """A disc with two eyes on a transparent ground."""
    drawn = np.zeros((side, side, 4), np.uint8)
    middle = (side // 2, side // 2)
    cv2.circle(drawn, middle, side // 2 - 4, (red, 180, 140, 255), -1)
    for x in (side // 3, 2 * side // 3):
        cv2.circle(drawn, (x, side // 2 - 4), 4, (10, 10, 10, 255), -1)
    return drawn


def head(style: str = "round", identity: str = "a", red: int = 200) -> Head:
    return Head(picture(red), FACE, style, identity)


def art() -> Art:
    """Two drawn styles, a photograph, a place and a thing."""
    heads = {
        "round": [head("round", f"r{i}", 40 * i + 40) for i in range(3)],
        "square": [head("square", f"s{i}", 60 * i + 30) for i in range(2)],
        "photograph": [head("photograph", "p", 220)],
        "small photograph": [head("small photograph", "q", 128)],
    }
    place = np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    thing = np.zeros((40, 40, 4), np.uint8)
    thing[8:32, 8:32] = (0, 120, 250, 255)
    return Art(heads, [place], [thing])


def write_head(path: Path, style: str, identity: str) -> None:
    """Put a picture of a character into a cache, with its box beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(picture(200), cv2.COLOR_RGBA2BGRA))
    about = {"face": FACE, "style": style, "identity": identity}
    path.with_suffix(".json").write_text(json.dumps(about))
