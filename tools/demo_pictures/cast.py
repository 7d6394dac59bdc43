"""The invented albums and characters of the demo site, and their appearance.

Hair, skin, glasses and beard of a character are fixed here; expression, clothes and
pose change from picture to picture. No two characters have the same hair.
"""

from __future__ import annotations

from dataclasses import dataclass

from icf.tools.demo_pictures.anime import Anime
from icf.tools.demo_pictures.painted import Painted


@dataclass(frozen=True)
class Comicgen:
    """A ready-made figure of the comicgen package, by its folder name."""

    figure: str


@dataclass(frozen=True)
class OpenPeeps:
    """An Open Peeps head; colours are hex without ``#``.

    ``clothes`` is fixed where the headgear has the same colour.
    """

    head: str
    skin: str
    contrast: str = "2c1b18"
    beard: str = ""
    glasses: str = ""
    clothes: str = ""


@dataclass(frozen=True)
class Notionists:
    """A Notionists head with added colours; numbers are its variants, 0 is none."""

    hair: int
    skin: str
    hair_colour: str = "1c1a1a"
    nose: int = 1
    beard: int = 0
    glasses: int = 0


Look = Comicgen | OpenPeeps | Notionists | Anime | Painted


@dataclass(frozen=True)
class Character:
    """One character of an album."""

    name: str
    look: Look


@dataclass(frozen=True)
class Album:
    """One invented series and its characters."""

    title: str
    characters: tuple[Character, ...]


def _album(title: str, *members: tuple[str, Look]) -> Album:
    return Album(title, tuple(Character(name, look) for name, look in members))


ALBUMS: tuple[Album, ...] = (
    _album(
        "Paper Street",
        ("Arun Vale", Comicgen("aryan")),
        ("Mister Billington", Comicgen("bill")),
        ("Granny Solveig", Comicgen("sophie")),
        ("Delia Quill", Comicgen("dee")),
        ("Dorian Inkwell", Comicgen("dey")),
        ("Pia Margin", Comicgen("priya")),
        ("Rico Staple", Comicgen("ringo")),
        ("Edmund Folio", Comicgen("ethan")),
    ),
    _album(
        "The Lantern Bakery",
        ("Bruno Crust", OpenPeeps("noHair1", "ffdbb4", beard="full2")),
        ("Mina Saffron", OpenPeeps("bun", "edb98a", clothes="e78276")),
        ("Otto Rye", OpenPeeps("flatTop", "d08b5b")),
        ("Ada Clove", OpenPeeps("afro", "ae5d29", glasses="glasses2")),
        ("Nonna Fig", OpenPeeps("grayBun", "ffdbb4", "e8e1e1")),
        ("Kit Caraway", OpenPeeps("hatBeanie", "edb98a", clothes="9ddadb")),
        ("Rosa Quince", OpenPeeps("mediumBangs", "d08b5b", "f59797")),
        (
            "Hugo Brine",
            OpenPeeps("pomp", "ffdbb4", "c93305", "moustache3", "glasses3"),
        ),
        ("Lulu Anise", OpenPeeps("buns", "694d3d", "a55728")),
    ),
    _album(
        "Harbour Nine",
        (
            "Captain Odalys",
            Painted("wavy", "241a18", "b07a50", hat="scarf a3404a", lips=52, face=114),
        ),
        (
            "Sten Fathom",
            Painted("crop", "c9a45c", "f0c8a4", "5a7a9a", "full", face=128),
        ),
        (
            "Yara Kelp",
            Painted("curls", "1a1412", "7a4c32", nose=34, lips=54, face=116),
        ),
        ("Nils Anchor", Painted("receding", "8a3a1c", "f0c0a0", "5f7a4a", "moustache")),
        (
            "Imani Tide",
            Painted("braids", "2a1c16", "6a4430", nose=32, lips=54, brow=12),
        ),
        (
            "Jonah Bilge",
            Painted("bald", "5a5048", "8a5a3c", beard="goatee", nose=32, old=True),
        ),
        (
            "Wren Halyard",
            Painted("long", "d8b878", "f4d4bc", "6a8aa8", nose=20, face=112, brow=6),
        ),
        (
            "Mato Drift",
            Painted("parted", "3a2418", "e0b088", "4a5a6a", "full", hat="cap 2f3b57"),
        ),
        ("Della Buoy", Painted("bob", "b8b4b0", "e8c0a0", nose=28, brow=7, old=True)),
    ),
    _album(
        "Night Bus Orchestra",
        ("Vito Cadenza", Notionists(24, "f2c9a4", "7a3b1d", 4, 8)),
        ("Selma Vibrato", Notionists(46, "c98d5e", "20202a", 7)),
        ("Juno Pizzicato", Notionists(18, "f6d7c3", "d9579a", 2)),
        ("Basil Ostinato", Notionists(36, "8d5a3a", "1c1a1a", 11, 0, 4)),
        ("Greta Tremolo", Notionists(58, "ffe0cc", "e0b44c", 14, 0, 9)),
        ("Omar Legato", Notionists(63, "a86f45", "4a2c20", 9, 3)),
        ("Priska Rondo", Notionists(30, "f2c9a4", "3a78b8", 16)),
        ("Tobias Fermata", Notionists(10, "ffe0cc", "b5482a", 5, 11)),
        ("Zuri Allegra", Notionists(54, "6f4630", "1c1a1a", 18)),
    ),
    _album(
        "Café Étoile",
        ("Amélie Brisk", Anime("straight", "long", "3b3a4a", "7a4fb0")),
        (
            "Bastien Noir",
            Anime("messy", "spiky", "d9a441", "3f8f6a", eyes=(68, 58, 10), jaw=104),
        ),
        ("Colette Plume", Anime("parted", "bob", "8a4a2f", "b5662c", extra="glasses")),
        (
            "Émile Doux",
            Anime("swept", "short", "5b6f8f", "4a6fb5", "f0cfb4", (66, 54, 12), 106),
        ),
        (
            "Fleur Minuit",
            Anime(
                "straight",
                "tails",
                "e89ab0",
                "c84f7a",
                eyes=(86, 98, 2),
                extra="ribbon",
            ),
        ),
        (
            "Gaspard Zinc",
            Anime(
                "one_eye", "short", "2d2a30", "b23b3b", eyes=(68, 60, 14), extra="scar"
            ),
        ),
        ("Hélène Brume", Anime("parted", "ponytail", "b5482a", "5f8f3f", "e8bd98")),
        (
            "Isidore Lune",
            Anime(
                "open",
                "long",
                "dcd8e4",
                "6f9fc8",
                "fbe3d2",
                (74, 66, 8),
                100,
                "headphones",
            ),
        ),
        (
            "Jeanne Pavé",
            Anime(
                "messy", "buns", "6a8f5a", "8a5a2c", eyes=(84, 90, 0), extra="cat ears"
            ),
        ),
    ),
)
