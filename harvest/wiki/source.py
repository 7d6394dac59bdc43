"""Harvest a wiki: Wikipedia, Fandom, or any other site with an ``api.php``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic

from icf.codes import Fate
from icf.harvest.body import Limits
from icf.harvest.guarded_requests import GuardedSession
from icf.harvest.licence import SiteRights, read_licence
from icf.harvest.source import (
    Album,
    Answer,
    Character,
    Picture,
    SourceTable,
    Task,
    read_table,
)
from icf.harvest.urls import host_of
from icf.harvest.web import Web
from icf.harvest.wiki.api import Continue, MediaWikiApi, split_titles
from icf.settings import HarvestSettings

_CATEGORY = "Category:"
_ARTICLE, _CATEGORY_NAMESPACE = 0, 14
_PAGE_SIZE = "50"
_PICTURE_NAME = re.compile(
    r"[^\[\]|{}<>\n=:]+\.(?:png|jpe?g|gif|webp|avif|svg)\b", re.IGNORECASE
)


class Albums(pydantic.BaseModel):
    """Where the albums are: one of a category and a list of titles."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    category: str | None = None
    titles: tuple[str, ...] | None = None
    depth: int = pydantic.Field(default=0, ge=0)

    @pydantic.model_validator(mode="after")
    def _one_of_both(self) -> Albums:
        if (self.category is None) == (self.titles is None):
            raise ValueError("name either a category or titles")
        return self


