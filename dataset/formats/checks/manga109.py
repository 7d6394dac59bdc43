"""Read the books of the format Manga109."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from icf.dataset.contents import FACES
from icf.dataset.formats.base import Corners
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault, ReleaseFiles
from icf.dataset.formats.checks.known import Known
from icf.dataset.formats.checks.listed import Layout, Listed, Unread, check_listed
from icf.dataset.formats.layouts import NO_ALBUM, NOBODY, NOBODY_ID, plain
from icf.dataset.formats.records import SPLITS, Split
from icf.dataset.unused import FILE as UNUSED
from icf.dataset.unused import read_unused
from icf.errors import BadInput


def check_manga109(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every page, face and character against the contents."""
    layout = Layout(
        {("detection", split): f"{split}/annotations" for split in SPLITS},
        tuple(f"{split}/images/" for split in SPLITS),
    )
    known = Known(files)
    return check_listed(known, layout, _all(files, known))


def _all(files: ReleaseFiles, known: Known) -> Iterator[Listed | Fault | Unread]:
    albums = _albums(files)
    for split in SPLITS:
        yield from _Split(files, known, split, albums).pages()


def _albums(files: ReleaseFiles) -> Mapping[str, set[str]] | None:
    """The albums of the faces of each picture; None where ``unused.csv`` is not there.

    A page lies in the book of one of them.
    """
    try:
        rest = read_unused(files.root / UNUSED) if files.root else None
    except BadInput:
        rest = None
    if rest is None:
        return None
    found: dict[str, set[str]] = {}
    for each in rest:
        found.setdefault(each.sha256, set()).add(plain(each.album))
    contents = files.contents
    for row in contents.rows(*FACES).tolist():
        sha256 = contents.sha256[row].decode()
        found.setdefault(sha256, set()).add(plain(contents.album[row]))
    return found


class _Split:
    """The books of one split."""

    def __init__(
        self,
        files: ReleaseFiles,
        known: Known,
        split: Split,
        albums: Mapping[str, set[str]] | None,
    ) -> None:
        self._files = files
        self._known = known
        self._split: Split = split
        self._albums = albums
        #: Pages are called by their place in the book: bytes tell which picture it is.
        self._names = {
            known.sha256(row): name
            for name, row in known.names("detection", split).items()
        }
        contents = files.contents
        rows = known.names("recognition", split).values()
        self._characters = {
            known.label(row): plain(contents.character[row])
            for row in rows
            if known.label(row) >= 0
        }

    def pages(self) -> Iterator[Listed | Fault | Unread]:
        above = f"{self._split}/annotations/"
        books = [name for name in self._files.hashes if name.startswith(above)]
        yield from self._index([name[len(above) : -len(".xml")] for name in books])
        for file in books:
            try:
                book = ElementTree.parse(self._files.folder / file).getroot()
                yield from self._book(book, file)
            except (ElementTree.ParseError, OSError, *UNEXPECTED) as error:
                fault = Fault(file, f"cannot be read: {error!r}")
                stem = file.removeprefix(above).removesuffix(".xml")
                pictures = f"{self._split}/images/{stem}/"
                yield Unread(fault, ("detection", self._split), pictures)

    def _index(self, books: list[str]) -> Iterator[Fault]:
        file = f"{self._split}/books.txt"
        if file not in self._files.hashes:
            yield Fault(file, MISSING)
            return
        listed = (self._files.folder / file).read_text("utf-8", "replace").splitlines()
        if listed != sorted(books):
            yield Fault(file, "lists other books than there are")

    def _book(self, book: ElementTree.Element, file: str) -> Iterator[Listed | Fault]:
        names = {
            each.attrib["id"]: each.attrib["name"] for each in book.iter("character")
        }
        for identity, name in names.items():
            meant = self._characters.get(_label(identity), NOBODY)
            if name != meant:
                yield Fault(file, f"calls the character {identity} {name}, not {meant}")
        stem = file.rpartition("/")[2].removesuffix(".xml")
        for page in book.iter("page"):
            index = int(page.attrib["index"])
            picture = f"{self._split}/images/{stem}/{index:03d}.jpg"
            sha256 = self._files.hashes.get(picture)
            shown = self._names.get(sha256 or "")
            if sha256 is None or shown is None:
                what = "is no picture of this part"
                yield Fault(picture, MISSING if sha256 is None else what)
                continue
            title = book.attrib["title"]
            albums = {NO_ALBUM, title} if self._albums is None else {NO_ALBUM}
            albums |= (self._albums or {}).get(sha256, set())
            if title not in albums:
                yield Fault(file, f"page {index}: {shown} is no page of {title}")
            yield self._listed(page, file, shown, picture, names)

    def _listed(
        self,
        page: ElementTree.Element,
        file: str,
        name: str,
        picture: str,
        names: Mapping[str, str],
    ) -> Listed:
        faces = list(page.iter("face"))
        labels = [
            _label(each.attrib["character"])
            if each.attrib["character"] in names
            else -2  # of a character that the book has not
            for each in faces
        ]
        return Listed(
            file,
            "detection",
            self._split,
            name,
            place=f"page {page.attrib['index']}",
            picture=picture,
            size=(int(page.attrib["width"]), int(page.attrib["height"])),
            boxes=tuple(map(_corners, faces)),
            faces=tuple(labels),
        )


def _label(identity: str) -> int:
    return -1 if identity == NOBODY_ID else int(identity, 16)


def _corners(face: ElementTree.Element) -> Corners:
    x1, y1, x2, y2 = (
        int(face.attrib[side]) for side in ("xmin", "ymin", "xmax", "ymax")
    )
    return x1, y1, x2, y2
