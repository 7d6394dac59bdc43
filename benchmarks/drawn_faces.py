"""Sharp faces in 22 drawn styles, as large as their sources have them.

They are drawn anew from the packages that the models are trained with, larger than for
training: fetched once, by npm and apt-get, into the cache of `icf-train art`.
"""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from icf.filter import resources
from icf.images.cut import cut
from icf.tools.training_art import make, sources, styles

Pixels = NDArray[np.uint8]

#: Styles that thresholds were chosen on. All others are held out, for the figures.
CHOSEN_ON = (
    "adventurer",
    "avataaars",
    "bigSmile",
    "croodles",
    "facesjs",
    "flare",
    "fluent-emoji",
    "lorelei",
    "miniavs",
    "personas",
    "renpy",
    "twemoji",
)
FACES, SIDE = 5, 640
_FLARE = "flare-game/usr/share/games/flare/mods/fantasycore/images/portraits"


def drawn_faces() -> dict[str, list[Pixels]]:
    """Draw up to five faces a style: RGB crops, by style."""
    sources.fetch_drawings()
    make.renpy()
    make.comicgen()
    found: dict[str, list[Pixels]] = defaultdict(list)
    for style, picture, box in (*_generated(), *_emoji(), *_figures()):
        if len(found[style]) < FACES:
            found[style].append(cut(_on_ground(picture, len(found[style])), box))
    found["flare"] = _painted()
    return dict(sorted(found.items()))


def _generated() -> list[tuple[str, Image.Image, styles.Box]]:
    root, tools = sources.drawn() / "large", Path(make.__file__).parent
    at = sources.npm_root()
    if not (root / "facesjs").is_dir():
        many = (str(FACES), "1", str(SIDE), *styles.DICEBEAR)
        sources.run("node", str(tools / "dicebear.mjs"), str(root), *many, at=at)
        faces = (str(root / "facesjs"), str(FACES), str(SIDE))
        sources.run("node", str(tools / "facesjs.mjs"), *faces, at=at)
    made: list[tuple[str, Image.Image, styles.Box]] = [
        (style, Image.open(picture), _scaled(box, SIDE))
        for style, box in styles.DICEBEAR.items()
        for picture in sorted((root / style).glob("*/0.png"))
    ]
    for picture in sorted((root / "facesjs").glob("*/0.png")):
        made.append(("facesjs", Image.open(picture), _scaled(styles.FACESJS, SIDE)))
    return made


def _emoji() -> list[tuple[str, Image.Image, styles.Box]]:
    made = []
    for style, box in styles.EMOJI.items():
        icons = make.head_icons(style)
        for svg in list(icons.values())[:: max(1, len(icons) // FACES)]:
            made.append((style, make.draw(svg, SIDE), _scaled(box, SIDE)))
    return made


def _figures() -> list[tuple[str, Image.Image, styles.Box]]:
    made: list[tuple[str, Image.Image, styles.Box]] = []
    for style in ("renpy", "comicgen"):
        for picture in sorted((sources.drawn() / style).rglob("*.png"))[::2]:
            if picture.parent.name == "concert":
                scene = Image.open(picture)
                made += [("renpy concert", scene, box) for box in styles.CONCERT]
            else:
                about = json.loads(picture.with_suffix(".json").read_text())
                made.append((style, Image.open(picture), tuple(about["face"])))
    return made


def _painted() -> list[Pixels]:
    """Faces of at least 100 pixels that the bundled detector finds in paintings."""
    detector = resources.detector("onnxruntime", "cpu", resources.DETECTOR)
    made: list[Pixels] = []
    for picture in sorted((sources.deb_root() / _FLARE).glob("*.png")):
        pixels = _on_ground(Image.open(picture), len(made))
        for face in detector.detect([pixels], 0.6)[0][:1]:
            crop = cut(pixels, face.box)
            if min(crop.shape[:2]) >= 100 and len(made) < FACES:
                made.append(crop)
    return made


def _scaled(box: styles.Box, side: float) -> styles.Box:
    x1, y1, x2, y2 = box
    return x1 * side, y1 * side, x2 * side, y2 * side


def _on_ground(picture: Image.Image, number: int) -> Pixels:
    """Lay a picture on one colour."""
    rgba = np.asarray(picture.convert("RGBA"), np.float64)
    colour = np.random.default_rng(number).integers(120, 250, 3)
    opaque = rgba[..., 3:] / 255
    return (rgba[..., :3] * opaque + colour * (1 - opaque) + 0.5).astype(np.uint8)
