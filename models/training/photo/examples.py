"""Examples of photographs and drawings, similar to harvested pictures."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.tools.training_art import paint
from icf.tools.training_art.collections import Collection
from icf.tools.training_art.painterly import painted_over

Pixels = NDArray[np.uint8]
Random = np.random.Generator

#: Sides of examples, in pixels: few pictures on the web are smaller or larger. Pictures
#: are enlarged by at most the last.
MIN_SIDE, MAX_SIDE, MAX_SCALE = 220, 1500, 1.2
#: Pictures are reduced to this side when they are read.
READ_SIDE = 1800
#: Additional examples of a photograph that are painted over, as a share: they count as
#: drawings.
PAINTED = 0.6


@dataclass(frozen=True)
class Plan:
    """How to make one example; the result depends on nothing else.

    Attributes:
        collection: the name of the picture's collection.
        path: the picture.
        photograph: whether the picture is a photograph.
        painted: whether it is painted over, so that the example is a drawing.
        seed: random seed of all changes.
    """

    collection: str
    path: Path
    photograph: bool
    painted: bool
    seed: int

    @property
    def is_photograph(self) -> bool:
        """Whether the example is a photograph."""
        return self.photograph and not self.painted


def plans(collections: Sequence[Collection], seed: int) -> Iterator[Plan]:
    """List the examples of collections.

    Photographs for training also give painted-over examples.
    """
    for each in collections:
        ways = [(each.views, False)]
        if each.photographs and not each.held_out:
            ways.append((each.views * PAINTED, True))
        for views, painted in ways:
            for path in each.files:
                name = f"{seed} {each.name} {path.name} {painted}"
                chance = zlib.crc32(f"{name} whether".encode()) / 2**32
                for number in range(math.floor(views + chance)):
                    own = zlib.crc32(f"{name} {number}".encode())
                    yield Plan(each.name, path, each.photographs, painted, own)


def make(plan: Plan) -> Pixels:
    """Make an example: crop, resize, redraw, scan, and compress a picture.

    Returns:
        RGB, uint8.

    Raises:
        FileNotFoundError: the picture is missing or cannot be read.
    """
    random = np.random.default_rng(plan.seed)
    pixels = on_ground(read(plan.path), random)
    if plan.painted:
        pixels = painted_over(pixels, random)
    pixels = _resized(_cropped(pixels, random), random)
    if not plan.photograph:
        pixels = _handled(pixels, random)
    if random.random() < 0.08:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        pixels = _pixels(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))
    if random.random() < 0.08:
        grain = random.normal(0, random.uniform(2, 7), pixels.shape)
        pixels = _pixels(pixels + grain)
    if random.random() < 0.75:
        pixels = _compressed(pixels, int(random.integers(50, 96)))
    return np.ascontiguousarray(pixels)


def read(path: Path) -> Pixels:
    """Read a picture as RGBA, uint8, at most `READ_SIDE` wide and high.

    Raises:
        FileNotFoundError: it is missing or cannot be read.
    """
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise FileNotFoundError(path)
    pixels = _pixels(found // 256 if found.dtype == np.uint16 else found)
    scale = READ_SIDE / max(pixels.shape[:2])
    if scale < 1:
        size = (int(pixels.shape[1] * scale), int(pixels.shape[0] * scale))
        pixels = _pixels(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    if pixels.ndim == 2:
        return _pixels(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGBA))
    code = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGBA
    return _pixels(cv2.cvtColor(pixels, code))


def on_ground(pixels: Pixels, random: Random) -> Pixels:
    """Composite RGBA onto white, one colour, or a gradient."""
    if pixels[..., 3].min() == 255:
        return np.ascontiguousarray(pixels[..., :3])
    chance = random.random()
    first, last = random.integers(0, 256, (2, 3)).astype(np.float64)
    if chance < 0.5:
        first = last = np.full(3, 255.0)
    elif chance < 0.7:
        last = first
    ground = np.linspace(first, last, pixels.shape[0])[:, None]
    opaque = pixels[..., 3:] / 255
    return _pixels(pixels[..., :3] * opaque + ground * (1 - opaque))


def scanned(pixels: Pixels, random: Random) -> Pixels:
    """Imitate a scan from paper: softer, greyer, yellower, with grain."""
    height, width = pixels.shape[:2]
    soft = cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.4, 1.3)).astype(np.float32)
    grain = random.normal(0, 1, (height, width)).astype(np.float32)
    grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), random.uniform(0.5, 1.5)))
    grain *= random.uniform(1, 6) / (grain.std() + 1e-6)
    faded = soft * random.uniform(0.8, 0.97) + random.uniform(0, 18)
    tint = np.array([1, random.uniform(0.95, 1), random.uniform(0.82, 1)])
    return _pixels(faded * tint + grain[..., None])


def _handled(drawing: Pixels, random: Random) -> Pixels:
    """Change a drawing, as scanning and redrawing do."""
    chance = random.random()
    for share, change in (
        (0.15, scanned),
        (0.19, paint.screentone),
        (0.22, paint.pencil),
        (0.30, paint.shaded),
        (0.34, paint.oil),
    ):
        if chance < share:
            return change(drawing, random)
    return drawing


def _cropped(pixels: Pixels, random: Random) -> Pixels:
    if random.random() < 0.5:
        return pixels
    height, width = pixels.shape[:2]
    share = random.uniform(0.4, 1)
    tall = min(height, max(48, int(height * share)))
    wide = min(width, max(48, int(width * min(1, share * random.uniform(0.7, 1.4)))))
    top = int(random.integers(0, height - tall + 1))
    left = int(random.integers(0, width - wide + 1))
    return pixels[top : top + tall, left : left + wide]


def _resized(pixels: Pixels, random: Random) -> Pixels:
    longer = max(pixels.shape[:2])
    wanted = math.exp(random.uniform(math.log(MIN_SIDE), math.log(MAX_SIDE)))
    scale = min(wanted / longer, MAX_SCALE)
    size = (max(1, int(pixels.shape[1] * scale)), max(1, int(pixels.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return _pixels(cv2.resize(pixels, size, interpolation=how))


def _compressed(pixels: Pixels, quality: int) -> Pixels:
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return _pixels(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)))


def _pixels(values: NDArray[np.generic] | cv2.typing.MatLike) -> Pixels:
    return np.clip(np.asarray(values), 0, 255).astype(np.uint8)
