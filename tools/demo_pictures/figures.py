"""Draw one character: a transparent picture and its face box.

The face box of each style and angle was drawn by hand in the style's own coordinates
(chin to hairline, ear to ear); scaling, rotating and mirroring transform it.
"""

from __future__ import annotations

import io
import math
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import resvg_py
from PIL import Image, ImageOps

from icf.tools.demo_pictures import anime, painted
from icf.tools.demo_pictures.anime import Anime
from icf.tools.demo_pictures.cast import Character, Comicgen, Notionists, OpenPeeps
from icf.tools.demo_pictures.painted import Painted
from icf.tools.demo_pictures.sources import ArtCache

Box = tuple[float, float, float, float]

OPEN_PEEPS_FACE: Box = (205, 225, 578, 563)
NOTIONISTS_FACE: Box = (540, 525, 1105, 1072)
COMICGEN_FACES: dict[tuple[str, str], Box] = {
    ("aryan", ""): (227.5, 86, 285, 153),
    ("bill", ""): (374, 157, 558, 337),
    ("sophie", ""): (62, 15, 84.6, 38.3),
    ("dee", "side"): (228, 99, 298, 197),
    ("dee", "sitting"): (212, 99, 281, 197),
    ("dee", "straight"): (217.5, 137, 283, 220),
    ("dey", "side"): (203, 77, 271, 171),
    ("dey", "sitting"): (229, 140, 294, 233),
    ("dey", "straight"): (217, 99, 287, 188.5),
    ("priya", "sitting"): (154, 153, 205, 215),
    ("priya", "straight"): (233, 151, 282, 213),
    ("ringo", "sitting"): (156, 130, 215, 206.5),
    ("ringo", "straight"): (229, 132, 288, 208),
    ("ethan", "side"): (128, 69, 192.3, 134),
    ("ethan", "straight"): (208.5, 63, 278, 132.5),
}
# Parts that hide the face, or tilt the head out of the box drawn above.
_ODD = re.compile(
    "ridingcar|readingpaper|board|turn|dozing|laugh|rofl|lookingdown"
    "|dee/(side|sitting)/emotion/happy"
)

CLOTHES = ("e78276", "ffcf77", "fdea6b", "78e185", "9ddadb", "8fa7df", "e279c7")
_PEEPS_MOODS = re.findall(
    r"\w+",
    "awe blank calm cheeky concerned concernedFear contempt cute driven eatingHappy "
    "explaining eyesClosed fear hectic lovingGrin1 lovingGrin2 serious smile smileBig "
    "smileLOL smileTeethGap solemn suspicious tired veryAngry",
)


@dataclass(frozen=True)
class Figure:
    """A drawn character.

    Attributes:
        picture: RGBA.
        centre: of the face, in pixels of ``picture``.
        radii: half width and half height of the face before ``turn``.
        turn: degrees by which the figure was rotated.
        name: of the character.
    """

    picture: Image.Image
    centre: tuple[float, float]
    radii: tuple[float, float]
    turn: float
    name: str

    @property
    def face(self) -> Box:
        """The upright box around the rotated face, assumed to be an ellipse."""
        a, b, t = *self.radii, math.radians(self.turn)
        w = math.hypot(a * math.cos(t), b * math.sin(t))
        h = math.hypot(a * math.sin(t), b * math.cos(t))
        x, y = self.centre
        return x - w, y - h, x + w, y + h


@dataclass(frozen=True)
class Drawing:
    """An SVG text, its own width and height, and the face in its coordinates.

    ``bust``: the drawing ends at its lower edge, in the middle of a body. ``neck``: the
    outline of the neck touches that edge.
    """

    svg: str
    size: tuple[float, float]
    face: Box
    bust: bool = True
    neck: bool = False


def render(drawing: Drawing, side: float, name: str) -> Figure:
    """Rasterise ``drawing`` so that the smaller side of the face is ``side`` pixels."""
    x1, y1, x2, y2 = drawing.face
    scale = side / min(x2 - x1, y2 - y1)
    width = max(1, round(drawing.size[0] * scale))
    png = bytes(resvg_py.svg_to_bytes(svg_string=drawing.svg, width=width))
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    scale = picture.width / drawing.size[0]
    centre = ((x1 + x2) / 2 * scale, (y1 + y2) / 2 * scale)
    radii = ((x2 - x1) / 2 * scale, (y2 - y1) / 2 * scale)
    if drawing.bust:
        picture = _longer(picture, drawing.neck)
    return Figure(picture, centre, radii, 0.0, name)


