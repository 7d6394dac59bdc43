"""The cast of the second site: albums whose characters look alike.

The members of an album share a style, and hair, skin and hair colours are drawn from a
few, so that two of them often differ only in nose, beard, glasses or ears. None of the
styles was in the training of the bundled models.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from icf.app.demo.site.wiki import Licence

Box = tuple[float, float, float, float]

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
CC_BY = "https://creativecommons.org/licenses/by/4.0/"

#: Members of an album.
MEMBERS = 7


@dataclass(frozen=True)
class Style:
    """A DiceBear style.

    Attributes:
        name: as the package exports it.
        face: the face, in shares of the picture's width: chin to hairline, ear to ear.
        identity: what makes a character, each with its values; "" is none.
        few: how many values of each an album has; the others have all.
        moods: what changes from picture to picture, each with its values.
        fixed: options that are the same in every picture.
        licence: of the style, and its artist.
    """

    name: str
    face: Box
    identity: Mapping[str, Sequence[str]]
    few: Mapping[str, int]
    moods: Mapping[str, Sequence[str]]
    fixed: Mapping[str, int]
    licence: Licence


@dataclass(frozen=True)
class Member:
    """A character: its style, and the values that it keeps in every picture."""

    name: str
    album: str
    style: Style
    look: tuple[tuple[str, str], ...]

    def options(self, rng: random.Random) -> dict[str, object]:
        """Return the options of one drawing, with any mood."""
        made: dict[str, object] = dict(self.style.fixed)
        worn = {name: rng.choice(values) for name, values in self.style.moods.items()}
        for name, value in {**dict(self.look), **worn}.items():
            probability = f"{name}Probability"
            if value:
                made[name] = [value]
            if probability in _OPTIONAL[self.style.name]:
                made[probability] = 100 if value else 0
        return {"seed": self.name, **made}


def _numbered(most: int) -> list[str]:
    return [f"variant{number:02d}" for number in range(1, most + 1)]


SKINS = ("ffdbb4", "edb98a", "d08b5b", "ae5d29", "694d3d")
HAIRS = ("2c1b18", "724133", "a55728", "c93305", "d6b370", "e8e1e1")
CLOTHES = ("e78276", "ffcf77", "78e185", "9ddadb", "8fa7df", "e279c7", "545454")

MICAH = Style(
    "micah",
    (0.24, 0.225, 0.74, 0.76),
    {
        "hair": ("fonze", "dougFunny", "dannyPhantom", "full", "pixie", "mrT"),
        "hairColor": HAIRS,
        "baseColor": ("f9c9b6", "ac6651", "77311d"),
        "nose": ("curve", "pointed", "tound"),
        "ears": ("attached", "detached"),
        "facialHair": ("", "", "beard", "scruff"),
        "glasses": ("", "", "round", "square"),
        "earrings": ("", "hoop", "stud"),
    },
    {"hair": 2, "hairColor": 2, "baseColor": 2},
    {
        "mouth": (
            *("surprised", "laughing", "nervous", "smile", "sad", "pucker", "frown"),
            "smirk",
        ),
        "eyebrows": ("up", "down", "eyelashesUp", "eyelashesDown"),
        "eyes": ("eyes", "round", "smiling"),
        "shirt": ("collared", "crew", "open"),
        "shirtColor": CLOTHES,
    },
    {},
    Licence("CC BY 4.0", CC_BY, "Micah Lanier"),
)
TOON_HEAD = Style(
    "toonHead",
    (0.27, 0.33, 0.73, 0.80),
    {
        "hair": ("sideComed", "undercut", "spiky", "bun"),
        "hairColor": HAIRS,
        "skinColor": ("f1c3a5", "c68e7a", "b98e6a", "a36b4f", "5c3829"),
        "rearHair": ("", "longStraight", "longWavy", "shoulderHigh", "neckHigh"),
        "beard": ("", "", "moustacheTwirl", "fullBeard", "chin", "chinMoustache"),
    },
    {"hair": 2, "hairColor": 2, "skinColor": 2},
    {
        "eyebrows": ("raised", "angry", "happy", "sad", "neutral"),
        "eyes": ("happy", "wide", "bow", "humble", "wink"),
        "mouth": ("laugh", "angry", "agape", "smile", "sad"),
        "clothes": ("turtleNeck", "openJacket", "dress", "shirt", "tShirt"),
        "clothesColor": CLOTHES,
    },
    {},
    Licence("CC BY 4.0", CC_BY, "Johan Melin"),
)
OPEN_PEEPS = Style(
    "openPeeps",
    (0.36, 0.29, 0.76, 0.84),
    {
        "head": (
            *("afro", "bangs", "bangs2", "bun", "bun2", "buns", "cornrows", "dreads1"),
            *("flatTop", "flatTopLong", "long", "longBangs", "longCurly", "medium1"),
            *("medium2", "medium3", "mediumBangs", "mediumStraight", "pomp", "short1"),
            *("short2", "short3", "short4", "short5", "twists", "twists2"),
        ),
        "headContrastColor": HAIRS,
        "skinColor": SKINS,
        "facialHair": ("", "", "", "full", "goatee1", "moustache3", "full3"),
        "accessories": ("", "", "glasses", "glasses2", "glasses4"),
    },
    {"head": 3, "headContrastColor": 2, "skinColor": 2},
    {
        "face": (
            *("awe", "blank", "calm", "cheeky", "concerned", "contempt", "cute"),
            *("driven", "explaining", "fear", "serious", "smile", "smileBig", "solemn"),
            *("suspicious", "tired", "veryAngry", "lovingGrin1"),
        ),
        "clothingColor": CLOTHES,
    },
    {"maskProbability": 0},
    Licence("CC0", CC0, "Pablo Stanley"),
)
NOTIONISTS = Style(
    "notionists",
    (0.30, 0.31, 0.63, 0.635),
    {
        "hair": _numbered(63),
        "nose": _numbered(20),
        "beard": ("", "", *_numbered(12)),
        "glasses": ("", "", *_numbered(11)),
    },
    {"hair": 3},
    {
        "brows": _numbered(13),
        "eyes": _numbered(5),
        "lips": _numbered(30),
        "body": _numbered(25),
    },
    {"gestureProbability": 0, "bodyIconProbability": 0},
    Licence("CC0", CC0, "Zoish"),
)

#: Parts that a drawing may lack, by style.
_OPTIONAL = {
    "micah": {
        "facialHairProbability",
        "glassesProbability",
        "earringsProbability",
    },
    "toonHead": {"beardProbability", "rearHairProbability"},
    "openPeeps": {"facialHairProbability", "accessoriesProbability"},
    "notionists": {"beardProbability", "glassesProbability"},
}

ALBUMS: tuple[tuple[str, Style], ...] = (
    ("Marrow Lane", MICAH),
    ("The Ninth Ferry", TOON_HEAD),
    ("Saltwater Choir", OPEN_PEEPS),
    ("Paper Moons", NOTIONISTS),
    ("Copper Kettle", MICAH),
    ("Late Shift", TOON_HEAD),
    ("Understudies", OPEN_PEEPS),
    ("Ink and Ashes", NOTIONISTS),
)
_FIRST = (
    *("Aldo", "Bea", "Cato", "Dilys", "Enzo", "Freya", "Gus", "Hana", "Ivo", "Jun"),
    *("Kaya", "Leif", "Mira", "Ned", "Oona", "Pax", "Quill", "Roo", "Sami", "Tess"),
    *("Udo", "Vera", "Wim", "Xenia", "Yuri", "Zola", "Arlo", "Britt"),
)
_LAST = ("Marsh", "Vane")


def cast(seed: int) -> list[Member]:
    """Return the characters of all albums."""
    rng = random.Random(seed)
    names = (f"{first} {last}" for last in _LAST for first in _FIRST)
    made = []
    for album, style in ALBUMS:
        looks = _alike(style, rng)
        made += [
            Member(name, album, style, look)
            for name, look in zip(itertools.islice(names, MEMBERS), looks, strict=True)
        ]
    return made


def _alike(style: Style, rng: random.Random) -> list[tuple[tuple[str, str], ...]]:
    """Return the looks of an album: each differs from each other in two values."""
    kept = {
        name: rng.sample(list(values), style.few[name]) if name in style.few else values
        for name, values in style.identity.items()
    }
    looks: list[tuple[tuple[str, str], ...]] = []
    while len(looks) < MEMBERS:
        look = tuple((name, rng.choice(values)) for name, values in kept.items())
        apart = [sum(a != b for a, b in zip(look, one, strict=True)) for one in looks]
        if all(number >= 2 for number in apart):
            looks.append(look)
    return looks
