"""Make ``rounds.tar`` and ``rounds.json``; needed only to change the second site.

    python -m icf.tools.rounds_pictures.make --out src/icf/app/demo/rounds

The same seed gives the same pictures. Needs node, npm and ``resvg-py``.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

from icf.app.demo.site import archive, truth
from icf.app.demo.site.truth import Box, Noise, TrueCharacter, TrueFace, TrueFile, Truth
from icf.app.demo.site.wiki import Licence, Wiki, WikiFile, WikiPage
from icf.tools.demo_pictures.backgrounds import place, plain
from icf.tools.demo_pictures.sources import ArtCache
from icf.tools.rounds_pictures.cast import Member, Style, cast
from icf.tools.rounds_pictures.versions import VERSIONS, Pixels

SEED = 5013
#: Pictures filed under each character.
EACH = 18
#: Shares of them: another member of the album, and two members together.
WRONG, TOGETHER = 0.22, 0.06
#: Share of the pictures that are drawn as another artist would.
REDRAWN = 0.6
NAME = "Look-alike Wiki"


@dataclass(frozen=True)
class Drawn:
    """A picture of the site, the characters it is filed under, and what it shows."""

    name: str
    filed_under: tuple[str, ...]
    data: bytes
    faces: tuple[TrueFace, ...]
    style: Style


class Artist:
    """Draws pictures from a random seed; each drawing of a character is used once."""

    def __init__(self, art: ArtCache, members: list[Member], seed: int) -> None:
        self._rng = random.Random(seed)
        self._noise = np.random.default_rng(seed)
        number = 2 * EACH + 4
        owners = [member for member in members for _ in range(number)]
        wanted = [
            {"style": each.style.name, "options": each.options(self._rng)}
            for each in owners
        ]
        self._svgs: dict[str, list[str]] = {}
        for owner, svg in zip(owners, art.avatars(wanted), strict=True):
            self._svgs.setdefault(owner.name, []).append(svg)

    def portrait(self, member: Member) -> tuple[bytes, tuple[TrueFace, ...]]:
        """A clear picture of one upright face."""
        side = self._rng.randint(88, 104)
        canvas = plain(self._rng, (round(side * 2), round(side * 2.1)))
        pixels = np.array(canvas.convert("RGB"))
        shown = self._paste(pixels, member, side, (0.5, 0.5), tilt=0.0, bend=0.0)
        return _encoded(pixels), (shown,)

    def picture(self, members: list[Member]) -> tuple[bytes, tuple[TrueFace, ...]]:
        """Characters in a place, in any pose, in any version."""
        rng = self._rng
        side = round(rng.triangular(64, 128, 78))
        wide = side * (rng.uniform(1.9, 2.5) if len(members) == 1 else 3.4)
        size = (round(wide), round(side * rng.uniform(1.8, 2.3)))
        pixels = np.array(place(rng, size).convert("RGB"))
        faces = []
        for number, member in enumerate(members):
            x = rng.uniform(0.42, 0.58) if len(members) == 1 else (0.27, 0.73)[number]
            at = (x, rng.uniform(0.44, 0.54))
            tilt, bend = rng.gauss(0, 14), rng.gauss(0, 0.10)
            faces.append(self._paste(pixels, member, side, at, tilt=tilt, bend=bend))
        if rng.random() < REDRAWN:
            pixels = rng.choice(VERSIONS)(pixels, self._noise)
        return _encoded(pixels), tuple(faces)

    def _paste(
        self,
        pixels: Pixels,
        member: Member,
        side: int,
        at: tuple[float, float],
        *,
        tilt: float,
        bend: float,
    ) -> TrueFace:
        """Draw a character, turned and seen from the side, over ``pixels``."""
        rng = self._rng
        height, width = pixels.shape[:2]
        x1, y1, x2, y2 = member.style.face
        figure = _rasterised(self._svgs[member.name].pop(), side / (x2 - x1))
        own = len(figure)
        face = np.array((x1, y1, x2, y2)) * own
        if rng.random() < 0.5:
            figure = np.ascontiguousarray(figure[:, ::-1])
            face = np.array((own - face[2], face[1], own - face[0], face[3]))
        matrix = _matrix(face, at, (width, height), tilt, bend)
        warped = cv2.warpPerspective(
            figure, matrix, (width, height), flags=cv2.INTER_AREA
        )
        alpha = warped[..., 3:].astype(np.float32) / 255
        pixels[:] = np.clip(
            warped[..., :3] * alpha + pixels * (1 - alpha) + 0.5, 0, 255
        ).astype(np.uint8)
        return TrueFace(_box(face, matrix, width, height), member.name)


def _rasterised(svg: str, side: float) -> Pixels:
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=max(16, round(side))))
    return np.array(Image.open(io.BytesIO(png)).convert("RGBA"))


def _matrix(
    face: NDArray[np.float64],
    at: tuple[float, float],
    size: tuple[int, int],
    tilt: float,
    bend: float,
) -> NDArray[np.float64]:
    """Map the figure's pixels to the picture's: moved, turned, seen from the side."""
    centre = np.array(((face[0] + face[2]) / 2, (face[1] + face[3]) / 2))
    turn = np.deg2rad(tilt)
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    # Seen from the side, a head is narrower.
    linear = linear @ np.diag((1 - abs(bend), 1.0))
    target = np.array((at[0] * size[0], at[1] * size[1]))
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = target - linear @ centre
    middle = np.array([[1, 0, -target[0]], [0, 1, -target[1]], [0, 0, 1.0]])
    slant = np.eye(3)
    slant[2, 0] = bend / (face[2] - face[0])
    return np.asarray(np.linalg.inv(middle) @ slant @ middle @ matrix)


def _box(
    face: NDArray[np.float64], matrix: NDArray[np.float64], width: int, height: int
) -> Box:
    """Return the upright box around the face, an ellipse, after ``matrix``."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x = (face[0] + face[2]) / 2 + (face[2] - face[0]) / 2 * np.cos(angles)
    y = (face[1] + face[3]) / 2 + (face[3] - face[1]) / 2 * np.sin(angles)
    points = matrix @ np.stack([x, y, np.ones_like(x)])
    points = points[:2] / points[2]
    left, top = np.maximum(points.min(1), 0)
    right, bottom = np.minimum(points.max(1), (width, height))
    return (
        round(float(left)),
        round(float(top)),
        round(float(right)),
        round(float(bottom)),
    )


