"""Draw characters in places, and record every face box."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw, ImageOps

from icf.app.demo.site.truth import Box, TrueFace
from icf.tools.demo_pictures.anime import Anime
from icf.tools.demo_pictures.backgrounds import place, plain, soft
from icf.tools.demo_pictures.brush import brushed
from icf.tools.demo_pictures.cast import Character, Comicgen, OpenPeeps
from icf.tools.demo_pictures.figures import Figure, Wardrobe, flipped, render, turned
from icf.tools.demo_pictures.light import lit, shown
from icf.tools.demo_pictures.painted import Painted


@dataclass(frozen=True)
class Scene:
    """A finished picture (RGB) and its visible faces."""

    picture: Image.Image
    faces: tuple[TrueFace, ...]


def portrait(wardrobe: Wardrobe, rng: random.Random, who: Character) -> Scene:
    """A clear picture of one upright face: the lead picture of a character's page."""
    side = rng.randint(140, 165)
    figure = render(wardrobe.drawing(who), side, who.name)
    size = (round(side * 2.5), round(side * 2.6))
    canvas = plain(rng, size)
    at = (size[0] / 2, size[1] * 0.5)
    scene = Scene(canvas, (_paste(canvas, figure, at),))
    if isinstance(who.look, Painted):
        return replace(scene, picture=brushed(scene.picture, rng))
    return scene


def single(wardrobe: Wardrobe, rng: random.Random, who: Character) -> Scene:
    """One character in a place, with any expression and rotation."""
    side = round(rng.triangular(110, 225, 128))
    figure = _posed(wardrobe, rng, who, side)
    wide = side * rng.uniform(1.8, 3.2)
    above, below = side * rng.uniform(0.95, 1.5), side * _below(rng, who)
    size = (max(210, round(wide)), max(210, round(above + below)))
    canvas = place(rng, size)
    margin = 0.62 * side / size[0]
    at = (size[0] * rng.uniform(max(0.3, margin), 1 - max(0.3, margin)), above)
    face = _paste(canvas, figure, at)
    return _finished(rng, _in_style(rng, [who], Scene(canvas, (face,))))


def group(
    wardrobe: Wardrobe, rng: random.Random, members: Sequence[Character]
) -> Scene:
    """Two or three characters side by side."""
    side = rng.randint(108, 140)
    step = side * rng.uniform(1.85, 2.2)
    high = side * rng.uniform(1.2, 1.5) + side * min(_below(rng, m) for m in members)
    size = (round(step * (len(members) + 0.1)), round(high))
    canvas = place(rng, size)
    faces = []
    for k, who in enumerate(members):
        figure = _posed(wardrobe, rng, who, round(side * rng.uniform(0.94, 1.08)))
        at = (step * (k + 0.55), side * rng.uniform(1.0, 1.2))
        faces.append(_paste(canvas, figure, at))
    return _finished(rng, _in_style(rng, members, Scene(canvas, tuple(faces))))


def distant(wardrobe: Wardrobe, rng: random.Random, who: Character) -> Scene:
    """A distant character: its face is too small."""
    side = rng.randint(26, 64)
    size = (rng.randint(240, 420), rng.randint(220, 360))
    canvas = place(rng, size)
    figure = _posed(wardrobe, rng, who, side)
    below = side * _below(rng, who)
    at = (size[0] * rng.uniform(0.25, 0.75), size[1] - below)
    scene = Scene(canvas, (_paste(canvas, figure, at),))
    return _in_style(rng, [who], scene)


def empty(rng: random.Random) -> Scene:
    """A drawn place without people."""
    size = (rng.randint(240, 440), rng.randint(220, 400))
    return _finished(rng, Scene(place(rng, size, busy=True), ()))


def _in_style(rng: random.Random, members: Sequence[Character], scene: Scene) -> Scene:
    """Draw all of a picture as the first of its characters is drawn."""
    look = members[0].look
    if isinstance(look, Anime):
        return replace(scene, picture=shown(scene.picture, rng))
    if isinstance(look, Painted):
        return replace(scene, picture=brushed(lit(scene.picture, rng), rng))
    return scene


def _below(rng: random.Random, who: Character) -> float:
    """Height of the body below the middle of the face, in faces."""
    if isinstance(who.look, OpenPeeps):
        return rng.uniform(0.9, 1.45)
    if isinstance(who.look, Comicgen):
        return rng.uniform(1.0, 2.6)
    return rng.uniform(1.0, 2.0)


def _posed(wardrobe: Wardrobe, rng: random.Random, who: Character, side: int) -> Figure:
    figure = render(wardrobe.drawing(who), side, who.name)
    if rng.random() < 0.5:
        figure = flipped(figure)
    most = 30 if isinstance(who.look, Anime | Painted) else 18
    return turned(figure, rng.uniform(-most, most) if rng.random() < 0.7 else 0.0)


def _paste(canvas: Image.Image, figure: Figure, at: tuple[float, float]) -> TrueFace:
    """Draw ``figure`` with the middle of its face at ``at``."""
    dx, dy = round(at[0] - figure.centre[0]), round(at[1] - figure.centre[1])
    canvas.paste(figure.picture, (dx, dy), figure.picture)
    x1, y1, x2, y2 = figure.face
    return TrueFace(_within((x1 + dx, y1 + dy, x2 + dx, y2 + dy), canvas), figure.name)


def _within(box: tuple[float, float, float, float], canvas: Image.Image) -> Box:
    x1, y1, x2, y2 = (round(value) for value in box)
    return max(0, x1), max(0, y1), min(canvas.width, x2), min(canvas.height, y2)


def _finished(rng: random.Random, scene: Scene) -> Scene:
    """Add a speech balloon, a frame, or a tint, as printed pages have."""
    picture = scene.picture
    if rng.random() < 0.3:
        _balloon(rng, picture, scene.faces)
    if rng.random() < 0.3:
        edge = rng.randint(3, 7)
        ImageDraw.Draw(picture).rectangle(
            (0, 0, picture.width - 1, picture.height - 1), outline="black", width=edge
        )
    how = rng.random()
    if how < 0.06:
        picture = ImageOps.grayscale(picture).convert("RGB")
    elif how < 0.2:
        tint = Image.new("RGB", picture.size, soft(rng, 130, 255))
        picture = Image.blend(picture, tint, rng.uniform(0.08, 0.2))
    return replace(scene, picture=picture)


def _balloon(
    rng: random.Random, picture: Image.Image, faces: tuple[TrueFace, ...]
) -> None:
    """Draw a speech balloon in a corner without a face."""
    w, h = picture.width // 3, picture.height // 6
    x, y = rng.choice((8, picture.width - w - 8)), rng.choice((8, picture.height - h))
    for x1, y1, x2, y2 in (face.box for face in faces):
        if x < x2 and x1 < x + w and y < y2 and y1 < y + h:
            return
    pen = ImageDraw.Draw(picture)
    pen.ellipse((x, y, x + w, y + h), fill="white", outline="black", width=3)
    for k in range(3):
        line, length = y + h * (k + 2) // 6, rng.uniform(0.3, 0.6)
        start = x + w * 0.22
        pen.line((start, line, start + w * length, line), fill="black", width=2)
