"""One wiki: its pages, their links, and its site information."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from icf.codes import FetchStatus
from icf.harvest.attributes.licence import SiteRights
from icf.harvest.sources.base import Picture
from icf.harvest.sources.mediawiki.api import (
    ApiError,
    MediaWikiApi,
    object_of,
    objects_of,
    split_titles,
)
from icf.harvest.sources.mediawiki.config import MediaWikiTable
from icf.harvest.sources.mediawiki.rendered import Rendered
from icf.harvest.sources.mediawiki.wikitext import clean_title

ARTICLE, FILE, CATEGORY = 0, 6, 14

_MOST_HOPS = 10
_GONE = frozenset({"missingtitle", "invalidtitle", "pagecannotexist", "nosuchpageid"})


@dataclass(frozen=True)
class Facts:
    """The site information of a wiki.

    Attributes:
        rights: the licence of all its content.
        file_prefixes: its names of the namespace of files, casefolded.
        exact_files: names of files differ that differ in the case of the first letter.
    """

    rights: SiteRights
    file_prefixes: frozenset[str]
    exact_files: bool = False


@dataclass(frozen=True)
class Found:
    """A title that was asked for, and the page that it leads to.

    Attributes:
        asked: the title as it was asked for.
        page: the page as the API returns it.
        problem: why the page cannot be used; None if it can.
    """

    asked: str
    page: dict[str, Any]
    problem: str | None = None

    @property
    def title(self) -> str:
        """The page's own title."""
        return str(self.page.get("title", self.asked))


@dataclass(frozen=True)
class Parsed:
    """A page as the site draws it, and its text."""

    title: str
    rendered: Rendered
    wikitext: str


class Wiki:
    """One wiki that is asked.

    Args:
        table: its ``[[source]]`` table.
        api: its ``api.php``.
    """

    def __init__(self, table: MediaWikiTable, api: MediaWikiApi) -> None:
        self.table = table
        self.api = api
        self._facts: Facts | None = None
        #: Files that are shown on many pages; only saves asking for them again.
        self.known_decoration: set[str] = set()

    async def facts(self) -> Facts:
        """Request the site information, once.

        Raises:
            Fault: it does not answer.
        """
        if self._facts is None:
            asked = "rightsinfo|namespaces|namespacealiases"
            answer = await self.api.call(
                {"action": "query", "meta": "siteinfo", "siprop": asked}
            )
            query = object_of(answer.get("query"))
            rights = object_of(query.get("rightsinfo"))
            names = {"file", "image"}
            own = object_of(object_of(query.get("namespaces")).get(str(FILE)))
            names.update(str(own[key]).casefold() for key in own.keys() & {"name", "*"})
            for alias in objects_of(query.get("namespacealiases")):
                if alias.get("id") == FILE:
                    names.add(str(alias.get("alias", alias.get("*", ""))).casefold())
            text, url = str(rights.get("text") or ""), str(rights.get("url") or "")
            exact = own.get("case") == "case-sensitive"
            self._facts = Facts(SiteRights(text, url), frozenset(names), exact)
        return self._facts

    async def look_up(
        self, titles: Iterable[str], properties: Mapping[str, str]
    ) -> list[Found]:
        """Ask for pages by title, 50 a call, through redirects and other spellings.

        Args:
            titles: of the pages; each is answered, in this order.
            properties: parameters of the query that choose the properties of each page.

        Raises:
            Fault: the site does not answer.
        """
        wanted = list(dict.fromkeys(titles))
        answers: dict[str, Found] = {}
        for group in split_titles(title for title in wanted if clean_title(title)):
            query = {"titles": "|".join(group), "redirects": "1", **properties}
            batch = await self.api.batch(query)
            steps = _steps(batch.query)
            pages = {str(page.get("title")): page for page in batch.pages}
            elsewhere = {
                str(one.get("title"))
                for one in objects_of(batch.query.get("interwiki"))
            }
            for title in group:
                answers[title] = _follow(title, steps, pages, elsewhere)
        return [answers.get(one, Found(one, {}, "it is no title")) for one in wanted]

    async def parse(self, title: str) -> Parsed | None:
        """Ask for a page as the site draws it; None where there is no such page.

        Raises:
            Fault: the site does not answer.
        """
        if not clean_title(title):
            return None
        asked = {
            "action": "parse",
            "page": title,
            "prop": "text|links|wikitext",
            "redirects": "1",
            "disableeditsection": "1",
            "disabletoc": "1",
            "disablelimitreport": "1",
        }
        try:
            answer = await self.api.call(asked)
        except ApiError as error:
            if error.code in _GONE:
                return None
            raise
        page = object_of(answer.get("parse"))
        links = [
            one for one in objects_of(page.get("links")) if one.get("ns") == ARTICLE
        ]
        articles = [str(one.get("title", one.get("*"))) for one in links]
        drawn = Rendered(_string(page.get("text")), articles)
        return Parsed(
            str(page.get("title", title)), drawn, _string(page.get("wikitext"))
        )

    def missing(self, found: Found) -> Picture:
        """Return the record of a missing page: a URL with that status."""
        url = page_url(found.page) if is_missing(found.page) else None
        text = f"{self.table.name} has no page {found.asked!r}: {found.problem}"
        asked = url or self.question(found.asked)
        return Picture(asked, fate=FetchStatus.MISSING_PAGE, message=text)

    def question(self, title: str) -> str:
        """Return the URL that asks the API for a title: each has one of its own."""
        return f"{self.api.endpoint}?action=query&titles={quote(title, safe='')}"


def page_url(page: Mapping[str, Any]) -> str | None:
    """Return the address that people use for a page."""
    found = page.get("canonicalurl") or page.get("fullurl")
    return str(found) if found else None


def is_missing(page: Mapping[str, Any]) -> bool:
    """Return whether the page is missing; older sites mark it with ""."""
    return any(page.get(key, False) is not False for key in ("missing", "invalid"))


def category_title(name: str) -> str:
    """Return the title of a category; every wiki knows the namespace by this name."""
    prefix = "Category:"
    return name if name.startswith(prefix) else prefix + name


@dataclass(frozen=True)
class _Step:
    """From one title to another: another spelling, or a redirect."""

    to: str
    part: str | None


def _steps(query: Mapping[str, Any]) -> dict[str, _Step]:
    steps: dict[str, _Step] = {}
    for kind in ("normalized", "converted", "redirects"):
        for one in objects_of(query.get(kind)):
            start, end = str(one.get("from")), str(one.get("to"))
            if one.get("fromencoded"):
                start = unquote(start)
            part = one.get("tofragment")
            steps[start] = _Step(end, str(part) if part else None)
    return steps


def _follow(
    asked: str,
    steps: Mapping[str, _Step],
    pages: Mapping[str, dict[str, Any]],
    elsewhere: set[str],
) -> Found:
    title, part = asked, None
    for _ in range(_MOST_HOPS):
        step = steps.get(title)
        if step is None:
            break
        title, part = step.to, step.part or part
    page = pages.get(title)
    if title in elsewhere:
        return Found(asked, {}, "it is on another wiki")
    if page is None or is_missing(page):
        return Found(asked, page or {}, "it is missing")
    if part is not None:
        return Found(asked, page, f"it is the part {part!r} of the page {title!r}")
    return Found(asked, page)


def _string(value: object) -> str:
    """Return a text, also in the form that older wikis give it."""
    return str(value.get("*", "") if isinstance(value, dict) else value or "")
