"""Sheets of pictures with their boxes: ``python -m icf.tools.ruler.sheets dev OUT``.

Each picture has a grid with its own pixels' coordinates, so that a box can be read off.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from icf.tools.ruler import loaded
from icf.tools.ruler.loaded import Shown
from icf.tools.ruler.manifest import Box
from icf.tools.ruler.pictures import Pixels

#: Side of a picture on a sheet, and the width of the margin with coordinates.
SIDE, MARGIN = 460, 34
_ACROSS, _DOWN, _LINES = 4, 2, 8
_FACE, _IGNORED, _GRID, _INK = "#ff0000", "#0060ff", "#00b0a0", "#000000"


@dataclass(frozen=True, eq=False)
class Marked:
    """A picture and what is marked on it: boxes with a word each."""

    title: str
    pixels: Pixels
    boxes: Sequence[tuple[Box, str]]
    ignored: Sequence[tuple[Box, str]] = ()


def sheets(marked: Sequence[Marked]) -> Iterator[Image.Image]:
    """Draw sheets, in the order of the pictures."""
    cell = SIDE + 2 * MARGIN
    for start in range(0, len(marked), _ACROSS * _DOWN):
        some = marked[start : start + _ACROSS * _DOWN]
        rows = -(-len(some) // _ACROSS)
        sheet = Image.new("RGB", (_ACROSS * cell, rows * cell), "#ffffff")
        for number, each in enumerate(some):
            at = (number % _ACROSS * cell, number // _ACROSS * cell)
            sheet.paste(drawn(each), at)
        yield sheet


def drawn(marked: Marked) -> Image.Image:
    """Draw one picture with its grid and boxes, reduced or enlarged to `SIDE`."""
    picture = Image.fromarray(marked.pixels)
    width, height = picture.size
    rate = SIDE / max(width, height)
    small = picture.resize((max(1, round(width * rate)), max(1, round(height * rate))))
    cell = Image.new("RGB", (SIDE + 2 * MARGIN, SIDE + 2 * MARGIN), "#ffffff")
    cell.paste(small, (MARGIN, MARGIN))
    pen = ImageDraw.Draw(cell)
    pen.text((2, 2), marked.title, _INK)
    for number in range(_LINES + 1):
        value = number / _LINES * max(width, height)
        place = MARGIN + value * rate
        if value <= width:
            pen.line((place, MARGIN, place, MARGIN + small.height), _GRID)
            pen.text((place - 8, MARGIN - 12), f"{value:.0f}", _INK)
        if value <= height:
            pen.line((MARGIN, place, MARGIN + small.width, place), _GRID)
            pen.text((2, place - 6), f"{value:.0f}", _INK)
    for boxes, colour in ((marked.boxes, _FACE), (marked.ignored, _IGNORED)):
        for box, word in boxes:
            x1, y1, x2, y2 = (MARGIN + side * rate for side in box)
            pen.rectangle((x1, y1, x2, y2), outline=colour, width=2)
            pen.text((x1 + 3, y1 + 1), word, colour)
    return cell


def _marked(shown: Shown) -> Marked:
    own = shown.drawing
    return Marked(
        f"{own.source} {own.file.rpartition('/')[2]} {own.group}",
        shown.pixels,
        [(face.box, face.identity or "") for face in own.faces],
        [(box, "ignored") for box in own.ignored],
    )


def main(name: str, out: Path) -> None:
    """Draw a set as PNG files in a folder."""
    ruler = loaded.load("test" if name == "test" else "dev", say=print)
    out.mkdir(parents=True, exist_ok=True)
    for number, sheet in enumerate(sheets([_marked(each) for each in ruler.shown])):
        sheet.save(out / f"{number:02}.png")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
