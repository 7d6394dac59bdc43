"""Redraw pictures: effects that imitate other drawing styles."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Random = np.random.Generator


def graded(pixels: Pixels, random: Random) -> Pixels:
    """Shift hue, saturation and brightness of an RGB picture."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).astype(np.int16)
    hsv[..., 0] = (hsv[..., 0] + int(random.normal(0, 9))) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * random.uniform(0.4, 1.3), 0, 255)
    hsv[..., 2] = np.clip(hsv[..., 2] * random.uniform(0.55, 1.15), 0, 255)
    return _pixels(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB))


def shaded(pixels: Pixels, random: Random) -> Pixels:
    """Light an RGB picture from one side, with soft blotches, like painted shading."""
    h, w = pixels.shape[:2]
    angle = random.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, w, dtype=np.float32)[None]
    y = np.linspace(-1, 1, h, dtype=np.float32)[:, None]
    light = 1 + random.uniform(0.1, 0.5) * (np.cos(angle) * x + np.sin(angle) * y)
    cells = int(random.integers(3, 9))
    blotches = random.normal(1, random.uniform(0.02, 0.2), (cells, cells))
    soft = cv2.resize(
        blotches.astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC
    )
    tint = random.normal(1, 0.05, 3).astype(np.float32)
    return _pixels(pixels * (light * soft)[..., None] * tint)


def line_art(pixels: Pixels, random: Random) -> Pixels:
    """Keep only the outlines, black on paper or over faded colours."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    block = int(random.choice([5, 7, 9]))
    lines = cv2.adaptiveThreshold(
        grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, block, 5
    )
    if random.random() < 0.5:
        return _pixels(cv2.cvtColor(lines, cv2.COLOR_GRAY2RGB))
    return _pixels(pixels * (0.4 + 0.6 * (lines[..., None] > 0)))


def pencil(pixels: Pixels, random: Random) -> Pixels:
    """Imitate a soft pencil (colour dodge)."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    blurred = cv2.GaussianBlur(255 - grey, (0, 0), random.uniform(2, 7))
    dodged = cv2.divide(grey, 255 - blurred, scale=256)
    return _pixels(cv2.cvtColor(dodged, cv2.COLOR_GRAY2RGB))


def oil(pixels: Pixels, random: Random) -> Pixels:
    """Flatten into strokes: a median filter, then sharpening."""
    flat = cv2.medianBlur(pixels, int(random.choice([3, 5, 7])))
    soft = cv2.GaussianBlur(flat, (0, 0), 2)
    return _pixels(cv2.addWeighted(flat, 1.6, soft, -0.6, 0))


def smooth(pixels: Pixels, random: Random) -> Pixels:
    """Smooth surfaces and keep edges, like airbrushed art."""
    return _pixels(cv2.bilateralFilter(pixels, 7, random.uniform(25, 90), 5))


def posterised(pixels: Pixels, random: Random) -> Pixels:
    """Reduce to a few tones."""
    step = 256 / int(random.integers(3, 8))
    return _pixels((np.floor(pixels / step) + 0.5) * step)


def grey(pixels: Pixels, random: Random) -> Pixels:
    """Convert to grey, perhaps with the tint of old paper."""
    one = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]
    tint = random.uniform(0.75, 1.05, 3) if random.random() < 0.3 else np.ones(3)
    return _pixels(one * tint)


def screentone(pixels: Pixels, random: Random) -> Pixels:
    """Print with dots, like comics."""
    h, w = pixels.shape[:2]
    pitch = random.uniform(3, 6)
    y, x = np.mgrid[:h, :w].astype(np.float32) * (2 * np.pi / pitch)
    dots = 0.5 + 0.25 * (np.sin(x + y) + np.sin(x - y))
    strength = random.uniform(0.2, 0.8)
    if random.random() < 0.5:
        one = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) / 255
        printed = np.where(one < 0.25, 0, np.where(one > dots * 0.8 + 0.1, 1, 0.3))
        return _pixels(np.repeat(printed[..., None] * 255, 3, 2))
    return _pixels(pixels * (1 - strength * 0.5 * dots[..., None]))


def noisy(pixels: Pixels, random: Random) -> Pixels:
    """Add grain, or the weave of a canvas."""
    h, w = pixels.shape[:2]
    grain = random.normal(0, random.uniform(3, 16), (h, w, 1)).astype(np.float32)
    if random.random() < 0.4:
        soft_grain = cv2.GaussianBlur(grain, (0, 0), 1.2)[..., None]
        grain = np.asarray(soft_grain * 2, np.float32)
    return _pixels(pixels + grain)


def soft(pixels: Pixels, random: Random) -> Pixels:
    """Blur, or reduce and enlarge."""
    if random.random() < 0.5:
        return _pixels(cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.5, 1.6)))
    h, w = pixels.shape[:2]
    by = random.uniform(0.45, 0.9)
    small = cv2.resize(pixels, (max(2, int(w * by)), max(2, int(h * by))))
    return _pixels(cv2.resize(small, (w, h)))


def compressed(pixels: Pixels, random: Random) -> Pixels:
    """Save as JPEG and read again."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 90))]
    _, data = cv2.imencode(".jpg", pixels, quality)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return pixels if decoded is None else _pixels(decoded)


def contrasted(pixels: Pixels, random: Random) -> Pixels:
    """Change gamma and contrast."""
    table = (np.arange(256) / 255) ** random.uniform(0.6, 1.8)
    table = (table - 0.5) * random.uniform(0.7, 1.3) + random.uniform(0.42, 0.58)
    return _pixels(cv2.LUT(pixels, _pixels(table * 255)))


#: Probability of each effect for a whole picture.
EFFECTS = (
    (graded, 0.5),
    (shaded, 0.3),
    (oil, 0.18),
    (smooth, 0.12),
    (posterised, 0.08),
    (line_art, 0.06),
    (pencil, 0.05),
    (screentone, 0.07),
    (grey, 0.12),
    (contrasted, 0.4),
    (soft, 0.25),
    (noisy, 0.2),
    (compressed, 0.3),
)


def redrawn(pixels: Pixels, random: Random) -> Pixels:
    """Redraw an RGB picture of any size without moving anything."""
    for effect, chance in EFFECTS:
        if random.random() < chance:
            pixels = effect(pixels, random)
    return pixels


def coloured_photograph(grey_face: Pixels, random: Random) -> Pixels:
    """Colour a grey photograph of a face with painted skin tones."""
    one = cv2.cvtColor(grey_face, cv2.COLOR_RGB2GRAY)
    dark = random.uniform(0, 70, 3) * (1, 0.7, 0.6)
    skin = np.array((215, 165, 135)) * random.uniform(0.55, 1.1) + random.normal(
        0, 12, 3
    )
    light = np.array((255, 235, 215)) * random.uniform(0.85, 1)
    stops = np.stack([dark, skin, light])
    table = np.stack(
        [np.interp(np.arange(256), (0, 150, 255), stops[:, c]) for c in range(3)]
    )
    return _pixels(table.T[one])


def _pixels(values: NDArray[np.generic] | cv2.typing.MatLike) -> Pixels:
    return np.clip(np.asarray(values), 0, 255).astype(np.uint8)
