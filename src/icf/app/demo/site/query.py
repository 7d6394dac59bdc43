"""``action=query``: pages, files, categories and the site itself, in pieces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from icf.app.demo.site import properties, rows
from icf.app.demo.site.params import Params, Refused
from icf.app.demo.site.rows import Piece, Row
from icf.app.demo.site.titles import Found, PageSet, found, page_set
from icf.app.demo.site.wiki import Wiki

PROPERTIES = (
    "images",
    "imageinfo",
    "info",
    "links",
    "pageimages",
    "revisions",
    "templates",
)
_PREFIX = {"images": "im", "links": "pl", "categorymembers": "cm"}


@dataclass
class Reply:
    """What is gathered for one answer, in the shape of ``formatversion=2``."""

    query: dict[str, Any] = field(default_factory=dict)
    go_on: dict[str, str] = field(default_factory=dict)
    complete: bool = True

    def body(self) -> dict[str, Any]:
        """Put the parts in MediaWiki's order."""
        told: dict[str, Any] = {"batchcomplete": True} if self.complete else {}
        if self.go_on:
            told["continue"] = self.go_on
        if self.query:
            told["query"] = self.query
        return told


class Query:
    """Answers one ``action=query`` call."""

    def __init__(self, wiki: Wiki, base: str, params: Params) -> None:
        """Take the wiki, its address and the call."""
        self._wiki, self._base, self._params = wiki, base, params
        self._reply = Reply()
        self._done = params.text("continue").partition("||")[2].split("|")

    def answer(self) -> dict[str, Any]:
        """Answer the call in the shape of ``formatversion=2``.

        Raises:
            Refused: as a real wiki refuses it.
        """
        params = self._params
        if "siteinfo" in params.known("meta", "query", ("siteinfo",)):
            self._site_info()
        if params.known("list", "query", ("categorymembers",)):
            self._category_members()
        follow = params.flag("redirects")
        titles = params.values("titles")
        names = params.known("prop", "query", PROPERTIES)
        generator = params.text("generator")
        if generator:
            self._pages(self._generated(generator, titles, follow), names)
        elif titles:
            self._pages(page_set(self._wiki, titles, follow), names)
        return self._reply.body()

    def _site_info(self) -> None:
        wiki, query = self._wiki, self._reply.query
        for what in self._params.values("siprop", "general"):
            if what == "general":
                query["general"] = {
                    "mainpage": "Main Page",
                    "base": properties.page_url(self._base, "Main Page"),
                    "sitename": wiki.name,
                    "generator": "MediaWiki 1.39.17",
                    "case": "first-letter",
                    "lang": "en",
                    "articlepath": "/wiki/$1",
                    "scriptpath": "/w",
                    "script": "/w/index.php",
                    "server": self._base,
                    "servername": "127.0.0.1",
                    "wikiid": "demo",
                    "time": properties.UPLOADED,
                }
            elif what == "rightsinfo":
                rights = {"url": wiki.rights.url, "text": wiki.rights.name}
                query["rightsinfo"] = rights

    def _category_members(self) -> None:
        params = self._params
        pages = rows.member_pages(self._wiki, params, "cm")
        limit = params.limit("cmlimit", "categorymembers")
        part = rows.piece(rows.member_rows(pages), limit, params.text("cmcontinue"))
        wanted = params.values("cmprop", "ids|title")
        self._reply.query["categorymembers"] = [
            self._member(row.title, wanted) for row in part.rows
        ]
        if part.more:
            self._reply.go_on |= {"cmcontinue": part.more, "continue": "-||"}

    def _member(self, title: str, wanted: list[str]) -> dict[str, Any]:
        page = self._wiki.page[title]
        told: dict[str, Any] = {"pageid": page.pageid} if "ids" in wanted else {}
        if "title" in wanted:
            told |= {"ns": page.namespace, "title": title}
        if "sortkey" in wanted:
            told["sortkey"] = rows.sort_key(page)
        if "type" in wanted:
            told["type"] = rows.kind(page)
        return told

    def _generated(self, generator: str, titles: list[str], follow: bool) -> PageSet:
        params, source = self._params, PageSet(())
        prefix = "g" + _PREFIX.get(generator, "")
        every: list[Row]
        if generator == "categorymembers":
            every = rows.member_rows(rows.member_pages(self._wiki, params, prefix))
        elif generator in ("images", "links"):
            source = page_set(self._wiki, titles, follow)
            listed = rows.image_rows if generator == "images" else rows.link_rows
            every = listed(source.pages)
        else:
            raise Refused(
                "badvalue",
                f'Unrecognized value for parameter "generator": {generator}.',
            )
        limit = params.limit(prefix + "limit", generator)
        part = rows.piece(every, limit, params.text(prefix + "continue"))
        if part.more:
            token = prefix + "continue"
            self._reply.go_on |= {token: part.more, "continue": f"{token}||"}
        made = dict.fromkeys(row.title for row in part.rows)
        pages = tuple(found(self._wiki, title) for title in made)
        return PageSet(pages, source.normalized, source.redirects)

    def _pages(self, pages: PageSet, names: list[str]) -> None:
        query = self._reply.query
        for key in ("normalized", "redirects"):
            pairs: tuple[tuple[str, str], ...] = getattr(pages, key)
            if pairs:
                query[key] = [{"from": old, "to": new} for old, new in pairs]
        for pair in query.get("normalized", ()):
            pair["fromencoded"] = False
        if not pages.pages:
            return
        told = {page.title: properties.identity(page) for page in pages.pages}
        for name in names:
            if name in ("images", "links"):
                self._rows(name, pages.pages, told, names)
            elif name not in self._done:
                tell = self._teller(name)
                for page in pages.pages:
                    told[page.title] |= {} if page.invalid else tell(page)
        # Missing pages come first: their numbers are negative.
        query["pages"] = sorted(told.values(), key=lambda page: "pageid" in page)

    def _teller(self, name: str) -> Callable[[Found], dict[str, Any]]:
        params, base = self._params, self._base
        if name == "info":
            wanted = params.values("inprop")
            return lambda page: properties.info(base, page, wanted)
        if name == "imageinfo":
            wanted = params.values("iiprop")
            return lambda page: properties.image_info(base, page, wanted)
        if name == "templates":  # no page of this wiki uses one
            for key in ("tlnamespace", "tllimit"):
                params.text(key)
            return lambda page: {}
        if name == "revisions":
            wanted, top = params.values("rvprop"), params.text("rvsection") == "0"
            for key in ("rvslots", "rvlimit"):
                params.text(key)
            return lambda page: properties.revision(page, wanted, top)
        wanted = params.values("piprop", "thumbnail|name")
        side = params.text("pithumbsize", "50")
        params.text("pilimit")
        return lambda page: properties.lead_image(
            base, self._lead(page), wanted, int(side) if side.isdigit() else 50
        )

    def _lead(self, page: Found) -> Any:
        first = page.page.images[0] if page.page and page.page.images else ""
        return page.file or self._wiki.file.get(first)

    def _rows(
        self,
        name: str,
        pages: tuple[Found, ...],
        told: dict[str, dict[str, Any]],
        names: list[str],
    ) -> None:
        """Tell the images or links of several pages, as many as fit."""
        params, prefix = self._params, _PREFIX[name]
        limit = params.limit(prefix + "limit", name)
        token = params.text(prefix + "continue")
        if name in self._done:
            return
        listed = rows.image_rows if name == "images" else rows.link_rows
        part: Piece = rows.piece(listed(pages), limit, token)
        titles = {page.pageid: page.title for page in pages}
        for row in part.rows:
            told_page = told[titles[row.source]]
            space = found(self._wiki, row.title).namespace
            told_page.setdefault(name, []).append({"ns": space, "title": row.title})
        if part.more:
            over = [other for other in names if other not in ("images", "links")]
            go_on = {prefix + "continue": part.more, "continue": "||" + "|".join(over)}
            self._reply.go_on |= go_on
            self._reply.complete = False
