"""Lists that come in small pieces: the members of a category, the images of pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from icf.app.demo.site.params import Params, Refused
from icf.app.demo.site.titles import Found, normal
from icf.app.demo.site.wiki import CATEGORY_NAMESPACE, Wiki, WikiPage


@dataclass(frozen=True)
class Row:
    """One row: what it names, on which page it stands, and where to go on."""

    title: str
    source: int
    token: str


@dataclass(frozen=True)
class Piece:
    """Some rows, and the token of the first row of the next piece, or ""."""

    rows: tuple[Row, ...]
    more: str


def piece(rows: Sequence[Row], limit: int, token: str) -> Piece:
    """Cut out ``limit`` rows from the one that ``token`` names.

    Raises:
        Refused: the token is none that this list ever gave.
    """
    tokens = [row.token for row in rows]
    if token and token not in tokens:
        raise Refused(
            "badcontinue",
            "Invalid continue param. You should pass the original value returned by "
            "the previous query.",
        )
    start = tokens.index(token) if token else 0
    end = start + limit
    return Piece(tuple(rows[start:end]), tokens[end] if end < len(rows) else "")


def image_rows(pages: Sequence[Found]) -> list[Row]:
    """List the files on pages, by page and then by name, as the database has them."""
    owners = sorted((p.page for p in pages if p.page), key=lambda page: page.pageid)
    return [
        Row("File:" + name.replace("_", " "), page.pageid, f"{page.pageid}|{name}")
        for page in owners
        for name in sorted(page.images)
    ]


def link_rows(pages: Sequence[Found]) -> list[Row]:
    """List the links on pages, by page and then by title."""
    owners = sorted((p.page for p in pages if p.page), key=lambda page: page.pageid)
    return [
        Row(title, page.pageid, f"{page.pageid}|0|{title.replace(' ', '_')}")
        for page in owners
        for title in sorted(page.links)
    ]


def sort_key(page: WikiPage) -> str:
    """The upper-case name without its namespace, in hexadecimal."""
    name = page.title.removeprefix("Category:")
    return name.upper().encode().hex()


def kind(page: WikiPage) -> str:
    """What MediaWiki calls the type of a category member."""
    return "subcat" if page.namespace == CATEGORY_NAMESPACE else "page"


def member_pages(wiki: Wiki, params: Params, prefix: str) -> list[WikiPage]:
    """List the wanted members of the category that the call names.

    Raises:
        Refused: no category is named, or the title is none of a category.
    """
    title = normal(params.text(prefix + "title"))
    if not title:
        raise Refused(
            "missingparam",
            f'One of the parameters "{prefix}title" and "{prefix}pageid" is required.',
        )
    if not title.startswith("Category:"):
        raise Refused("invalidcategory", "The category name you entered is not valid.")
    types: list[str] = ["page", "subcat"]
    if params.flag(prefix + "type"):
        allowed = ("page", "subcat", "file")
        types = params.known(prefix + "type", "categorymembers", allowed)
    spaces = params.values(prefix + "namespace")
    return [
        page
        for page in wiki.members(title.removeprefix("Category:"))
        if kind(page) in types and (not spaces or str(page.namespace) in spaces)
    ]


def member_rows(pages: Sequence[WikiPage]) -> list[Row]:
    """Turn category members into rows."""
    return [
        Row(page.title, 0, f"{kind(page)}|{sort_key(page)}|{page.pageid}")
        for page in pages
    ]
