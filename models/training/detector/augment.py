"""Change training pictures: another part and size, other colours; boxes stay right."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.models.training.detector.config import AugmentSettings, PictureSettings
from icf.models.training.detector.sample import Boxes, Pixels, Sample
from icf.models.views import PADDING

Random = np.random.Generator

#: Pictures are enlarged by at most this factor.
_MOST = 3.0
#: The changes of colour: factors of 1 +- this, and a hue, in OpenCV's 180 a circle.
_BRIGHTNESS, _CONTRAST, _SATURATION, _HUE = 0.3, 0.3, 0.5, 12
_SIGMA = (0.4, 1.6)
_QUALITY = (30, 90)


def augmented(
    sample: Sample,
    side: int,
    augment: AugmentSettings,
    settings: PictureSettings,
    random: Random,
) -> Sample:
    """Show a random part of a picture at a random size, in other colours.

    Args:
        sample: the picture.
        side: of the square that is returned, in pixels.
        augment: what to change, and how often.
        settings: which faces count.
        random: every change follows from it.
    """
    window = _window(sample, side, augment, random)
    shown = cut(sample, window, side, settings)
    if random.random() < augment.flip:
        shown = flipped(shown)
    return Sample(
        recoloured(shown.pixels, augment, random),
        shown.boxes,
        shown.kinds,
        shown.ignored,
        shown.complete,
    )


def mosaic(parts: list[Sample]) -> Sample:
    """Join four squares of one size, in two rows."""
    side = parts[0].pixels.shape[0]
    corners = [(0, 0), (side, 0), (0, side), (side, side)]
    upper, lower = (
        np.concatenate([a.pixels, b.pixels], 1)
        for a, b in ((parts[0], parts[1]), (parts[2], parts[3]))
    )
    moves = [np.array([x, y, x, y], np.float32) for x, y in corners]
    return Sample(
        np.concatenate([upper, lower]),
        np.concatenate([p.boxes + m for p, m in zip(parts, moves, strict=True)]),
        np.concatenate([p.kinds for p in parts]),
        np.concatenate([p.ignored + m for p, m in zip(parts, moves, strict=True)]),
        all(p.complete for p in parts),
    )


Window = tuple[float, float, float, float]


def _window(
    sample: Sample, side: int, augment: AugmentSettings, random: Random
) -> Window:
    """Choose the part to show: left, top, width, height in pixels of the picture.

    It may be larger than the picture; what is outside is padding.
    """
    height, width = sample.pixels.shape[:2]
    stretch = math.exp(random.uniform(-1, 1) * math.log1p(augment.stretch))
    if len(sample.boxes) and random.random() < augment.zoom:
        x1, y1, x2, y2 = sample.boxes[int(random.integers(len(sample.boxes)))].tolist()
        least, most = augment.face[0], augment.face[1] * side
        wanted = math.exp(random.uniform(math.log(least), math.log(max(least, most))))
        scale = min(wanted / max(x2 - x1, y2 - y1), _MOST)
        across, down = side / scale * stretch, side / scale / stretch
        left = random.uniform(x2 - across, x1) if across > x2 - x1 else x1
        top = random.uniform(y2 - down, y1) if down > y2 - y1 else y1
    else:
        scale = side / max(height, width) * random.uniform(1 - augment.jitter, 1)
        scale = min(scale, _MOST)
        across, down = side / scale * stretch, side / scale / stretch
        left = -random.uniform(0, 1) * (across - width)
        top = -random.uniform(0, 1) * (down - height)
    # No more padding than is needed: a window moves into the picture where it can.
    left = min(max(left, min(0.0, width - across)), max(0.0, width - across))
    top = min(max(top, min(0.0, height - down)), max(0.0, height - down))
    return left, top, across, down


def cut(sample: Sample, window: Window, side: int, settings: PictureSettings) -> Sample:
    """Show a window as a square of ``side`` pixels, with the faces that it shows.

    A face that is cut too much, or is too small as shown, becomes ignored.
    """
    left, top, across, down = window
    height, width = sample.pixels.shape[:2]
    x1, y1 = max(0, round(left)), max(0, round(top))
    x2, y2 = min(width, round(left + across)), min(height, round(top + down))
    x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
    wide = max(1, min(side, round((x2 - x1) * side / across)))
    high = max(1, min(side, round((y2 - y1) * side / down)))
    at_x = min(max(0, round((x1 - left) * side / across)), side - wide)
    at_y = min(max(0, round((y1 - top) * side / down)), side - high)
    canvas = np.empty((side, side, 3), np.uint8)
    canvas[:] = PADDING
    canvas[at_y : at_y + high, at_x : at_x + wide] = _resized(
        sample.pixels[y1:y2, x1:x2], wide, high
    )
    scale = np.array([wide / (x2 - x1), high / (y2 - y1)] * 2, np.float32)
    move = np.array([at_x, at_y] * 2, np.float32)
    corner = np.array([x1, y1] * 2, np.float32)
    limits = move + np.array([0, 0, wide, high], np.float32)
    boxes = (sample.boxes - corner) * scale + move
    shown = _clipped(boxes, limits)
    part = _area(shown) / np.maximum(_area(boxes), 1e-6)
    there = _area(shown) > 0
    small = (shown[:, 2:] - shown[:, :2]).min(1, initial=np.inf) < settings.min_face
    poor = small | (part < settings.min_visible)
    ignored = _clipped((sample.ignored - corner) * scale + move, limits)
    return Sample(
        canvas,
        shown[there & ~poor],
        sample.kinds[there & ~poor],
        np.concatenate([ignored[_area(ignored) > 0], shown[there & poor]]),
        sample.complete,
    )


def _clipped(boxes: Boxes, limits: Boxes) -> Boxes:
    low, high = np.tile(limits[:2], 2), np.tile(limits[2:], 2)
    return np.asarray(np.clip(boxes, low, high), np.float32)


def _area(boxes: Boxes) -> Boxes:
    return np.asarray(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), np.float32)


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=how), np.uint8)


def flipped(sample: Sample) -> Sample:
    """Swap left and right."""
    width = sample.pixels.shape[1]

    def turned(boxes: Boxes) -> Boxes:
        x1, y1, x2, y2 = boxes.T
        return np.stack([width - x2, y1, width - x1, y2], 1)

    return Sample(
        np.ascontiguousarray(sample.pixels[:, ::-1]),
        turned(sample.boxes),
        sample.kinds,
        turned(sample.ignored),
        sample.complete,
    )


def recoloured(pixels: Pixels, augment: AugmentSettings, random: Random) -> Pixels:
    """Change colours and sharpness, and compress; nothing moves."""
    if random.random() < augment.colour:
        pixels = _coloured(pixels, random)
    if random.random() < augment.grey:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        pixels = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
    if random.random() < augment.blur:
        sigma = random.uniform(*_SIGMA)
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)
    if random.random() < augment.jpeg:
        pixels = _compressed(pixels, int(random.integers(*_QUALITY)))
    return pixels


def _coloured(pixels: Pixels, random: Random) -> Pixels:
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    steps: NDArray[np.float64] = np.arange(256.0)
    hue = (steps + random.uniform(-_HUE, _HUE)) % 180
    saturation = steps * random.uniform(1 - _SATURATION, 1 + _SATURATION)
    hsv = cv2.merge(
        [
            cv2.LUT(plane, np.clip(table, 0, 255).astype(np.uint8))
            for plane, table in zip(
                cv2.split(hsv), (hue, saturation, steps), strict=True
            )
        ]
    )
    pixels = np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)
    contrast = random.uniform(1 - _CONTRAST, 1 + _CONTRAST)
    brightness = random.uniform(1 - _BRIGHTNESS, 1 + _BRIGHTNESS)
    table = ((steps - 128) * contrast + 128) * brightness
    return np.asarray(
        cv2.LUT(pixels, np.clip(table, 0, 255).astype(np.uint8)), np.uint8
    )


def _compressed(pixels: Pixels, quality: int) -> Pixels:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, encoded = cv2.imencode(".jpg", pixels[..., ::-1], options)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None, "it was encoded here"
    return np.ascontiguousarray(decoded[..., ::-1], np.uint8)