def _encoded(pixels: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", quality=62, method=6)
    return out.getvalue()


def draw(artist: Artist, members: list[Member], seed: int) -> Iterator[Drawn]:
    """Draw all pictures of all characters."""
    rng = random.Random(seed + 1)
    albums: dict[str, list[Member]] = {}
    for member in members:
        albums.setdefault(member.album, []).append(member)
    for member in members:
        others = [each for each in albums[member.album] if each is not member]
        for number in range(EACH):
            stem = f"{member.name.replace(' ', '_')}_{number + 1:02d}.webp"
            roll = rng.random()
            under: tuple[str, ...] = (member.name,)
            if number == 0:
                data, faces = artist.portrait(member)
            elif roll < WRONG:
                data, faces = artist.picture([rng.choice(others)])
            elif roll < WRONG + TOGETHER:
                both = [member, rng.choice(others)]
                rng.shuffle(both)
                data, faces = artist.picture(both)
                under = tuple(sorted(each.name for each in both))
            else:
                data, faces = artist.picture([member])
            yield Drawn(stem, under, data, faces, member.style)


def main() -> None:
    """Make the site's pictures in the folder ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    cache = Path.home() / ".cache" / "icf-art"
    parser.add_argument("--cache", type=Path, default=cache)
    parser.add_argument("--seed", type=int, default=SEED)
    wanted = parser.parse_args()
    art = ArtCache(wanted.cache)
    art.fill()
    members = cast(wanted.seed)
    drawn = list(draw(Artist(art, members, wanted.seed), members, wanted.seed))
    write(wanted.out, members, drawn)
    size = sum(len(each.data) for each in drawn)
    print(f"{len(members)} characters, {len(drawn)} pictures, {size:,} bytes")


def write(folder: Path, members: list[Member], drawn: list[Drawn]) -> None:
    """Write the site, and the truth about its pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    wiki = tables(members, drawn)
    pictures = {each.name: each.data for each in drawn}
    files = [(file.path, pictures[file.name]) for file in wiki.files]
    archive.write(folder / "rounds.tar", wiki, files)
    facts = truth.to_json(the_truth(members, drawn))
    (folder / "rounds.json").write_text(facts, "utf-8")


def tables(members: list[Member], drawn: list[Drawn]) -> Wiki:
    """Lay the pictures out as pages of albums and characters."""
    albums = list(dict.fromkeys(each.album for each in members))
    pages = [WikiPage(1, "Main Page", links=tuple(albums))]
    for album in albums:
        cast_of = tuple(each.name for each in members if each.album == album)
        pages.append(WikiPage(len(pages) + 1, album, links=cast_of))
    for member in members:
        shown = tuple(each.name for each in drawn if member.name in each.filed_under)
        pages.append(WikiPage(len(pages) + 1, member.name, images=shown))
    files = tuple(
        WikiFile(
            len(pages) + 1 + number,
            each.name,
            sha1=hashlib.sha1(each.data).hexdigest(),
            size=len(each.data),
            mime="image/webp",
            licence=each.style.licence,
        )
        for number, each in enumerate(drawn)
    )
    return Wiki(NAME, Licence("", "", ""), tuple(pages), files)


def the_truth(members: list[Member], drawn: list[Drawn]) -> Truth:
    """Return whose faces the pictures really show."""
    first = {d.filed_under[0]: d.name for d in drawn if d.name.endswith("_01.webp")}
    characters = tuple(TrueCharacter(m.name, m.album, first[m.name]) for m in members)
    files = (
        TrueFile(
            each.name,
            hashlib.sha256(each.data).hexdigest(),
            each.filed_under,
            each.faces,
            Noise.CLEAN
            if {face.character for face in each.faces} >= set(each.filed_under)
            else Noise.WRONG_CHARACTER,
        )
        for each in drawn
    )
    return Truth(characters, tuple(sorted(files, key=lambda file: file.name)))


if __name__ == "__main__":
    main()
