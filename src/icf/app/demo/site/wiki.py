"""What the demo site knows about itself: its pages and files, as a wiki's tables."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

CATEGORY_NAMESPACE = 14
FILE_NAMESPACE = 6
NAMESPACES = {"Category": CATEGORY_NAMESPACE, "File": FILE_NAMESPACE}


@dataclass(frozen=True)
class Licence:
    """What a file's page says about its licence."""

    name: str
    url: str
    artist: str


@dataclass(frozen=True)
class WikiFile:
    """One file and its description page.

    Attributes:
        pageid: of the description page; 0 where page and file are missing.
        name: with underscores, as in URLs.
        folder: under ``/images/``, empty or with a slash at its end.
        sha1: lower-case hexadecimal.
        size: in bytes.
        licence: None where only the site's rights apply.
        known: False where the page is there but has no ``imageinfo``.
        stored: False where the API tells of it but a fetch gets 404.
        opted_out: served with ``X-Robots-Tag: noai``.
        busy: the first fetch gets 503 with ``Retry-After``.
    """

    pageid: int
    name: str
    folder: str = ""
    sha1: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    mime: str = ""
    licence: Licence | None = None
    known: bool = True
    stored: bool = True
    opted_out: bool = False
    busy: bool = False

    @property
    def title(self) -> str:
        """The title of its description page."""
        return "File:" + self.name.replace("_", " ")

    @property
    def path(self) -> str:
        """Where it is under the site's root, not percent-encoded."""
        return f"images/{self.folder}{self.name}"


@dataclass(frozen=True)
class WikiPage:
    """A page: an album (links to characters), a character (images) or a category.

    Attributes:
        images: names of files in the order of the page; the first one leads.
        links: titles of other pages in the order of the page.
        categories: without the prefix ``Category:``.
        redirect: leads to its only link.
    """

    pageid: int
    title: str
    images: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    redirect: bool = False

    @property
    def namespace(self) -> int:
        """0 for articles, 14 for categories."""
        return NAMESPACES.get(self.title.partition(":")[0], 0)


@dataclass(frozen=True)
class Wiki:
    """The whole site."""

    name: str
    rights: Licence
    pages: tuple[WikiPage, ...]
    files: tuple[WikiFile, ...]

    @cached_property
    def page(self) -> dict[str, WikiPage]:
        """Pages by title."""
        return {page.title: page for page in self.pages}

    @cached_property
    def file(self) -> dict[str, WikiFile]:
        """Files by name."""
        return {file.name: file for file in self.files}

    @cached_property
    def redirect(self) -> dict[str, str]:
        """Where a title redirects to."""
        return {page.title: page.links[0] for page in self.pages if page.redirect}

    def members(self, category: str) -> list[WikiPage]:
        """Pages of a category in the order of their sort keys, subcategories last."""
        found = [page for page in self.pages if category in page.categories]
        return sorted(found, key=lambda page: (page.namespace, page.title.upper()))


def to_json(wiki: Wiki) -> str:
    """Write the wiki's tables as JSON."""
    return json.dumps(asdict(wiki), ensure_ascii=False, indent=0, sort_keys=True)


def from_json(text: str) -> Wiki:
    """Read what `to_json` wrote."""
    data = json.loads(text)
    return Wiki(
        data["name"],
        Licence(**data["rights"]),
        tuple(_page(row) for row in data["pages"]),
        tuple(_file(row) for row in data["files"]),
    )


def _page(row: dict[str, Any]) -> WikiPage:
    lists = {key: tuple(row[key]) for key in ("images", "links", "categories")}
    return WikiPage(row["pageid"], row["title"], **lists, redirect=row["redirect"])


def _file(row: dict[str, Any]) -> WikiFile:
    licence = Licence(**row["licence"]) if row["licence"] else None
    return WikiFile(**{**row, "licence": licence})
