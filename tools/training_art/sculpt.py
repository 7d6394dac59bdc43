"""Render invented people in three dimensions: any pose, light, expression and hair.

What is drawn is a cloud of points, dense enough to leave no gaps: every quad of the
mesh is sampled, far points are overwritten by near ones, and each pixel is shaded by
the point that won it. Hair and beards are shells of points above the skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from icf.tools.training_art import bodies
from icf.tools.training_art.bodies import Floats, Indices, Random
from icf.tools.training_art.people import Person
from icf.tools.training_art.styles import Box

Pixels = NDArray[np.uint8]

#: Numbers of samples along a side of a quad.
_STEPS = np.array([2, 3, 4, 6, 8, 11, 15, 21, 30, 42, 60])
#: Rendered at twice the size, then halved: smooth edges.
OVERSAMPLED = 2
_SCALP_Z = (-0.8, 0.0, 0.3, 0.55, 1.0, 1.5)
_SCALP_Y = (6.1, 6.25, 6.9, 7.5, 7.9, 8.05)


@dataclass(frozen=True)
class Points:
    """Samples of the surface.

    Attributes:
        place: n x 3, after morphs, pose not yet applied.
        rest: n x 3, where the same point is on the base mesh.
        normal: n x 3, of any length.
        uv: n x 2.
        part: n, an index into `bodies.PARTS`.
    """

    place: Floats
    rest: Floats
    normal: Floats
    uv: Floats
    part: Indices

    def where(self, chosen: NDArray[np.bool_] | Indices) -> Points:
        """Select samples by mask or index."""
        if chosen.dtype == np.bool_:
            chosen = np.flatnonzero(chosen)
        return Points(
            self.place.take(chosen, 0),
            self.rest.take(chosen, 0),
            self.normal.take(chosen, 0),
            self.uv.take(chosen, 0),
            self.part.take(chosen),
        )


def draw(who: Person, random: Random, side: int = 240) -> tuple[Pixels, Box]:
    """Render one picture of a person.

    Args:
        who: the person.
        random: decides pose, expression, light and finish.
        side: of the picture, in pixels.

    Returns:
        RGBA, uint8, (side, side, 4), and the box of the face in its pixels.
    """
    weights = {**who.shape, **bodies.expression(random)}
    vertices = bodies.morphed(weights)
    turn = _pose(random)
    size = side * OVERSAMPLED
    view = _View(vertices, turn, size, random)
    skin = _sampled(vertices, turn, view.scale)
    cloud = _with_hair(skin, who)
    pixels, winners = _splat(view, cloud)
    seen = cloud.where(winners)
    albedo = _albedo(seen, who, random)
    colours = _lit(albedo, seen.normal @ turn.T, random)
    picture = np.zeros((size * size, 4), np.uint8)
    picture[pixels, :3] = np.clip(colours, 0, 255)
    picture[pixels, 3] = 255
    finished = _finished(picture.reshape(size, size, 4), random)
    small = cv2.resize(finished, (side, side), interpolation=cv2.INTER_AREA)
    x1, y1, x2, y2 = (v / OVERSAMPLED for v in view.face_box())
    return np.asarray(small, np.uint8), (x1, y1, x2, y2)


def _pose(random: Random) -> Floats:
    """A random rotation: mostly frontal, sometimes in profile."""
    yaw = np.deg2rad(np.clip(random.normal(0, 32), -85, 85))
    pitch = np.deg2rad(np.clip(random.normal(0, 13), -40, 40))
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    return np.asarray(about_x @ about_y, np.float64)


class _View:
    """A camera in front of the head."""

    def __init__(
        self, vertices: Floats, turn: Floats, size: int, random: Random
    ) -> None:
        self.turn, self.size, self.vertices = turn, size, vertices
        rest = bodies.mesh().vertices
        self.head = (rest[:, 1] > 6.2) & (rest[:, 1] < 8.6) & (abs(rest[:, 0]) < 1)
        self.centre = vertices[self.head].mean(0)
        self.distance = float(random.uniform(9, 30))
        self.scale = 1.0
        self.shift = np.zeros(2)
        flat = self.flat(vertices[self.head])[:, :2]
        low, high = flat.min(0), flat.max(0)
        self.scale = 0.62 * size / float((high - low).max())
        self.shift = size * np.array([0.5, 0.44]) - self.scale * (low + high) / 2

    def flat(self, places: Floats) -> Floats:
        """Project to x and y in pixels, and depth, larger towards the viewer."""
        turned = (places - self.centre) @ self.turn.T
        nearer = self.distance / (self.distance - turned[:, 2:])
        xy = turned[:, :2] * nearer * (1, -1)
        return np.hstack([xy * self.scale + self.shift, turned[:, 2:]])

    def face_box(self) -> Box:
        """The face box: chin to hairline, ear to ear."""
        x, y, z = bodies.mesh().vertices.T[:3]
        face = (y > 6.2) & (y < 8.0) & (z > 0.45) & (abs(x) < 0.8) & self.head
        flat = self.flat(self.vertices[face])
        low, high = flat.min(0), flat.max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _sampled(vertices: Floats, turn: Floats, scale: float) -> Points:
    """Sample every quad that may be visible about once per pixel."""
    mesh = bodies.mesh()
    at_vertices = _normals(vertices, mesh.quads)
    # The inside of loose hair is visible too.
    away = (at_vertices @ turn[2])[mesh.quads].max(1) < -0.15
    seen = ~away | (mesh.part == bodies.PARTS.index("helper-hair"))
    quads, uv, part = mesh.quads[seen], mesh.uv[seen], mesh.part[seen]
    corners, rest = vertices[quads], mesh.vertices[quads]
    normals = at_vertices[quads]
    edges = np.linalg.norm(corners - np.roll(corners, 1, 1), axis=2).max(1) * scale
    steps = _STEPS[np.searchsorted(_STEPS[:-1], edges * 1.1)]
    pieces = []
    for step in np.unique(steps):
        some = steps == step
        t = (np.arange(step) + 0.5) / step
        u, v = (g.ravel() for g in np.meshgrid(t, t))
        weights = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v])
        spread = [_spread(weights, a[some]) for a in (corners, rest, normals, uv)]
        pieces.append((*spread, np.repeat(part[some], len(u))))
    return Points(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))


def _spread(weights: Floats, corners: Floats) -> Floats:
    """Mix the corners of quads, q x 4 x d, by weights, 4 x s: (q s) x d."""
    count, _, width = corners.shape
    mixed = corners.transpose(0, 2, 1).reshape(-1, 4) @ weights
    return mixed.reshape(count, width, -1).transpose(0, 2, 1).reshape(-1, width)


def _normals(vertices: Floats, quads: Indices) -> Floats:
    a, b, c, d = (vertices[quads[:, i]] for i in range(4))
    flat = np.cross(c - a, d - b)
    normals = np.zeros_like(vertices)
    for i in range(4):
        np.add.at(normals, quads[:, i], flat)
    return _unit(normals)


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float64)


def _noise(at: Floats, seed: int, scale: float) -> Floats:
    """Smooth noise in -1..1 at n x 3 places: a few waves."""
    random = np.random.default_rng(seed)
    total = np.zeros(len(at))
    for octave in (1, 2.3):
        ways = random.normal(0, scale * octave, (3, 3))
        total += np.sin(at @ ways + random.uniform(0, 6.3, 3)).sum(1) / (3 * octave)
    return total


def _strands(points: Points, who: Person) -> Floats:
    """Brightness of the strands of hair, from the crown downwards, in 0..1."""
    x, y, z = points.rest.T
    angle = np.arctan2(x, z - 0.3)
    waves = who.curls * 0.25 * np.sin(6 * y + 9 * angle)
    sway = waves + 0.1 * _noise(points.rest, who.seed, 2)
    fine = np.sin(55 * (angle + sway)) + 0.6 * np.sin(23 * (angle + sway) + 2)
    return np.asarray(0.5 + 0.28 * fine, np.float64)


def _scalp(points: Points, who: Person) -> NDArray[np.bool_]:
    x, y, z = points.rest.T
    line = np.interp(z, _SCALP_Z, _SCALP_Y) + who.hairline * np.clip(z - 0.2, 0, 1)
    line += 0.07 * np.sin(9 * x + who.seed) * (z > 0.6)
    bare = (points.part != 0) | (_looked_up("ears", points) >= 0.4)
    return np.asarray((y > line) & ~bare, np.bool_)


def _chin(points: Points, who: Person) -> NDArray[np.bool_]:
    x, y, z = points.rest.T
    jaw = (y > 6.0) & (y < 6.62 + 0.35 * np.clip(abs(x) - 0.35, 0, 1)) & (z > 0.25)
    lip = (y > 6.79) & (y < 6.92) & (abs(x) < 0.33) & (z > 1.2)
    bare = (_looked_up("lips", points) > 0.3) | (points.part != 0)
    return np.asarray(((jaw & (who.beard > 0)) | (lip & who.moustache)) & ~bare)


def _looked_up(name: str, points: Points) -> Floats:
    """Read a texture at each point."""
    texture = bodies.mask(name)
    height, width = texture.shape
    column = np.clip((points.uv[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip(((1 - points.uv[:, 1]) * height).astype(int), 0, height - 1)
    return np.asarray(texture[row, column])


#: Heights of the layers of hair, as shares of its thickness.
_SHELLS = (0.2, 0.45, 0.7, 0.85, 1.0)


def _with_hair(skin: Points, who: Person) -> Points:
    """Keep the person's part of the long hair, and add layers above the skin."""
    x, y, z = skin.rest.T
    loose = skin.part == bodies.PARTS.index("helper-hair")
    before_face = (z > 0.5) & (y < 7.95) & (abs(x) < who.parting)
    kept = skin.where(~loose | ((y > who.length) & ~before_face))
    layers = [kept]
    for root, thickness in (
        (kept.where(_scalp(kept, who)), who.thickness),
        (kept.where(_chin(kept, who)), who.beard or 0.05),
    ):
        bumps = _noise(root.rest, who.seed + 1, 2.5 + 3 * who.curls)
        high = thickness * (1 + 0.35 * (0.5 + who.curls) * bumps)
        strands = _strands(root, who)
        for share in _SHELLS if thickness else ():
            thick = strands > 0.4 * (share - 0.4)
            shell = root.where(thick)
            place = shell.place + share * high[thick, None] * shell.normal
            hair = np.full(len(place), len(bodies.PARTS))
            layers.append(Points(place, shell.rest, shell.normal, shell.uv, hair))
    if who.hat < 90:
        under = (kept.rest[:, 1] > who.hat) & (kept.part == 0)
        cap = kept.where(under)
        place = cap.place + (0.12 + who.thickness) * cap.normal
        cloth = np.full(len(place), len(bodies.PARTS) + 1)
        layers.append(Points(place, cap.rest, cap.normal, cap.uv, cloth))
    fields = [
        [getattr(a, f) for a in layers]
        for f in ("place", "rest", "normal", "uv", "part")
    ]
    return Points(*(np.concatenate(each) for each in fields))


