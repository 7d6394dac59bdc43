"""Manga109: the detection set as books of pages, with who each face is.

::

    train/books.txt
    train/annotations/album_000.xml
    train/images/album_000/000.jpg
    test/...

An album is a book; pictures whose album is not known are the last one. Manga109 has no
split, so train and test are a data set each. A face has its character where it is in
the recognition set of the same split: the others are called *Other*, so that who trains
on the characters of train has seen nobody who is held out.

Every page is called ``.jpg``, as Manga109's own tools expect, whatever its bytes are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.checks.manga109 import check_manga109
from icf.dataset.formats.layouts import NO_ALBUM, NOBODY, NOBODY_ID, plain
from icf.dataset.formats.records import SPLITS, Record, Records, Split, placed_in
from icf.dataset.plan import Plan


class Manga109Writer:
    """An XML file and a folder of pages for each album."""

    name: ClassVar[str] = "manga109"
    help: ClassVar[str] = "The detection set as Manga109 has it, an album a book."

    def write(self, data: ReleaseData, folder: Path) -> Iterator[WrittenPicture]:
        """Write the pages and their annotations.

        Raises:
            BrokenMachine: a picture's bytes are missing.
        """
        records = Records(data)
        for split in SPLITS:
            root = Path(split)
            (folder / root / "annotations").mkdir(parents=True)
            albums = _albums(data.plan) if data.books is None else data.books
            books = _books(albums, list(records.of("detection", split)))
            who = _characters(data.plan, split)
            for number, (title, pages) in enumerate(books.items()):
                name = f"album_{number:03d}"
                images = root / "images" / name
                (folder / images).mkdir(parents=True)
                for index, each in enumerate(pages):
                    yield data.put(each.placed, folder, images / f"{index:03d}.jpg")
                path = folder / root / "annotations" / f"{name}.xml"
                _write_book(path, _Book(title, pages, who, data.plan))
            names = "".join(f"album_{number:03d}\n" for number in range(len(books)))
            (folder / root / "books.txt").write_text(names, encoding="ascii")

    def verify(self, files: ReleaseFiles) -> Iterator[Fault]:
        """Check every page, face and character against the contents."""
        return check_manga109(files)


def _albums(plan: Plan) -> Mapping[int, str]:
    """Return the album of each picture's first face, by the picture's row."""
    faces, identities = plan.selection.faces, plan.selection.identities
    album: dict[int, str] = {}
    pairs = zip(faces.picture.tolist(), faces.identity.tolist(), strict=True)
    for picture, identity in pairs:
        album.setdefault(picture, identities[identity].album)
    return album


def _books(
    albums: Mapping[int, str], records: Sequence[Record]
) -> Mapping[str, list[Record]]:
    """Return the pages of each album, sorted by its name; each page is in one."""
    books: dict[str, list[Record]] = {}
    for each in records:
        title = albums.get(each.placed.picture, "")
        books.setdefault(title, []).append(each)
    ordered = sorted(books, key=lambda title: (not title, title))
    return {title or NO_ALBUM: books[title] for title in ordered}


def _characters(plan: Plan, split: Split) -> Mapping[int, tuple[int, str]]:
    """Return label and name of the faces of the recognition set, by face id."""
    faces, identities = plan.selection.faces, plan.selection.identities
    known: dict[int, tuple[int, str]] = {}
    for each in placed_in(plan, "recognition", split):
        if each.label >= 0:
            identity = identities[int(faces.identity[each.face])]
            known[int(faces.face[each.face])] = each.label, identity.character
    return known


@dataclass(frozen=True, eq=False)
class _Book:
    """An album, its pages, and who is known."""

    title: str
    pages: Sequence[Record]
    who: Mapping[int, tuple[int, str]]
    plan: Plan

    def faces(self, page: Record) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield character's id and corners of each face of a page."""
        boxes = self.plan.selection.pictures.boxes[page.placed.picture]
        for box, corners in zip(boxes, page.boxes, strict=True):
            label, _ = self.who.get(box.face_id or 0, (None, ""))
            yield NOBODY_ID if label is None else f"{label:08x}", corners

    def characters(self) -> Mapping[str, str]:
        """The name of each character of the book, by id."""
        named = {f"{label:08x}": name for label, name in self.who.values()}
        used = {each for page in self.pages for each, _ in self.faces(page)}
        return {each: named.get(each, NOBODY) for each in sorted(used)}


def _write_book(path: Path, book: _Book) -> None:
    root = ElementTree.Element("book", title=plain(book.title))
    characters = ElementTree.SubElement(root, "characters")
    for identity, name in book.characters().items():
        about = {"id": identity, "name": plain(name)}
        ElementTree.SubElement(characters, "character", about)
    pages = ElementTree.SubElement(root, "pages")
    number = 0
    for index, each in enumerate(book.pages):
        width, height = each.size
        about = {"index": str(index), "width": str(width), "height": str(height)}
        page = ElementTree.SubElement(pages, "page", about)
        for character, corners in book.faces(each):
            sides = zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
            face = {"id": f"{number:08x}", **{side: str(n) for side, n in sides}}
            ElementTree.SubElement(page, "face", {**face, "character": character})
            number += 1
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, "utf-8", xml_declaration=True)
