"""Read a page as the site draws it: links and tables under their headings, galleries.

What is drawn is what templates made of the page's text, so lists and tables that come
from templates are seen too. Navigation boxes, references and notes are not the page's
own words and are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import parsel

from icf.harvest.attributes.rank import read_rank
from icf.harvest.sources.mediawiki.config import Column
from icf.harvest.sources.mediawiki.wikitext import (
    clean_title,
    file_title,
    folded_title,
)

#: Classes of elements that are not part of the text.
_NOT_TEXT = (
    "navbox",
    "infobox",
    "portable-infobox",
    "reflist",
    "references",
    "reference",
    "toc",
    "hatnote",
    "metadata",
    "mw-editsection",
    "catlinks",
)
_LARGEST_SPAN = 100
_LEVEL = {f"h{level}": level for level in range(1, 7)}


def _has_class(name: str) -> str:
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"


_ASIDE = " or ".join(map(_has_class, _NOT_TEXT))
_IN_TEXT = f"not(ancestor-or-self::*[{_ASIDE} or @role='navigation'])"
_WORDS = (
    f".//text()[not(ancestor::*[{_has_class('mw-editsection')} or "
    f"{_has_class('reference')} or self::style or self::script or "
    "contains(translate(@style, ' ', ''), 'display:none')])] | .//img/@alt"
)
_HEADINGS = " or ".join(f"self::{name}" for name in _LEVEL)
_BOXES = " or ".join(map(_has_class, ("gallerybox", "wikia-gallery-item")))


@dataclass(frozen=True)
class Link:
    """A link to another page of the wiki.

    Attributes:
        title: of that page.
        headings: above it, the outermost first.
    """

    title: str
    headings: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        title: the page that the asked column links to, or else its text.
        headings: above it, the outermost first.
        rank: the first number in the column of ranks.
        region: the text of the column of regions.
    """

    title: str
    headings: tuple[str, ...]
    rank: int | None
    region: str


class Rendered:
    """The HTML of one page.

    Args:
        html: as ``action=parse`` returns it.
        articles: titles of the articles that it links to.
    """

    def __init__(self, html: str, articles: Collection[str]) -> None:
        self._page = parsel.Selector(text=html or "<p></p>", type="html")
        self._articles = frozenset(articles)
        self._folded = {folded_title(title): title for title in articles}

    def has_section(self, name: str) -> bool:
        """Return whether a heading has this text; case is ignored."""
        headings = self._page.xpath(f"//*[{_HEADINGS}]")
        return any(_is(name, _text(heading)) for heading in headings)

    def links(self, section: str | None = None, *, first: bool = False) -> list[Link]:
        """Return the articles that are linked to, each once, in the page's order.

        Args:
            section: only below this heading.
            first: only the first link of each list item or row of a table.
        """
        found: dict[str, Link] = {}
        items: set[Any] = set()
        for node, headings in self._below("a", section):
            title = self._article(node)
            if title is None or not node.xpath(f"self::*[{_IN_TEXT}]"):
                continue
            if first:
                item = node.xpath("ancestor::*[self::li or self::dt or self::tr][1]")
                if not item or item[0].root in items:
                    continue
                items.add(item[0].root)
            found.setdefault(title, Link(title, headings))
        return list(found.values())

    def rows(
        self,
        column: Column,
        *,
        section: str | None = None,
        rank: Column | None = None,
        region: Column | None = None,
    ) -> list[Row]:
        """Return the rows of every table that has a column, in the page's order.

        Args:
            column: whose cells name the wanted pages.
            section: only below this heading.
            rank: the column of ranks.
            region: the column of regions.
        """
        found: list[Row] = []
        for table, headings in self._below("table", section):
            grid = _Grid(table)
            at = grid.column(column)
            if at is None:
                continue
            ranks, regions = grid.column(rank), grid.column(region)
            for cells, above in grid.rows():
                cell = cells.get(at)
                title = None if cell is None else self._title(cell)
                if title:
                    number = read_rank(_text(_at(cells, ranks)))
                    place = _text(_at(cells, regions))
                    found.append(Row(title, (*headings, *above), number, place))
        return found

    def gallery_files(
        self, prefixes: Collection[str], *, capital: bool = True
    ) -> list[str]:
        """Return the titles of the files that galleries show.

        Args:
            prefixes: the site's names of the namespace of files, casefolded.
            capital: write first letters as `clean_title` does.
        """
        boxes = self._page.xpath(f"//*[{_BOXES}]")
        files = (_file_of(box, prefixes, capital=capital) for box in boxes)
        return [title for title in dict.fromkeys(files) if title]

    def _below(
        self, tag: str, section: str | None
    ) -> Iterator[tuple[parsel.Selector, tuple[str, ...]]]:
        """Yield elements in the page's order, with the headings above each."""
        above: list[tuple[int, str]] = []
        for node in self._page.xpath(f"//*[{_HEADINGS} or self::{tag}]"):
            level = _LEVEL.get(node.root.tag)
            if level is not None:
                above = [one for one in above if one[0] < level]
                above.append((level, _text(node)))
                continue
            headings = tuple(text for _, text in above)
            if section is None or any(_is(section, text) for text in headings):
                yield node, headings

    def _article(self, link: parsel.Selector) -> str | None:
        spellings = (link.attrib.get("title", ""), *_titles_in(link.attrib.get("href")))
        titles = (clean_title(one, capital=False) for one in spellings)
        return next(filter(None, map(self._own_title, titles)), None)

    def _own_title(self, title: str) -> str | None:
        """Return an article's title as the wiki spells it."""
        if title in self._articles:
            return title
        return self._folded.get(folded_title(title))

    def _title(self, cell: parsel.Selector) -> str | None:
        for link in cell.xpath(f".//a[{_IN_TEXT}]"):
            title = self._article(link)
            if title is not None:
                return title
        return clean_title(_text(cell), capital=False) or None