def _splat(view: _View, cloud: Points) -> tuple[Indices, Indices]:
    """Return the covered pixels, and the nearest point of each."""
    size = view.size
    flat = view.flat(cloud.place)
    x, y = flat[:, 0].astype(int), flat[:, 1].astype(int)
    inside = np.flatnonzero((x >= 0) & (x < size) & (y >= 0) & (y < size))
    at, depth = y[inside] * size + x[inside], flat[inside, 2]
    highest = np.full(size * size, -np.inf)
    np.maximum.at(highest, at, depth)
    on_top = depth == highest[at]
    nearest = np.full(size * size, -1)
    nearest[at[on_top]] = inside[on_top]
    grid = nearest.reshape(size, size)
    # A gap of one pixel takes the point of a neighbour.
    for axis in (0, 1):
        before, after = np.roll(grid, 1, axis), np.roll(grid, -1, axis)
        grid = np.where((grid < 0) & (before >= 0) & (after >= 0), before, grid)
    pixels = np.flatnonzero(grid.ravel() >= 0)
    return pixels, grid.ravel()[pixels]


def _albedo(points: Points, who: Person, random: Random) -> Floats:
    """The unlit colour of each point: n x 3, 0..255."""
    x, y, z = points.rest.T
    colour = np.tile(who.skin, (len(x), 1))
    colour *= 1 + 0.06 * _noise(points.rest, who.seed + 2, 5)[:, None]
    blush = np.exp(-(((abs(x) - 0.45) / 0.22) ** 2) - ((y - 6.95) / 0.2) ** 2) * (
        z > 0.7
    )
    colour += blush[:, None] * (18, -8, -8)
    lips = _looked_up("lips", points)[:, None] * who.lips
    colour = colour * (1 - lips) + lips * np.array((175, 60, 65))
    lids = _looked_up("eyelids", points)[:, None] * who.makeup
    colour = colour * (1 - lids) + lids * who.eyes * 0.8
    if who.freckles:
        spots = (_noise(points.rest, who.seed + 3, 45) > 0.55) & (abs(y - 7) < 0.3)
        colour[spots & (z > 0.9)] *= 0.8
    arch = 7.56 + 0.1 * np.sin(np.clip((abs(x) - 0.1) / 0.45, 0, 1) * np.pi) - 0.05
    brow = (abs(y - arch) < who.brows) & (abs(x) > 0.1) & (abs(x) < 0.56) & (z > 0.9)
    colour[brow] = who.hair * 0.75
    cloth = (y < who.collar + 0.25 * np.clip(abs(x) - 0.3, 0, 1)) & (points.part == 0)
    colour[cloth] = who.cloth
    long = points.part == bodies.PARTS.index("helper-hair")
    hair = (points.part == len(bodies.PARTS)) | long
    tone = 0.6 + 0.7 * _strands(points, who)[hair]
    colour[hair] = who.hair * tone[:, None] + 8
    colour[points.part == len(bodies.PARTS) + 1] = 255 - who.cloth
    colour[points.part == bodies.PARTS.index("helper-upper-teeth")] = (235, 230, 215)
    _paint_eyes(colour, points, who, random)
    return np.asarray(colour, np.float64)


