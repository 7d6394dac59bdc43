"""Drawn places without people: rooms, streets, skies, comic panels."""

from __future__ import annotations

import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Size = tuple[int, int]
Painter = Callable[[random.Random, Size], Image.Image]


def soft(rng: random.Random, low: int = 120, high: int = 245) -> Colour:
    """Pick a colour on which line art is readable."""
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)


def _gradient(size: Size, top: Colour, bottom: Colour) -> Image.Image:
    mask = Image.linear_gradient("L").resize(size)
    return Image.composite(
        Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask
    )


def plain(rng: random.Random, size: Size) -> Image.Image:
    """A gradient between two colours."""
    return _gradient(size, soft(rng), soft(rng))


def shapes(rng: random.Random, size: Size) -> Image.Image:
    """Circles, squares and stripes, like a title card."""
    picture = plain(rng, size)
    pen = ImageDraw.Draw(picture)
    w, h = size
    for _ in range(rng.randint(4, 12)):
        x, y, r = rng.randint(0, w), rng.randint(0, h), rng.randint(w // 20, w // 5)
        colour = soft(rng)
        if rng.random() < 0.5:
            pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        else:
            pen.rounded_rectangle((x - r, y - r, x + r, y + r), r // 4, fill=colour)
    return picture


def room(rng: random.Random, size: Size) -> Image.Image:
    """A wall, a floor, a window, a picture on the wall, a plant."""
    w, h = size
    picture = Image.new("RGB", size, soft(rng, 170))
    pen = ImageDraw.Draw(picture)
    stripe, step = soft(rng, 180), max(12, w // rng.randint(8, 16))
    for x in range(0, w, step * 2):
        pen.rectangle((x, 0, x + step, h), fill=stripe)
    floor = int(h * rng.uniform(0.7, 0.85))
    pen.rectangle((0, floor, w, h), fill=soft(rng, 90, 190))
    pen.line((0, floor, w, floor), fill=(40, 40, 40), width=max(2, w // 150))
    _window(rng, pen, int(w * rng.choice((0.04, 0.62))), int(h * 0.12), w // 3)
    x = int(w * rng.choice((0.05, 0.8)))
    pen.rectangle((x, floor - h // 10, x + w // 9, floor + h // 30), fill=(150, 90, 60))
    for _ in range(6):
        dx, dy = rng.randint(-w // 15, w // 15), rng.randint(h // 12, h // 5)
        leaf = (x + dx, floor - h // 10 - dy, x + dx + w // 14, floor - h // 12)
        pen.ellipse(leaf, fill=(60, rng.randint(120, 180), 80), outline=(30, 60, 40))
    return picture


def _window(
    rng: random.Random, pen: ImageDraw.ImageDraw, x: int, y: int, s: int
) -> None:
    box = (x, y, x + s, y + s)
    pen.rectangle(box, fill=soft(rng, 150, 255), outline=(60, 50, 40), width=s // 14)
    pen.line((x + s // 2, y, x + s // 2, y + s), fill=(60, 50, 40), width=s // 24)
    pen.line((x, y + s // 2, x + s, y + s // 2), fill=(60, 50, 40), width=s // 24)


def meadow(rng: random.Random, size: Size) -> Image.Image:
    """Hills under a sky with a sun, clouds and trees."""
    w, h = size
    picture = _gradient(size, (rng.randint(90, 190), 190, 240), (235, 240, 250))
    pen = ImageDraw.Draw(picture)
    x, r = rng.randint(0, w), w // rng.randint(9, 14)
    pen.ellipse((x - r, h // 8 - r, x + r, h // 8 + r), fill=(255, 226, 120))
    for _ in range(rng.randint(1, 4)):
        x, y = rng.randint(0, w), rng.randint(0, h // 3)
        for k in range(4):
            dx, r = k * w // 22, w // rng.randint(18, 30)
            pen.ellipse((x + dx - r, y - r, x + dx + r, y + r), fill=(255, 255, 255))
    for k in range(3):
        green = (110 - 20 * k, rng.randint(165, 200) - 20 * k, 110 - 15 * k)
        x, top = rng.randint(0, w), int(h * (0.55 + 0.12 * k))
        pen.ellipse((x - w, top, x + w, top + h), fill=green)
    for _ in range(rng.randint(1, 5)):
        x, y, r = rng.randint(0, w), int(h * rng.uniform(0.6, 0.8)), w // 16
        pen.rectangle((x - r // 4, y, x + r // 4, y + 2 * r), fill=(110, 75, 50))
        pen.ellipse((x - r, y - 2 * r, x + r, y + r // 2), fill=(50, 130, 70))
    return picture


def street(rng: random.Random, size: Size) -> Image.Image:
    """A row of houses with windows, by day or at night."""
    w, h = size
    night = rng.random() < 0.4
    top, bottom = ((28, 30, 70), (90, 80, 130)) if night else ((150, 200, 235),) * 2
    picture = _gradient(size, top, bottom)
    pen = ImageDraw.Draw(picture)
    x = -rng.randint(0, w // 6)
    while x < w:
        wide, high = rng.randint(w // 6, w // 3), rng.randint(h // 3, int(h * 0.8))
        wall = soft(rng, 60, 130) if night else soft(rng, 140)
        pen.rectangle((x, h - high, x + wide, h), fill=wall, outline=(30, 30, 30))
        pane = max(6, wide // 6)
        for wy in range(h - high + pane, h - pane, pane * 2):
            for wx in range(x + pane, x + wide - pane, pane * 2):
                lit = (255, 230, 140) if rng.random() < 0.5 else (90, 110, 140)
                pen.rectangle((wx, wy, wx + pane, wy + pane), fill=lit)
        x += wide
    pen.rectangle((0, int(h * 0.9), w, h), fill=(90, 90, 95))
    return picture


def sea(rng: random.Random, size: Size) -> Image.Image:
    """Waves, a boat and a gull or two."""
    w, h = size
    picture = _gradient(size, soft(rng, 170, 255), (190, 225, 245))
    pen = ImageDraw.Draw(picture)
    line = int(h * rng.uniform(0.45, 0.65))
    pen.rectangle((0, line, w, h), fill=(60, rng.randint(120, 170), 190))
    for y in range(line + h // 30, h, h // 14):
        for x in range(-w // 10, w, w // 8):
            arc = (x + y % 50, y, x + w // 9 + y % 50, y + h // 20)
            pen.arc(arc, 200, 340, fill=(220, 240, 250), width=max(2, w // 200))
    x, s = rng.randint(0, w), w // 8
    pen.polygon(
        ((x, line), (x + 2 * s, line), (x + int(1.6 * s), line + s // 2)),
        fill=(160, 60, 50),
    )
    pen.polygon(((x + s, line - 2 * s), (x + s, line), (x + 2 * s, line)), fill="white")
    return picture


def rays(rng: random.Random, size: Size) -> Image.Image:
    """Speed lines from a point, as behind a comic hero."""
    w, h = size
    picture = Image.new("RGB", size, soft(rng, 170, 255))
    pen = ImageDraw.Draw(picture)
    cx, cy, colour = rng.randint(0, w), rng.randint(0, h), soft(rng, 130)
    spokes = rng.randint(14, 30)
    for k in range(spokes):
        wedge = 360 / spokes
        box = (cx - w - h, cy - w - h, cx + w + h, cy + w + h)
        pen.pieslice(box, k * wedge, k * wedge + wedge / 2, fill=colour)
    return picture


def dots(rng: random.Random, size: Size) -> Image.Image:
    """A printed screen of dots that grow down the page."""
    w, h = size
    picture = Image.new("RGB", size, soft(rng, 190, 255))
    pen = ImageDraw.Draw(picture)
    step, colour = max(14, w // rng.randint(18, 34)), soft(rng, 120, 220)
    for row, y in enumerate(range(0, h, step)):
        r = step * (0.1 + 0.4 * y / h)
        for x in range(-(row % 2) * step // 2, w, step):
            pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    return picture


def shelves(rng: random.Random, size: Size) -> Image.Image:
    """Shelves with books, jars and loaves."""
    w, h = size
    picture = Image.new("RGB", size, soft(rng, 150, 220))
    pen = ImageDraw.Draw(picture)
    gap = h // rng.randint(3, 5)
    for y in range(gap, h + gap, gap):
        x = w // 60
        while x < w:
            wide, high = rng.randint(w // 40, w // 12), rng.randint(gap // 3, gap - 8)
            item, ink = (x, y - high, x + wide, y), (50, 40, 40)
            if rng.random() < 0.75:
                pen.rectangle(item, fill=soft(rng, 80), outline=ink, width=2)
            else:
                pen.rounded_rectangle(
                    item, wide // 2, fill=soft(rng, 80), outline=ink, width=2
                )
            x += wide + rng.randint(0, w // 40)
        pen.rectangle((0, y, w, y + h // 40), fill=(120, 80, 50))
    return picture


PLACES: tuple[Painter, ...] = (
    plain,
    shapes,
    room,
    meadow,
    street,
    sea,
    rays,
    dots,
    shelves,
)


def place(rng: random.Random, size: Size, busy: bool = False) -> Image.Image:
    """Draw one of the places, antialiased; ``busy``: one with objects."""
    w, h = size
    paint = rng.choice(PLACES[1:] if busy else PLACES)
    picture = paint(rng, (2 * w, 2 * h)).resize(size, Image.Resampling.BOX)
    if rng.random() < 0.2:  # out of focus
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(1, 3)))
    return picture
