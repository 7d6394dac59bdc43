"""Characters read from the cache."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.tools.training_art import make, sources, styles
from icf.tools.training_art.drawings import Drawing
from icf.tools.training_art.figure_boxes import clips_with_faces
from icf.tools.training_art.styles import Box

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Head:
    """One picture of a character.

    Attributes:
        pixels: H x W x 4, RGBA.
        face: x1, y1, x2, y2 in pixels.
        style: the drawn style, or ``photograph``.
        identity: of the character.
    """

    pixels: Pixels
    face: Box
    style: str
    identity: str

    @property
    def human(self) -> bool:
        """Whether this is a photograph."""
        return self.style.endswith("photograph")


@dataclass(frozen=True)
class Art:
    """Material for scenes.

    Attributes:
        heads: by style.
        places: pictures without a face.
        things: RGBA, without a face.
        objects: likewise: hands, clothes, jewels, weapons.
        drawings: whole pictures with boxes.
        mined: RGBA, what a detector took for faces, and is none.
    """

    heads: dict[str, list[Head]]
    places: list[Pixels]
    things: list[Pixels]
    objects: list[Pixels] = field(default_factory=list)
    drawings: list[Drawing] = field(default_factory=list)
    mined: list[Pixels] = field(default_factory=list)


def held_out(picture: Path) -> bool:
    """Whether a cached picture is held out of training."""
    parts = picture.relative_to(sources.drawn()).parts
    if parts[0] == "renpy":
        return parts[1] in styles.HELD_OUT_RENPY
    return parts[0] in styles.HELD_OUT or parts[1] in styles.HELD_OUT


def read(pictures: Iterable[Path]) -> dict[str, list[Head]]:
    """Read heads, by style; small sets are kept whole."""
    heads: dict[str, list[Head]] = {}
    for picture in pictures:
        about = json.loads(picture.with_suffix(".json").read_text())
        head = Head(
            read_rgba(picture), tuple(about["face"]), about["style"], about["identity"]
        )
        heads.setdefault(head.style, []).append(head)
    return heads


#: Places that are held out for the figures.
HELD_OUT_PLACES = (
    "bg-club",
    "bg-meadow",
    "chelsea",
    "coffee",
    "flower",
    "bg-washington",
)


#: Photographs that were taken for such without a face: coins show heads.
_WITH_FACES = ("coins",)


def training_art() -> Art:
    """Read the art for training."""
    return _art(read(p for p in make.heads() if not held_out(p)), held=False)


def held_out_art() -> Art:
    """Read the held-out art, for the figures."""
    return _art(read(p for p in make.heads() if held_out(p)), held=True)


def other_days() -> dict[str, list[Head]]:
    """Read the people who are shown on other days, to measure embedders on."""
    return read(make.other_days())


def _art(heads: dict[str, list[Head]], held: bool) -> Art:
    drawn = sources.drawn()
    places = [
        read_rgba(p)[:, :, :3].copy()
        for p in sorted((drawn / "backgrounds").glob("*.png"))
        if (p.stem in HELD_OUT_PLACES) == held and p.stem not in _WITH_FACES
    ]
    clips = sorted((drawn / "openclipart").glob("*/*.png"))
    faces = clips_with_faces()
    things = [
        read_rgba(path)
        for number, path in enumerate(clips)
        if (number % 8 == 0) == held and path.stem not in faces
    ]
    return Art(heads, places, things)


def read_rgba(path: Path) -> Pixels:
    """Read a picture, RGBA.

    Raises:
        FileNotFoundError: it is not there, or is no picture.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise FileNotFoundError(path)
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGBA), np.uint8)
    code = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGBA
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
