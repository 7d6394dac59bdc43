"""The invented albums and characters of the demo site, and their appearance.

Hair, skin, glasses and beard of a character are fixed here; expression, clothes and
pose change from picture to picture. No two characters have the same hair.
"""

from __future__ import annotations

from dataclasses import dataclass


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


Look = Comicgen | OpenPeeps | Notionists


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
        ("Captain Odalys", OpenPeeps("hatHip", "ae5d29", glasses="eyepatch")),
        ("Sten Fathom", OpenPeeps("short4", "ffdbb4", "d6b370", "full4")),
        ("Yara Kelp", OpenPeeps("longCurly", "694d3d", "2c1b18")),
        ("Nils Anchor", OpenPeeps("mohawk", "edb98a", "c93305")),
        ("Imani Tide", OpenPeeps("hijab", "d08b5b", clothes="e279c7")),
        ("Jonah Bilge", OpenPeeps("turban", "ae5d29", beard="full", clothes="ffcf77")),
        ("Wren Halyard", OpenPeeps("longBangs", "ffdbb4", "ecdcbf")),
        ("Mato Drift", OpenPeeps("dreads2", "694d3d", "4a312c", "goatee2")),
        ("Della Buoy", OpenPeeps("bangs2", "edb98a", "2c1b18", "", "glasses")),
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
        ("Amélie Brisk", OpenPeeps("bangs", "ae5d29", "2c1b18")),
        ("Bastien Noir", OpenPeeps("shaved2", "694d3d", "2c1b18", "goatee1")),
        ("Colette Plume", OpenPeeps("medium1", "ffdbb4", "b58143", "", "glasses5")),
        ("Émile Doux", OpenPeeps("bear", "edb98a", "8a5a3c")),
        ("Fleur Minuit", OpenPeeps("mediumStraight", "edb98a", "5b6fd6")),
        ("Gaspard Zinc", Notionists(4, "e5b58b", "8a8a8a", 12, 6)),
        ("Hélène Brume", Notionists(41, "f6d7c3", "5f9e4a", 3, 0, 6)),
        ("Isidore Lune", Notionists(14, "b97f50", "d8d3c8", 19, 5, 11)),
        ("Jeanne Pavé", Notionists(51, "9a6442", "7c3fa0", 8)),
    ),
)
