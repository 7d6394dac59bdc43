"""A small cartoon wiki: its pictures, its pages, and what a harvest must find in it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw

ALBUMS = ("Moon Rabbits", "Señor Café", "東京 Robots")
CHARACTERS = 3
PICTURES = 4
#: Pictures of the first character: more than one answer of the API holds.
MANY = 60
FORMATS = ("jpg", "jpg", "png", "webp", "gif")
LICENCES = (
    ("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    ("Public domain", ""),
    ("Fair use", ""),
    None,
)


@dataclass
class WikiPages:
    """What was written.

    Attributes:
        characters: names by album.
        files: file names (with underscores) by character.
        licences: licence name by file name; None where the page names none.
        missing: files that pages show and that were never uploaded.
    """

    characters: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    licences: dict[str, str | None] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def draw(pictures: Path, texts: Path) -> WikiPages:
    """Draw the wiki's pictures and write its pages, for MediaWiki's import scripts.

    The scripts take the name of a text file for the title of its page, and want the
    page of the picture ``a.png`` in ``a.png.txt``.
    """
    pages = WikiPages()
    rnd = random.Random(7)
    for album in ALBUMS:
        names = [f"{album} Hero {number}" for number in range(CHARACTERS)]
        pages.characters[album] = names
        listed = "".join(f"* [[{name}]]\n" for name in names)
        text = f"'''{album}''' is a series.\n{listed}[[Category:Animated series]]"
        (texts / album).write_text(text)
        (texts / f"Category:{album} characters").write_text("[[Category:Characters]]")
        (texts / f"{album} Chief").write_text(f"#REDIRECT [[{names[0]}]]")
        for name in names:
            _draw_character(pages, album, name, pictures, texts, rnd)
    # The two categories hold each other: whoever walks them must not walk in a circle.
    (texts / "Category:Animated series").write_text("[[Category:Characters]]")
    (texts / "Category:Characters").write_text("[[Category:Animated series]]")
    return pages


def _draw_character(
    pages: WikiPages,
    album: str,
    name: str,
    pictures: Path,
    texts: Path,
    rnd: random.Random,
) -> None:
    count = PICTURES if pages.files else MANY
    pages.files[name] = []
    for number in range(count):
        drawn = len(pages.licences)
        kind = FORMATS[drawn % len(FORMATS)]
        file = f"{name} {number}.{kind}".replace(" ", "_")
        _draw_picture(pictures / file, rnd)
        licence = LICENCES[drawn % len(LICENCES)]
        stated = (
            f"{{{{License|{licence[0]}|{licence[1]}|Jane Doe}}}}" if licence else ""
        )
        (pictures / f"{file}.txt").write_text(f"== Summary ==\n[[{name}]]\n{stated}")
        pages.files[name].append(file)
        pages.licences[file] = licence[0] if licence else None
    missing = f"Missing_{len(pages.files)}.png"
    pages.missing.append(missing)
    shown = "".join(f"File:{file}|{name}\n" for file in [*pages.files[name], missing])
    (texts / name).write_text(
        f"'''{name}''' is in [[{album}]].\n<gallery>\n{shown}</gallery>\n"
        f"[[Category:{album} characters]]"
    )


def _draw_picture(path: Path, rnd: random.Random) -> None:
    size = rnd.randint(150, 400), rnd.randint(150, 400)
    picture = Image.new("RGB", size, _colour(rnd))
    brush = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y, r = rnd.randint(0, 400), rnd.randint(0, 400), rnd.randint(5, 80)
        brush.ellipse((x - r, y - r, x + r, y + r), fill=_colour(rnd))
    picture.save(path)


def _colour(rnd: random.Random) -> tuple[int, int, int]:
    return rnd.randrange(256), rnd.randrange(256), rnd.randrange(256)