class _Grid:
    """A table's cells by row and column, those that span several in each of them."""

    def __init__(self, table: parsel.Selector) -> None:
        rows = table.xpath("./tr | ./thead/tr | ./tbody/tr | ./tfoot/tr")
        self._rows: list[dict[int, parsel.Selector]] = [{} for _ in rows]
        for number, row in enumerate(rows):
            at = 0
            for cell in row.xpath("./th | ./td"):
                while at in self._rows[number]:
                    at += 1
                wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
                for below in self._rows[number : number + high]:
                    below.update(dict.fromkeys(range(at, at + wide), cell))
                at += wide
        self._heads = 0
        while self._heads < len(rows) and _all_heads(self._rows[self._heads]):
            self._heads += 1

    def column(self, column: Column | None) -> int | None:
        """Return the number of a column, from 0."""
        width = max((max(row, default=-1) + 1 for row in self._rows), default=0)
        if isinstance(column, int):
            return column - 1 if column <= width else None
        for row in self._rows[: self._heads] if column is not None else ():
            for at in sorted(row):
                if _is(str(column), _text(row[at])):
                    return at
        return None

    def rows(self) -> Iterator[tuple[Mapping[int, parsel.Selector], Sequence[str]]]:
        """Yield the rows below the headers, with the last row of one cell above them.

        Such a row ("Japan", over all columns) is a heading of the rows that follow.
        """
        above: list[str] = []
        for row in self._rows[self._heads :]:
            cells = {id(cell): cell for cell in row.values()}
            if len(row) > 1 and (len(cells) == 1 or _all_heads(row)):
                above = [_text(next(iter(cells.values())))]
            elif row:
                yield row, above


def _at(
    cells: Mapping[int, parsel.Selector], column: int | None
) -> parsel.Selector | None:
    return None if column is None else cells.get(column)


def _all_heads(row: Mapping[int, parsel.Selector]) -> bool:
    return bool(row) and all(cell.root.tag == "th" for cell in row.values())


def _span(cell: parsel.Selector, name: str) -> int:
    text = cell.attrib.get(name, "").strip()
    number = int(text[:4]) if text.isdecimal() else 1  # no need to read more digits
    return min(max(number, 1), _LARGEST_SPAN)


def _text(node: parsel.Selector | None) -> str:
    return (
        "" if node is None else " ".join(" ".join(node.xpath(_WORDS).getall()).split())
    )


def _is(name: str, text: str) -> bool:
    return " ".join(name.split()).casefold() == text.casefold()


def _titles_in(address: str | None) -> Iterator[str]:
    """Yield how the address of a link can spell a page's title."""
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return
    yield from parse_qs(parts.query).get("title", [])
    for mark in ("/wiki/", "index.php/"):
        _, found, title = parts.path.partition(mark)
        if found:
            yield unquote(title)
    yield unquote(parts.path.rpartition("/")[2])


def _file_of(box: parsel.Selector, prefixes: Collection[str], *, capital: bool) -> str:
    """Return the title of the file in one box of a gallery; empty if there is none."""
    for name in box.xpath(".//img/@data-image-name").getall():
        return file_title(name, prefixes, capital=capital)
    for link in box.xpath(".//a/@href").getall():
        for title in _titles_in(link):
            prefix, colon, _ = title.partition(":")
            if colon and prefix.casefold() in prefixes:
                return file_title(title, prefixes, capital=capital)
    for source in box.xpath(".//img/@src").getall():
        parts = [unquote(part) for part in source.partition("?")[0].split("/")]
        name = parts[-2] if "thumb" in parts else parts[-1]
        return file_title(name, prefixes, capital=capital)
    return ""
