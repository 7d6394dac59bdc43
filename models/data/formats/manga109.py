"""Manga109: pages of comics, with each face and who it is (Aizawa et al. 2020).

::

    images/ARMS/003.jpg
    annotations/ARMS.xml

An XML file a book has its characters, and for each page its faces::

    <book title="ARMS">
      <characters><character id="00000003" name="..."/></characters>
      <pages><page index="3" width="1654" height="1170">
        <face id="..." xmin="9" ymin="8" xmax="99" ymax="98" character="00000003"/>

A character's id is its identity. Those called "Other" are many: they have none. The
pages of a book stay together, since its characters are on all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

from icf.errors import BadInput
from icf.icartoonface.lines import plain_numbers
from icf.models.data.base import LabelledFace, LabelledPicture, Reader, Skipped
from icf.models.data.boxes import wrong_with
from icf.models.data.formats.places import places_of
from icf.models.data.picture_files import KnownFiles, read_file, state_of
from icf.names import normal_name
from icf.own_files import walk

ANNOTATIONS, IMAGES = "annotations", "images"

#: Names under which everybody is put who has none.
_NOBODY = frozenset({"other", "others", "その他"})


@dataclass(frozen=True)
class Manga109Reader(Reader):
    """Reads the books."""

    kind: ClassVar[str] = "manga109"

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream the pages, book by book.

        Raises:
            BadInput: annotations or pictures are not there.
        """
        annotations, images = self._found()
        above = f"{images.relative_to(self.path).as_posix()}/"
        books = sorted(annotations.glob("*.xml"))
        if not books:
            raise BadInput(f"{self.name}: no XML file of a book is in {annotations}")
        for path in books:
            try:
                book = ElementTree.parse(path).getroot()
            except (ElementTree.ParseError, ValueError, LookupError) as error:
                yield Skipped(path.name, f"no XML: {error}")
                continue
            except OSError as error:
                raise BadInput(f"{path}: cannot be read: {error}") from error
            yield from _Book(book, path, images, above).pages()

    def read(self, key: str) -> bytes:
        """Return the bytes of a page."""
        return read_file(self.path / key)

    def fingerprint(self) -> str:
        """Return a digest of names, sizes and times of annotations and pages."""
        annotations, images = self._found()
        return state_of(self.path, (*walk(annotations), *walk(images)))

    def _found(self) -> tuple[Path, Path]:
        places = places_of(self.path, (ANNOTATIONS, IMAGES), self.name)
        for name in (ANNOTATIONS, IMAGES):
            if name not in places:
                raise BadInput(
                    f"{self.name}: no folder {name} is below {self.path}; give the "
                    "folder with annotations/BOOK.xml and images/BOOK/000.jpg"
                )
        return places[ANNOTATIONS], places[IMAGES]


class _Book:
    """One book's pages."""

    def __init__(
        self, book: ElementTree.Element, path: Path, images: Path, above: str
    ) -> None:
        self._title = normal_name(book.get("title") or path.stem)
        self._file = path
        self._book = book
        self._known = KnownFiles(images)
        self._above = above
        self._nobody = {
            each.get("id", "")
            for each in book.iter("character")
            if normal_name(each.get("name", "")).casefold() in _NOBODY
        }

    def pages(self) -> Iterator[LabelledPicture | Skipped]:
        seen: set[str] = set()
        for page in self._book.iter("page"):
            index = page.get("index", "")
            where = f"{self._file.name}, page {index}"
            try:
                name = f"{self._file.stem}/{int(index):03}.jpg"
                size = int(page.get("width", "")), int(page.get("height", ""))
            except ValueError:
                yield Skipped(where, "a page without a number or a size")
                continue
            if name in seen:
                yield Skipped(where, "the same page again")
                continue
            seen.add(name)
            if name not in self._known:
                yield Skipped(where, "no such picture")
                continue
            yield from self._page(page, where, self._above + name, size)

    def _page(
        self, page: ElementTree.Element, where: str, key: str, size: tuple[int, int]
    ) -> Iterator[LabelledPicture | Skipped]:
        faces: list[LabelledFace] = []
        complete = True
        for element in page.iter("face"):
            face_where = f"{where}, face {element.get('id', '')}"
            face = self._face(element, size)
            if isinstance(face, str):
                complete = False
                yield Skipped(face_where, face)
            elif face in faces:
                yield Skipped(face_where, "the same box again")
            else:
                faces.append(face)
        yield LabelledPicture(key, tuple(faces), complete, group=self._title, size=size)

    def _face(
        self, element: ElementTree.Element, size: tuple[int, int]
    ) -> LabelledFace | str:
        """Return a face, or what is wrong with it."""
        sides = [element.get(side, "") for side in ("xmin", "ymin", "xmax", "ymax")]
        try:
            x1, y1, x2, y2 = plain_numbers(sides)
        except ValueError:
            return "a box that is no numbers"
        if wrong := wrong_with((x1, y1, x2, y2), size):
            return wrong
        character = element.get("character", "")
        known = character and character not in self._nobody
        identity = f"{self._title}/{character}" if known else None
        return LabelledFace((x1, y1, x2, y2), identity=identity)
