"""Compose training pictures of characters, places and things, with exact face boxes."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.tools.training_art import drawings, faceless, paint, place
from icf.tools.training_art.drawings import Drawing
from icf.tools.training_art.heads import Art, Head, Pixels

#: Chance that a whole picture is redrawn.
_REDRAWN = 0.85
#: Chance that a picture of figures without a face is a drawing by people.
_FACELESS_DRAWING = 0.35

Random = np.random.Generator
Affine = NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """A picture and its faces.

    Attributes:
        pixels: H x W x 3, RGB.
        boxes: n x 4, x1, y1, x2, y2 in pixels, clipped to the picture.
        kinds: n, 0 for a cartoon face, 1 for a human one.
        ignored: m x 4, faces that a detector may find or not (half hidden, tiny).
    """

    pixels: Pixels
    boxes: NDArray[np.float32]
    kinds: NDArray[np.int64]
    ignored: NDArray[np.float32]


@dataclass(frozen=True)
class Shares:
    """What scenes there are besides those of the first generation.

    Attributes:
        drawings: share of cuts of whole drawings by people.
        faceless: share of pictures of figures whose face is painted over, with hands,
            clothes, jewels and weapons.
        objects: chance that such things lie around in other scenes.
    """

    drawings: float = 0.0
    faceless: float = 0.0
    objects: float = 0.0


#: The scenes of the first generation.
FIRST = Shares()


def compose(art: Art, side: int, random: Random, shares: Shares = FIRST) -> Scene:
    """Draw one training picture of ``side`` x ``side`` pixels."""
    if shares.drawings and art.drawings and random.random() < shares.drawings:
        drawing = art.drawings[int(random.integers(len(art.drawings)))]
        return _of_drawing(drawings.cut(drawing, side, random), random)
    if shares.faceless and random.random() < shares.faceless:
        return _faceless(art, side, random)
    canvas = place.background(art, side, random)
    if shares.objects and random.random() < shares.objects:
        place.scatter(canvas, art.objects, random, int(random.integers(1, 5)))
        place.scatter(canvas, art.mined, random, int(random.integers(0, 3)))
    chance = random.random()
    if chance < 0.4:
        faces = _portrait(canvas, art, random)
    elif chance < 0.7:
        faces = _crowd(canvas, art, random)
    elif chance < 0.84:
        faces = _comic_page(canvas, art, random)
    else:
        place.clutter(canvas, art, random, int(random.integers(1, 7)))
        faces = []
    if random.random() < 0.3:
        place.balloons(canvas, random, [f.box for f in faces])
    drawn = paint.redrawn(canvas, random) if random.random() < _REDRAWN else canvas
    return _scene(drawn, faces, side)


def _of_drawing(drawing: Drawing, random: Random) -> Scene:
    placed = [
        Placed((x1, y1, x2, y2), human=False)
        for x1, y1, x2, y2 in drawing.faces.tolist()
    ]
    drawn = drawing.pixels
    if random.random() < _REDRAWN:
        drawn = paint.redrawn(drawn, random)
    scene = _scene(drawn, placed, len(drawn))
    clipped = np.clip(drawing.ignored, 0, len(drawn))
    seen = (clipped[:, 2:] > clipped[:, :2]).all(1)
    return dataclasses.replace(
        scene, ignored=np.concatenate([scene.ignored, clipped[seen]])
    )


def _faceless(art: Art, side: int, random: Random) -> Scene:
    """Figures whose face is painted over, and what they wear and hold."""
    if art.drawings and random.random() < _FACELESS_DRAWING:
        drawing = art.drawings[int(random.integers(len(art.drawings)))]
        shown = drawings.without_faces(drawing, random)
        return _of_drawing(drawings.cut(shown, side, random), random)
    canvas = place.background(art, side, random)
    place.clutter(canvas, art, random, int(random.integers(0, 3)))
    for _ in range(int(random.integers(1, 4))):
        size = side * random.uniform(0.12, 0.6)
        head = pick(art, random)
        hidden = dataclasses.replace(
            head, pixels=faceless.painted_over(head.pixels, head.face, random)
        )
        paste(canvas, hidden, size, random.uniform(0.2, 0.8, 2) * side, random)
    place.scatter(canvas, art.objects, random, int(random.integers(1, 6)))
    place.scatter(canvas, art.mined, random, int(random.integers(1, 5)))
    drawn = paint.redrawn(canvas, random) if random.random() < _REDRAWN else canvas
    return _scene(drawn, [], side)


@dataclass(frozen=True)
class Placed:
    """A face on the canvas."""

    box: tuple[float, float, float, float]
    human: bool


def _scene(pixels: Pixels, faces: list[Placed], side: int) -> Scene:
    boxes, kinds, ignored = [], [], []
    for face in faces:
        x1, y1, x2, y2 = face.box
        clipped = np.clip(face.box, 0, side)
        area = (clipped[2] - clipped[0]) * (clipped[3] - clipped[1])
        if area <= 0:
            continue
        if area < 0.6 * (x2 - x1) * (y2 - y1) or min(x2 - x1, y2 - y1) < 9:
            ignored.append(clipped)
        else:
            boxes.append(clipped)
            kinds.append(int(face.human))
    return Scene(
        pixels,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(kinds, np.int64),
        np.array(ignored, np.float32).reshape(-1, 4),
    )


def _portrait(canvas: Pixels, art: Art, random: Random) -> list[Placed]:
    side = canvas.shape[0]
    size = side * random.uniform(0.28, 0.92)
    at = random.uniform(0.36, 0.64, 2) * side
    if random.random() < 0.3:
        place.clutter(canvas, art, random, 2)
    return [paste(canvas, pick(art, random), size, at, random)]


def _crowd(canvas: Pixels, art: Art, random: Random) -> list[Placed]:
    side = canvas.shape[0]
    place.clutter(canvas, art, random, int(random.integers(0, 5)))
    faces: list[Placed] = []
    largest = side * random.uniform(0.1, 0.45)
    for _ in range(int(random.integers(1, 8))):
        size = float(np.exp(random.uniform(np.log(11), np.log(max(14, largest)))))
        at = random.uniform(0.02, 0.98, 2) * side
        if any(_near(f.box, at, size) for f in faces):
            continue
        faces.append(paste(canvas, pick(art, random), size, at, random))
    return faces


def _near(box: tuple[float, ...], at: NDArray[np.float64], size: float) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    reach = 0.75 * (size + max(box[2] - box[0], box[3] - box[1]))
    return bool(abs(x - at[0]) < reach and abs(y - at[1]) < reach)


def _comic_page(canvas: Pixels, art: Art, random: Random) -> list[Placed]:
    side = canvas.shape[0]
    canvas[:] = 255 if random.random() < 0.8 else random.integers(0, 60)
    faces: list[Placed] = []
    rows, gutter = int(random.integers(1, 4)), int(side * 0.02) + 1
    one_style = random.random() < 0.7
    style = str(random.choice(sorted(art.heads))) if one_style else None
    for top, bottom in _cuts(side, rows, gutter, random):
        for left, right in _cuts(side, int(random.integers(1, 4)), gutter, random):
            height, width = bottom - top, right - left
            if min(height, width) < 24:
                continue
            panel = place.background(art, max(height, width), random)
            panel = np.ascontiguousarray(panel[:height, :width])
            found: list[Placed] = []
            for _ in range(int(random.integers(0, 3))):
                size = min(height, width) * random.uniform(0.22, 0.6)
                at = random.uniform(0.2, 0.8, 2) * (width, height)
                if not any(_near(f.box, at, size) for f in found):
                    head = pick(art, random, style)
                    found.append(paste(panel, head, size, at, random))
            place.balloons(panel, random, [f.box for f in found])
            cv2.rectangle(panel, (0, 0), (width - 1, height - 1), (0, 0, 0), 2)
            canvas[top:bottom, left:right] = panel
            faces += [_inside(f, left, top, width, height) for f in found]
    return faces


def _inside(face: Placed, left: int, top: int, width: int, height: int) -> Placed:
    x1, y1, x2, y2 = face.box
    whole = (x2 - x1) * (y2 - y1)
    x1, x2 = np.clip((x1, x2), 0, width) + left
    y1, y2 = np.clip((y1, y2), 0, height) + top
    seen = (x2 - x1) * (y2 - y1)
    box = (x1, y1, x2, y2) if seen > 0.6 * whole else (x1, y1, x1, y1)
    return Placed(box, face.human)


def _cuts(side: int, parts: int, gutter: int, random: Random) -> list[tuple[int, int]]:
    shares = random.uniform(0.6, 1.4, parts)
    ends = np.concatenate([[0], np.cumsum(shares / shares.sum())]) * side
    edges = ends.astype(int)
    return [(int(a) + gutter, int(b) - gutter) for a, b in itertools.pairwise(edges)]


#: Weights of the kinds of heads; others have 1.
WEIGHTS = {
    "sculpted": 7.0,
    "renpy": 5.0,
    "photograph": 2.0,
    "small photograph": 2.0,
    "facesjs": 1.5,
    "smileys": 2.5,
    "animals": 3.0,
    "cats": 2.0,
    "monsters": 1.5,
    "fluent-3d": 1.5,
    "fluent-emoji-high-contrast figures": 3.0,
    "noto figures": 1.5,
    "openclipart figures": 6.0,
    "streamline-emojis figures": 3.0,
}


def pick(art: Art, random: Random, style: str | None = None) -> Head:
    """Pick a head, of any style or of ``style``."""
    if style is None:
        names = sorted(art.heads)
        weights = np.array([WEIGHTS.get(n, 1.0) for n in names])
        style = str(random.choice(names, p=weights / weights.sum()))
    heads = art.heads[style]
    return heads[int(random.integers(len(heads)))]


def paste(
    canvas: Pixels, head: Head, size: float, at: NDArray[np.float64], random: Random
) -> Placed:
    """Draw ``head`` with its face about ``size`` pixels high, centred ``at`` x, y."""
    head = _reduced(head, size)
    pixels, human = _dressed(head, size, random)
    matrix = _matrix(head, size, at, random)
    height = head.face[3] - head.face[1]
    box = turned_box(matrix, head.face)
    if size < 0.6 * height:
        sigma = 0.35 * height / size
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)
    place.blend(canvas, pixels, matrix)
    return Placed(box, human)


def _reduced(head: Head, size: float) -> Head:
    """Halve a picture before shrinking it: cheaper, and without aliasing."""
    while size < 0.4 * (head.face[3] - head.face[1]):
        h, w = head.pixels.shape[0] // 2, head.pixels.shape[1] // 2
        small = cv2.resize(head.pixels, (w, h), interpolation=cv2.INTER_AREA)
        x1, y1, x2, y2 = (v / 2 for v in head.face)
        pixels = np.asarray(small, np.uint8)
        head = Head(pixels, (x1, y1, x2, y2), head.style, head.identity)
    return head


def _matrix(head: Head, size: float, at: NDArray[np.float64], random: Random) -> Affine:
    x1, y1, x2, y2 = head.face
    turn = np.deg2rad(
        random.normal(0, 12) if random.random() < 0.85 else random.normal(0, 35)
    )
    scale = size / (y2 - y1)
    wide = scale * float(np.exp(random.normal(0, 0.08)))
    if random.random() < 0.5:
        wide = -wide
    shear = random.normal(0, 0.06)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = rotation @ np.array([[wide, shear * scale], [0, scale]])
    centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
    return np.column_stack([linear, np.asarray(at) - linear @ centre])


def turned_box(
    matrix: Affine, face: tuple[float, ...]
) -> tuple[float, float, float, float]:
    """Return the upright box around a face, assumed to be an ellipse, after ``matrix``.

    >>> turned_box(np.array([[0.0, -1, 10], [1, 0, 0]]), (0, 0, 4, 2))
    (8.0, 0.0, 10.0, 4.0)
    """
    x1, y1, x2, y2 = face
    x, y = matrix[:, :2] @ ((x1 + x2) / 2, (y1 + y2) / 2) + matrix[:, 2]
    axes = matrix[:, :2] * ((x2 - x1) / 2, (y2 - y1) / 2)
    w, h = np.hypot(axes[:, 0], axes[:, 1])
    return float(x - w), float(y - h), float(x + w), float(y + h)


def _dressed(head: Head, size: float, random: Random) -> tuple[Pixels, bool]:
    """Recolour and redraw one head; a repainted photograph counts as a cartoon."""
    colours, alpha = head.pixels[..., :3], head.pixels[..., 3:]
    if head.style == "sculpted" and random.random() < 0.7:
        return np.dstack([painted(colours, random), alpha]), False
    if not head.human:
        if random.random() < 0.5:
            colours = paint.graded(colours, random)
        if random.random() < 0.45:
            colours = paint.shaded(colours, random)
        return np.dstack([colours, alpha]), False
    small = head.style == "small photograph"
    repainted = random.random() < 0.65 or (small and size > 48)
    if small:
        alpha = _oval(alpha.shape[0], random)[..., None]
        colours = paint.coloured_photograph(colours, random)
    if repainted:
        colours = painted(colours, random)
    elif random.random() < 0.5:
        colours = paint.graded(colours, random)
    return np.dstack([colours, alpha]), not repainted


def painted(colours: Pixels, random: Random) -> Pixels:
    """Repaint a photograph or a model: strokes, other colours, soft shadows."""
    for effect in (paint.oil, paint.graded, paint.shaded, paint.smooth):
        if random.random() < 0.7:
            colours = effect(colours, random)
    if random.random() < 0.3:
        colours = paint.posterised(colours, random)
    return colours


def _oval(side: int, random: Random) -> Pixels:
    mask = np.zeros((side, side), np.uint8)
    if random.random() < 0.4:
        mask[:] = 255
    else:
        middle, axes = (side // 2, side // 2), (int(side * 0.45), int(side * 0.49))
        cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), side * 0.02), np.uint8)
    return mask
