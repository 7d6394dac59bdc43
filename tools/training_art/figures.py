"""Whole figures: icons and clip art with a body, and characters of three generators.

The faces of icons and clip art are those of `figure_boxes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from icf.tools.training_art import sources
from icf.tools.training_art.figure_boxes import CLIP_ART, faces
from icf.tools.training_art.make import draw, icons, node, note
from icf.tools.training_art.real import make as real
from icf.tools.training_art.styles import Box

#: Sets of icons whose figures are shown, each a style of its own.
SETS = (
    "fluent-emoji-high-contrast",
    "fxemoji",
    "noto",
    "noto-v1",
    "streamline-emojis",
    "twemoji",
)
#: Characters of the generators that have several, and the width of a picture.
_COUNT, _SIDE = 120, 256
#: Width of a face in pixels, and most width of a picture.
_FACE, _WIDEST = 110, 900

#: The faces of the generators' characters, in shares of the sides.
_GENERATED: dict[str, Box] = {
    "animal-avatars": (0.12, 0.20, 0.88, 0.79),
    "bigheads": (0.26, 0.27, 0.76, 0.78),
}
_KAWAII: dict[str, Box] = {
    "Astronaut": (0.27, 0.11, 0.73, 0.46),
    "Backpack": (0.30, 0.24, 0.70, 0.60),
    "Cat": (0.24, 0.20, 0.76, 0.60),
    "Cyborg": (0.27, 0.10, 0.73, 0.48),
    "Ghost": (0.25, 0.18, 0.75, 0.68),
    "HumanCat": (0.30, 0.17, 0.70, 0.46),
    "IceCream": (0.32, 0.14, 0.68, 0.68),
    "Mug": (0.29, 0.30, 0.72, 0.70),
    "Planet": (0.22, 0.22, 0.78, 0.78),
}


def main() -> None:
    """Draw what is missing."""
    _icons()
    _clip_art()
    _generated()


def root() -> Path:
    """Return the folder of all whole figures, by style."""
    return sources.drawn() / "figures"


def _boxed(source: str) -> Iterator[tuple[str, Box]]:
    for (of, figure), box in faces().items():
        if of == source and box is not None:
            yield figure, box


def _icons() -> None:
    for name in SETS:
        drawings = icons(name)
        for key, box in _boxed(name):
            if key in drawings:
                _draw(drawings[key], name, key, box)


def _clip_art() -> None:
    folder = sources.deb_root() / "openclipart-svg/usr/share/openclipart/svg"
    people = {path.stem: path for path in sorted((folder / "people").rglob("*.svg"))}
    for figure, box in _boxed(CLIP_ART):
        text = (folder / f"{figure}.svg").read_text(errors="replace")
        _draw(text, CLIP_ART, Path(figure).name, box)
    for (source, figure), found in real.boxed().items():
        if source == "clip-people" and len(found) == 1 and figure in people:
            text = people[figure].read_text(errors="replace")
            _draw(text, CLIP_ART, figure, found[0])


def _draw(svg: str, style: str, name: str, face: Box) -> None:
    path = root() / style / name / "0.png"
    if path.with_suffix(".json").exists():
        return
    picture = draw(svg, round(min(_WIDEST, _FACE / (face[2] - face[0]))))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    _note(path, face, style)


def _generated() -> None:
    last = root() / f"animal-avatars/{_COUNT - 1:03}/0.png"
    if not last.exists():
        node("figures.mjs", str(root()), str(_COUNT), str(_SIDE))
    for style, face in _GENERATED.items():
        for path in sorted((root() / style).glob("*/*.png")):
            _note(path, face, style)
    for name, face in _KAWAII.items():
        for path in sorted((root() / "kawaii" / name).glob("*.png")):
            _note(path, face, "kawaii")


def _note(path: Path, face: Box, style: str) -> None:
    with Image.open(path) as picture:
        width, height = picture.size
    x1, y1, x2, y2 = face
    box = (x1 * width, y1 * height, x2 * width, y2 * height)
    note(path, box, f"{style} figures", path.parent.name)


if __name__ == "__main__":
    main()
