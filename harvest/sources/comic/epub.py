"""Pages out of EPUB files: the pictures, in the order in which the book shows them."""

from __future__ import annotations

import posixpath
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from icf.codes import FetchStatus
from icf.harvest.sources.comic.archive import Archive, parse_xml
from icf.harvest.sources.comic.pages import About, Page, Write, page_id

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PICTURE = re.compile(
    r"\.(jpe?g|png|gif|webp|avif|heic|bmp|tiff?|svg|jxl|jp2)$", re.IGNORECASE
)


class Epub:
    """An open EPUB file.

    Its package names the pages; if that cannot be read, all pictures are taken in
    natural order. Members that are not pictures are skipped.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._archive = Archive(path, max_bytes)
        package = self._rootfile()
        root = parse_xml(self._archive.text(package)) if package else None
        manifest = _manifest(root, package) if root is not None else {}
        pictures = {
            page_id(name)
            for name, kind in manifest.values()
            if kind.startswith("image/")
        }
        by_id = {
            page.id: page
            for page in self._archive.pages
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
        self.passed_over = len(self._archive.members) - len(self.pages)
        self.about = _about(root) if root is not None else About()

    def read(self, page: Page, write: Write) -> None:
        """Write the bytes of a page; see `icf.harvest.sources.comic.pages.Book`."""
        self._archive.read(page, write)

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    def _rootfile(self) -> str | None:
        root = parse_xml(self._archive.text(_CONTAINER))
        found = root.find(".//{*}rootfile") if root is not None else None
        return found.get("full-path") if found is not None else None

    def _shown(self, root: ET.Element, manifest: Manifest) -> list[str]:
        """Return the ids of the pictures in the spine's documents, in reading order."""
        shown = []
        for item in root.iterfind(".//{*}spine/{*}itemref"):
            name, kind = manifest.get(item.get("idref", ""), ("", ""))
            if kind.startswith("image/"):
                shown.append(page_id(name))
            elif text := self._archive.text(name):
                shown += [page_id(_resolved(name, one)) for one in _pictures(text)]
        return shown

    def _encrypted(self) -> set[str]:
        root = parse_xml(self._archive.text(_ENCRYPTION))
        found = root.iterfind(".//{*}CipherReference") if root is not None else ()
        return {page_id(unquote(one.get("URI", ""))) for one in found}


Manifest = dict[str, tuple[str, str]]


def _manifest(root: ET.Element, package: str | None) -> Manifest:
    """Return the name and the media type of each item, by its id."""
    return {
        item.get("id", ""): (
            _resolved(package or "", item.get("href", "")),
            item.get("media-type", ""),
        )
        for item in root.iterfind(".//{*}manifest/{*}item")
    }


def _about(root: ET.Element) -> About:
    return About(
        root.findtext(".//{*}metadata/{*}rights") or None,
        root.findtext(".//{*}metadata/{*}creator") or None,
    )


def _locked(page: Page) -> Page:
    return replace(page, fate=FetchStatus.ENCRYPTED, message="it asks for a key")


def _resolved(base: str, reference: str) -> str:
    try:
        path = unquote(urlsplit(reference).path)
    except ValueError:
        return ""
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), path))


def _pictures(document: bytes) -> Iterable[str]:
    finder = _Finder()
    finder.feed(document.decode("utf-8", errors="replace"))
    return finder.found


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = {"img": ("src",), "image": ("href", "xlink:href")}.get(tag, ())
        self.found += [value for name, value in attrs if name in wanted and value]