def _longer(bust: Image.Image, neck: bool) -> Image.Image:
    """Extend the body below the edge, so that a rotated bust shows no cut."""
    w, h = bust.size
    longer = Image.new("RGBA", (w, h + h // 2))
    last = bust.crop((0, h - 2, w, h - 1))
    if neck:
        cloth = last.crop((w // 4, 0, w // 4 + 1, 1)).resize((w // 2, 1))
        last.paste(cloth, (w // 4, 0))
    last = last.resize((w, h // 2 + 2))
    longer.paste(last, (0, h - 2))
    longer.paste(bust.crop((0, 0, w, h - 2)), (0, 0))
    return longer


def flipped(figure: Figure) -> Figure:
    """Mirror a figure that has not been rotated."""
    x, y = figure.centre
    mirrored = ImageOps.mirror(figure.picture)
    centre = (figure.picture.width - x, y)
    return Figure(mirrored, centre, figure.radii, figure.turn, figure.name)


def turned(figure: Figure, degrees: float) -> Figure:
    """Rotate counter-clockwise about the middle of the picture, which grows."""
    old = figure.picture
    new = old.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    t = math.radians(degrees)
    dx = figure.centre[0] - old.width / 2
    dy = figure.centre[1] - old.height / 2
    x = new.width / 2 + dx * math.cos(t) + dy * math.sin(t)
    y = new.height / 2 - dx * math.sin(t) + dy * math.cos(t)
    return Figure(new, (x, y), figure.radii, degrees, figure.name)


class Wardrobe:
    """Makes drawings of the characters, a different one each time."""

    def __init__(self, art: ArtCache, rng: random.Random) -> None:
        """Use ``art``; ``rng`` is the source of all randomness."""
        self._art = art
        self._rng = rng
        self._ready: dict[str, list[Drawing]] = {}

    def prepare(self, characters: list[Character], each: int) -> None:
        """Make ``each`` avatars of every DiceBear character in one node process."""
        owners: list[Character] = []
        wanted: list[dict[str, Any]] = []
        for character in characters:
            if not isinstance(character.look, OpenPeeps | Notionists):
                continue
            for view in range(each):
                owners.append(character)
                wanted.append(self._avatar(character, calm=view == 0))
        for character, svg in zip(owners, self._art.avatars(wanted), strict=True):
            look = character.look
            if isinstance(look, Notionists):
                svg = _colour_in(svg, look, self._rng.choice(CLOTHES))
                drawing = Drawing(svg, (1744, 1744), NOTIONISTS_FACE)
            else:
                drawing = Drawing(svg, (704, 704), OPEN_PEEPS_FACE, neck=True)
            self._ready.setdefault(character.name, []).append(drawing)

    def drawing(self, character: Character) -> Drawing:
        """Return the next drawing of a character; the first is a calm portrait."""
        look, first = character.look, character.name not in self._ready
        ready = self._ready.setdefault(character.name, [])
        if isinstance(look, Comicgen):
            return self._comicgen(look.figure, calm=first)
        if isinstance(look, Anime):
            svg = anime.drawn(look, self._rng, calm=first)
            return Drawing(svg, anime.SIZE, anime.FACE)
        if isinstance(look, Painted):
            svg = painted.drawn(look, self._rng, calm=first)
            return Drawing(svg, painted.SIZE, painted.FACE)
        if len(ready) > 1:
            return ready.pop(0)
        return ready[0]

    def _avatar(self, character: Character, calm: bool) -> dict[str, Any]:
        rng, look = self._rng, character.look
        if isinstance(look, OpenPeeps):
            options = _peep(look, "smile" if calm else rng.choice(_PEEPS_MOODS))
            options["clothingColor"] = [look.clothes or rng.choice(CLOTHES)]
            return {"style": "openPeeps", "options": options}
        assert isinstance(look, Notionists)
        options = _notionist(look, rng, calm)
        return {"style": "notionists", "options": options}

    def _comicgen(self, name: str, calm: bool) -> Drawing:
        angles = sorted(angle for figure, angle in COMICGEN_FACES if figure == name)
        angle = angles[-1] if calm else self._rng.choice(angles)
        folder = self._art.comicgen / name / angle
        heads = _parts(folder / "emotion")
        if calm:
            heads = [p for p in heads if re.search("smile|happy|neutral", p.stem)]
        head = self._rng.choice(heads)
        body = self._rng.choice(_parts(folder / "pose"))
        text, size = _nested(head, "head")
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="0 0 {size[0]:g} {size[1]:g}">{text}{_nested(body, "body")[0]}'
            "</svg>"
        )
        return Drawing(svg, size, COMICGEN_FACES[name, angle], bust=False)


def _parts(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.svg"))
    return [path for path in found if not _ODD.search("/".join(path.parts[-4:]))]


def _nested(path: Path, prefix: str) -> tuple[str, tuple[float, float]]:
    """Read an SVG file as an element to put into another one, and its size."""
    text = re.sub(r"<\?xml.*?\?>|<!DOCTYPE[^>]*>", "", path.read_text("utf-8"))
    # Two parts of one figure use the same ids for different masks.
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}-", text)
    opening = re.search(r"<svg\b[^>]*>", text)
    assert opening is not None
    tag = opening.group(0)
    box = re.search(r'viewBox="([^"]+)"', tag)
    x, y, w, h = map(float, box.group(1).split()) if box else (0.0, 0.0, 500.0, 600.0)
    spaces = " ".join(re.findall(r'xmlns:\w+="[^"]*"', tag))
    fresh = f'<svg width="{w}" height="{h}" viewBox="{x} {y} {w} {h}" {spaces}>'
    return fresh + text[opening.end() :], (w, h)


def _peep(look: OpenPeeps, mood: str) -> dict[str, Any]:
    return {
        "seed": look.head,
        "face": [mood],
        "head": [look.head],
        "skinColor": [look.skin],
        "headContrastColor": [look.contrast],
        "facialHair": [look.beard or "full"],
        "facialHairProbability": 100 if look.beard else 0,
        "accessories": [look.glasses or "glasses"],
        "accessoriesProbability": 100 if look.glasses else 0,
        "maskProbability": 0,
    }


def _notionist(look: Notionists, rng: random.Random, calm: bool) -> dict[str, Any]:
    def variant(number: int) -> list[str]:
        return [f"variant{max(1, number):02d}"]

    gestures = ("hand", "handPhone", "ok", "point", "waveLongArm", "okLongArm")
    return {
        "seed": str(look.hair),
        "hair": variant(look.hair),
        "nose": variant(look.nose),
        "beard": variant(look.beard),
        "beardProbability": 100 if look.beard else 0,
        "glasses": variant(look.glasses),
        "glassesProbability": 100 if look.glasses else 0,
        "body": variant(rng.randint(1, 25)),
        "bodyIconProbability": rng.choice((0, 100)),
        "gesture": [rng.choice(gestures)],
        "gestureProbability": 0 if calm else 30,
        "brows": variant(rng.randint(1, 13)),
        "eyes": variant(rng.randint(1, 5)),
        "lips": variant(rng.randint(1, 30)),
    }


def _colour_in(svg: str, look: Notionists, clothes: str) -> str:
    """Colour a black-and-white Notionists avatar.

    Its parts come as groups in a fixed order: skin, body, hair, lips, beard, nose,
    eyes, glasses, brows, gesture; each starts with its own translation.
    """
    parts = re.split(r'(?=<g transform="translate\((?!396 278))', svg)
    head, groups = parts[0], parts[1:]
    groups[0] = groups[0].replace('"#fff"', f'"#{look.skin}"')
    groups[1] = groups[1].replace('"#fff"', f'"#{clothes}"', 1)
    for hairy in (2, 4):
        groups[hairy] = groups[hairy].replace('"#000"', f'"#{look.hair_colour}"')
    groups[-1] = groups[-1].replace('"#fff"', f'"#{look.skin}"')
    return head + "".join(groups)