def _paint_eyes(colour: Floats, points: Points, who: Person, random: Random) -> None:
    gaze = random.normal(0, 0.025, 2)
    for name, centre in zip(("helper-l-eye", "helper-r-eye"), bodies.EYES, strict=True):
        eye = points.part == bodies.PARTS.index(name)
        offset = points.rest[eye] - centre
        off = np.hypot(offset[:, 0] - gaze[0], offset[:, 1] - gaze[1])
        colour[eye] = (238, 236, 232)
        iris = np.flatnonzero(eye)[off < who.iris]
        colour[iris] = who.eyes * 1.2
        colour[np.flatnonzero(eye)[(off < who.iris) & (off > 0.8 * who.iris)]] = (
            who.eyes * 0.5
        )
        colour[np.flatnonzero(eye)[off < 0.45 * who.iris]] = 15
        shine = np.hypot(offset[:, 0] - gaze[0] - 0.03, offset[:, 1] - gaze[1] - 0.035)
        colour[np.flatnonzero(eye)[shine < 0.018]] = 255


def _lit(albedo: Floats, normal: Floats, random: Random) -> Floats:
    """Light the points: key light, ambient light, sometimes a rim or few tones."""
    normal = _unit(normal)
    key = random.normal(0, 1, 3) * (1, 0.6, 0.2) + (0, 0.5, 1.0)
    key /= np.linalg.norm(key)
    lit = np.clip(normal @ key, 0, 1) ** random.uniform(0.6, 1.3)
    if random.random() < 0.35:
        tones = int(random.integers(2, 5))
        lit = np.floor(lit * tones + 0.5) / tones
    warm = 1 + random.normal(0, 0.06, 3)
    ambient = random.uniform(0.3, 0.75) * (1 + random.normal(0, 0.08, 3))
    light = ambient + random.uniform(0.4, 0.85) * lit[:, None] * warm
    if random.random() < 0.3:
        rim = np.clip(1 - abs(normal[:, 2]), 0, 1) ** 3
        light = light + rim[:, None] * random.uniform(0, 1, 3)
    return np.asarray(albedo * light, np.float64)


def _finished(picture: Pixels, random: Random) -> Pixels:
    """Draw outlines on half of the pictures."""
    if random.random() < 0.5:
        return picture
    strong = random.random() < 0.5
    grey = cv2.cvtColor(picture[..., :3], cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(cv2.GaussianBlur(grey, (0, 0), 2), 60, 160)
    outline = cv2.morphologyEx(picture[..., 3], cv2.MORPH_GRADIENT, np.ones((5, 5)))
    lines = np.maximum(edges if strong else 0, outline)
    lines = cv2.dilate(lines, np.ones((2, 2)))
    soft = cv2.GaussianBlur(lines, (0, 0), 0.8)[..., None] / 255
    drawn = picture.astype(np.float64)
    drawn[..., :3] *= 1 - 0.85 * soft
    return np.asarray(drawn, np.uint8)