class Characters(pydantic.BaseModel):
    """Where an album's characters are; ``{album}`` stands for the album's title."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    category: str
    depth: int = pydantic.Field(default=1, ge=0)


class MediaWikiTable(SourceTable):
    """The keys of a source of kind ``mediawiki``."""

    api: str
    albums: Albums
    characters: Characters


class MediaWikiSource:
    """Albums from a category, their characters from another, pictures of each.

    Categories are walked down to their ``depth``; each is listed once for an album, so
    circles end.
    """

    reader = None

    def __init__(
        self, table: Mapping[str, Any], root: Path, settings: HarvestSettings
    ) -> None:
        self._table = read_table(MediaWikiTable, table)
        self.name = self._table.name
        self._settings = settings
        self._site_rights: SiteRights | None = None

    def first_tasks(self) -> Iterable[Task]:
        """Return the listing of the albums."""
        albums = self._table.albums
        if albums.category is not None:
            yield Task("albums", _category(albums.category), cursor=_cursor(depth=0))
        for title in albums.titles or ():
            yield Task("album", title)

    async def step(self, task: Task, web: Web) -> Answer:
        """Answer one batch of a listing."""
        api = self._api(web)
        if task.kind == "albums":
            return await self._albums(task, api)
        if task.kind == "album":
            return await self._album(task, api)
        if task.kind == "characters":
            return await self._characters(task, api)
        return await self._images(task, api)

    def _api(self, web: Web) -> MediaWikiApi:
        limits = Limits(
            max_bytes=self._settings.max_bytes,
            deadline=self._settings.deadline,
            min_rate=self._settings.min_rate,
            longest_wait=self._settings.retry_after_cap,
        )
        session = GuardedSession(web.agent, web.allow)
        web.at_exit(session.close)
        return MediaWikiApi(
            self._table.api,
            session,
            limits=limits,
            attempts=self._settings.attempts,
            backoff=self._settings.backoff,
        )

    async def _albums(self, task: Task, api: MediaWikiApi) -> Answer:
        members = await _members(task, task.subject, api)
        pages = await _describe(members.articles, api)
        titles = [str(page["title"]) for page in pages]
        return Answer(
            albums=tuple(Album(str(p["title"]), _page_url(p)) for p in pages),
            tasks=(
                *(self._characters_of(title) for title in titles),
                *members.deeper(self._table.albums.depth, lambda title: title),
            ),
            cursor=members.cursor,
            done=members.done,
        )

    async def _album(self, task: Task, api: MediaWikiApi) -> Answer:
        """Look up one title that the user wrote; it may be a redirect."""
        (page,) = await _describe([task.subject], api) or [{}]
        if page.get("missing") or page.get("invalid") or "title" not in page:
            url = _page_url(page) or f"{self._table.api}#{task.subject}"
            text = f"{self.name} has no page {task.subject!r}"
            missing = Picture(url, fate=Fate.MISSING_PAGE, message=text)
            return Answer(pictures=(missing,))
        title = str(page["title"])
        albums = (Album(title, _page_url(page)),)
        return Answer(albums=albums, tasks=(self._characters_of(title),))

    def _characters_of(self, album: str) -> Task:
        title = _category(self._table.characters.category.replace("{album}", album))
        return Task("characters", f"{album}: {title}", album, cursor=_cursor(depth=0))

    async def _characters(self, task: Task, api: MediaWikiApi) -> Answer:
        album = task.album or ""
        category = task.subject[len(album) + 2 :]
        members = await _members(task, category, api)
        pages = await _describe(members.articles, api)
        return Answer(
            characters=tuple(
                Character(album, str(p["title"]), _page_url(p)) for p in pages
            ),
            tasks=(
                *(_images_of(album, page) for page in pages),
                *members.deeper(
                    self._table.characters.depth, lambda title: f"{album}: {title}"
                ),
            ),
            cursor=members.cursor,
            done=members.done,
        )

    async def _images(self, task: Task, api: MediaWikiApi) -> Answer:
        state = json.loads(task.cursor or "{}")
        site = await self._rights(api)
        parameters = {
            "generator": "images",
            "titles": task.character or task.subject,
            "gimlimit": _PAGE_SIZE,
            "redirects": "1",
            **_FILE_PROPERTIES,
        }
        batch = await api.batch(parameters, state.get("continue"))
        files = [page for page in batch.pages if not _is_interwiki(page)]
        files = await _with_imageinfo(files, api)
        return Answer(
            pictures=tuple(
                self._picture(page, task, state.get("lead"), site) for page in files
            ),
            cursor=_cursor(lead=state.get("lead"), rest=batch.rest),
            done=batch.rest is None,
        )

    def _picture(
        self, page: dict[str, Any], task: Task, lead: str | None, site: SiteRights
    ) -> Picture:
        info = _imageinfo(page)
        title = str(page.get("title"))
        page_url = _page_url(page)
        if info is None or not info.get("url"):
            return Picture(
                page_url or f"{self._table.api}#{title}",
                task.album,
                task.character,
                page_url=task.character and page_url,
                fate=Fate.MISSING_FILE,
                message=f"{self.name} names {title!r} and does not have it",
            )
        templates = [str(t.get("title")) for t in page.get("templates", [])]
        sha1 = info.get("sha1")
        return Picture(
            _original(str(info["url"])),
            task.album,
            task.character,
            is_lead=lead is not None and _file_name(title) == lead,
            page_url=str(info.get("descriptionurl") or page_url or "") or None,
            licence=read_licence(info, templates, site),
            sha1=str(sha1).lower() if sha1 else None,
            size=info["size"] if isinstance(info.get("size"), int) else None,
        )

    async def _rights(self, api: MediaWikiApi) -> SiteRights:
        """Ask once what the site says of all its content."""
        if self._site_rights is None:
            asked = {"action": "query", "meta": "siteinfo", "siprop": "rightsinfo"}
            answer = await api.call(asked)
            found = answer.get("query", {}).get("rightsinfo", {})
            text, url = str(found.get("text") or ""), str(found.get("url") or "")
            self._site_rights = SiteRights(text, url)
        return self._site_rights


_FILE_PROPERTIES = {
    "prop": "imageinfo|info|templates",
    "inprop": "url",
    "iiprop": "url|sha1|size|mime|extmetadata|commonmetadata",
    "tlnamespace": "10",
    "tllimit": "max",
}


class _Members:
    """One batch of a category."""

    def __init__(self, task: Task, members: Sequence[Any], rest: Continue | None):
        pages = [member for member in members if isinstance(member, dict)]
        self.articles = [str(p["title"]) for p in pages if p.get("ns") == _ARTICLE]
        self.categories = [
            str(p["title"]) for p in pages if p.get("ns") == _CATEGORY_NAMESPACE
        ]
        self.depth = int(json.loads(task.cursor or "{}").get("depth", 0))
        self.cursor = _cursor(depth=self.depth, rest=rest)
        self.done = rest is None
        self._task = task

    def deeper(self, deepest: int, subject_of: Any) -> Iterable[Task]:
        """Return the listings of the subcategories, unless that is too deep."""
        if self.depth >= deepest:
            return
        for title in self.categories:
            yield Task(
                self._task.kind,
                subject_of(title),
                self._task.album,
                cursor=_cursor(depth=self.depth + 1),
            )


async def _members(task: Task, category: str, api: MediaWikiApi) -> _Members:
    parameters = {
        "list": "categorymembers",
        "cmtitle": category,
        "cmprop": "ids|title",
        "cmtype": "page|subcat",
        "cmlimit": _PAGE_SIZE,
    }
    rest = json.loads(task.cursor or "{}").get("continue")
    batch = await api.batch(parameters, rest)
    return _Members(task, batch.query.get("categorymembers", []), batch.rest)


async def _describe(titles: Sequence[str], api: MediaWikiApi) -> list[dict[str, Any]]:
    """Return the pages of these titles: address, and which picture they lead with."""
    pages: list[dict[str, Any]] = []
    for group in split_titles(titles):
        parameters = {
            "titles": "|".join(group),
            "redirects": "1",
            "prop": "info|pageimages|revisions",
            "inprop": "url",
            "piprop": "name",
            "pilimit": _PAGE_SIZE,
            "rvprop": "content",
            "rvslots": "main",
            "rvsection": "0",
        }
        pages += (await api.batch(parameters)).pages
    return pages


def _images_of(album: str, page: dict[str, Any]) -> Task:
    title = str(page["title"])
    cursor = _cursor(lead=_lead(page))
    return Task("images", f"{album}: {title}", album, title, cursor)


def _lead(page: dict[str, Any]) -> str | None:
    """Return the file that the page leads with: as the site says, or the first one."""
    if page.get("pageimage"):
        return _file_name(f"File:{page['pageimage']}")
    for revision in page.get("revisions", []):
        text = revision.get("slots", {}).get("main", {}).get("content", "")
        if found := _PICTURE_NAME.search(text):
            return _file_name(f"File:{found.group().strip()}")
    return None


def _file_name(title: str) -> str:
    """Return the one spelling of a file's name.

    >>> _file_name("File:moon_Rabbit.png")
    'Moon Rabbit.png'
    """
    name = title.partition(":")[2].replace("_", " ").strip()
    return name[:1].upper() + name[1:]


async def _with_imageinfo(
    pages: list[dict[str, Any]], api: MediaWikiApi
) -> list[dict[str, Any]]:
    """Ask again for files that came without imageinfo and are not known as missing."""
    silent = [
        str(page["title"])
        for page in pages
        if _imageinfo(page) is None and not page.get("missing")
    ]
    again: dict[str, dict[str, Any]] = {}
    for group in split_titles(silent):
        asked = {"titles": "|".join(group), **_FILE_PROPERTIES}
        again |= {str(p.get("title")): p for p in (await api.batch(asked)).pages}
    return [again.get(str(page.get("title")), page) for page in pages]


def _imageinfo(page: dict[str, Any]) -> dict[str, Any] | None:
    found = page.get("imageinfo")
    return found[0] if isinstance(found, list) and found else None


def _is_interwiki(page: dict[str, Any]) -> bool:
    return "title" not in page


def _page_url(page: dict[str, Any]) -> str | None:
    found = page.get("canonicalurl") or page.get("fullurl")
    return str(found) if found else None


def _original(url: str) -> str:
    """Fandom sends WebP for every picture unless the uploaded bytes are asked for."""
    if not host_of(url).endswith(".nocookie.net"):
        return url
    return url + ("&" if "?" in url else "?") + "format=original"


def _category(title: str) -> str:
    return title if title.startswith(_CATEGORY) else _CATEGORY + title


def _cursor(
    *,
    depth: int | None = None,
    lead: str | None = None,
    rest: Continue | None = None,
) -> str:
    state = {"depth": depth, "lead": lead, "continue": rest}
    return json.dumps({k: v for k, v in state.items() if v is not None})
