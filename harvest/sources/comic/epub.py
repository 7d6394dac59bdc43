"""Pages out of EPUB files: the pictures, in the order in which the book shows them."""

from __future__ import annotations

import contextlib
import posixpath
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from icf.codes import FetchStatus
from icf.harvest.sources.comic.archive import Archive
from icf.harvest.sources.comic.markup import decoded_text, local_name, parse_xml
from icf.harvest.sources.comic.pages import About, Page, Write, page_id

_CONTAINER = "meta-inf/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_TYPE = b"application/epub+zip"
_PICTURE = re.compile(
    r"\.(jpe?g|png|gif|webp|avif|heic|bmp|tiff?|svg|jxl|jp2)$", re.IGNORECASE
)
#: Properties of ``<meta>`` and relations of ``<link>`` that state rights.
_RIGHTS = frozenset({"rights", "license", "licence"})


def is_epub(archive: Archive) -> bool:
    """Return whether a ZIP file is an EPUB, in whatever order it was packed."""
    if any(_folded(name).endswith(_CONTAINER) for name in archive.members):
        return True
    return (archive.text("mimetype") or b"").strip().startswith(_TYPE)


class Epub:
    """An open EPUB file.

    Its package names the pages; if that cannot be read, all pictures are taken in
    natural order. Members that are not pictures are skipped.

    Args:
        path: of the file.
        max_bytes: that one page may unpack to.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._archive = archive = Archive(path, max_bytes)
        self._members = members = _Members(archive.members)
        package = self._package()
        root = parse_xml(archive.text(package)) if package else None
        manifest = _manifest(root, package, members) if root is not None else {}
        pictures = {
            page_id(name)
            for name, kind in manifest.values()
            if kind.startswith("image/")
        }
        by_id = {
            page.id: page
            for page in archive.pages
            if page.id in pictures
            or _PICTURE.search(page.id)
            or page.fate is FetchStatus.BAD_MEMBER
        }
        shown = self._shown(root, manifest) if root is not None else []
        order = dict.fromkeys([*(i for i in shown if i in by_id), *by_id])
        locked = self._encrypted()
        self.pages = tuple(
            _locked(by_id[one]) if one in locked else by_id[one] for one in order
        )
        self.passed_over = len(archive.members) - len(self.pages)
        self.about = _about(root) if root is not None else About()

    def read(self, page: Page, write: Write) -> None:
        """Write the bytes of a page; see `icf.harvest.sources.comic.pages.Book`."""
        self._archive.read(page, write)

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    def _package(self) -> str | None:
        """Return the name of the package: as the container says, or the first there."""
        container = self._members.container
        root = parse_xml(self._archive.text(container)) if container else None
        for rootfile in root.iterfind(".//{*}rootfile") if root is not None else ():
            name = self._members.find("", rootfile.get("full-path", ""))
            if name:
                return name
        packages = [
            one for one in self._archive.members if one.lower().endswith(".opf")
        ]
        return min(packages, key=len, default=None)

    def _shown(self, root: ET.Element, manifest: Manifest) -> list[str]:
        """Return the ids of the pictures in the spine's documents, in reading order."""
        shown = []
        for item in root.iterfind(".//{*}spine/{*}itemref"):
            name, kind = manifest.get(item.get("idref", ""), ("", ""))
            if kind.startswith("image/"):
                shown.append(page_id(name))
            elif text := self._archive.text(name):
                found = (self._members.find(name, one) for one in _pictures(text))
                shown += [page_id(one) for one in found if one]
        return shown

    def _encrypted(self) -> set[str]:
        name = self._members.find("", _ENCRYPTION)
        root = parse_xml(self._archive.text(name)) if name else None
        found = root.iterfind(".//{*}CipherReference") if root is not None else ()
        names = (self._members.find("", one.get("URI", "")) for one in found)
        return {page_id(one) for one in names if one}


class _Members:
    """The members of an EPUB, by the names that its documents give them.

    Attributes:
        container: the name of the member that names the package; None without one.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {_folded(name): name for name in names}
        containers = [one for one in self._names if one.endswith(_CONTAINER)]
        first = min(containers, key=len, default=None)
        self.container = None if first is None else self._names[first]
        # The whole book may have been packed within a folder.
        self._top = "" if first is None else first.removesuffix(_CONTAINER)

    def find(self, base: str, reference: str) -> str | None:
        """Return the member that a document names; None if there is none.

        Case, percent-encoding and the form of accents make no difference.

        Args:
            base: the document's own name; empty for the container's root.
            reference: as the document has it.
        """
        folder = posixpath.dirname(_folded(base)) if base else self._top
        for path in _paths(reference):
            inside = self._top if path.startswith("/") else folder
            found = self._names.get(_folded(f"{inside}/{path}"))
            if found is not None:
                return found
        return None


Manifest = dict[str, tuple[str, str]]


def _manifest(root: ET.Element, package: str | None, members: _Members) -> Manifest:
    """Return the name and the media type of each item, by its id."""
    return {
        item.get("id", ""): (
            members.find(package or "", item.get("href", "")) or "",
            item.get("media-type", "").lower(),
        )
        for item in root.iterfind(".//{*}manifest/{*}item")
    }


def _about(root: ET.Element) -> About:
    stated = list(_stated(root))
    return About(
        next((text for name, text in stated if name in _RIGHTS), None),
        next((text for name, text in stated if name == "creator"), None),
    )


def _stated(root: ET.Element) -> Iterator[tuple[str, str]]:
    """Yield what the metadata states: a name in lower case, and a text."""
    for metadata in root.iterfind("{*}metadata"):
        for one in metadata.iter():
            name, text = local_name(one.tag), one.text or ""
            if name in ("meta", "link"):
                named = one.get("property") or one.get("rel") or one.get("name") or ""
                name = named.lower().rpartition(":")[2]
                text = text.strip() or one.get("content") or one.get("href") or ""
            if text.strip():
                yield name, text.strip()


def _locked(page: Page) -> Page:
    return replace(page, fate=FetchStatus.ENCRYPTED, message="it asks for a key")


def _paths(reference: str) -> Iterator[str]:
    """Yield what a reference may mean: a URL, or a plain name."""
    with contextlib.suppress(ValueError):
        yield unquote(urlsplit(reference).path)
    yield unquote(reference)
    yield reference


def _folded(name: str) -> str:
    """Return a member's name as it is compared."""
    path = posixpath.normpath(name.replace("\\", "/")).lstrip("/")
    return unicodedata.normalize("NFC", path).casefold()


def _pictures(document: bytes) -> list[str]:
    finder = _Finder()
    finder.feed(decoded_text(document))
    return finder.found


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = {
            "img": ("src",),
            "image": ("href", "xlink:href"),
            "object": ("data",),
        }.get(tag, ())
        self.found += [value for name, value in attrs if name in wanted and value]
