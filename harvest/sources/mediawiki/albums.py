"""Albums: from a category, from titles, from a page's links or a table's column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from icf.codes import Region
from icf.harvest.attributes.region import read_region
from icf.harvest.sources.base import Album, Level, ListingPage, Task
from icf.harvest.sources.mediawiki.categories import members
from icf.harvest.sources.mediawiki.characters import cast_of, lead_text
from icf.harvest.sources.mediawiki.config import Albums
from icf.harvest.sources.mediawiki.site import Found, Wiki, category_title, page_url
from icf.harvest.sources.mediawiki.tasks import cursor as cursor_of
from icf.harvest.sources.mediawiki.tasks import in_groups, state_of
from icf.harvest.sources.mediawiki.wikitext import parameter, plain

CATEGORY, PAGE, TITLES = "albums", "album page", "album titles"


@dataclass(frozen=True)
class _Listed:
    """An album as a list names it."""

    title: str
    rank: int | None = None
    region: Region | None = None


def first_tasks(albums: Albums) -> Iterable[Task]:
    """Yield where the listing of albums begins."""
    if albums.category is not None:
        title = category_title(albums.category)
        yield Task(CATEGORY, title, cursor=cursor_of(depth=0), level=Level.ALBUMS)
    elif albums.page is not None:
        places = [albums.page, albums.section, albums.column]
        subject = ", ".join(str(place) for place in places if place is not None)
        yield Task(PAGE, subject, level=Level.ALBUMS)
    else:
        titles = dict.fromkeys(albums.titles or ())
        yield from _titles("titles", _ranked(albums, map(_Listed, titles)))


async def list_category(wiki: Wiki, task: Task) -> ListingPage:
    """List the albums of one batch of a category."""
    albums = wiki.table.albums
    batch = await members(wiki, task, task.subject)
    found = await wiki.look_up(batch.articles, _properties(albums))
    deeper = batch.deeper(task, albums.depth, lambda title: title)
    return _answer(wiki, found, {}, tuple(deeper), batch.cursor, done=batch.done)


async def list_page(wiki: Wiki, task: Task) -> ListingPage:
    """List the titles that a page names; they are looked up by the next tasks."""
    albums = wiki.table.albums
    title = albums.page or task.subject
    page = await wiki.parse(title)
    if page is None:
        missing = Found(title, {}, "it is missing")
        return ListingPage(pictures=(wiki.missing(missing),))
    if albums.section is not None and not page.rendered.has_section(albums.section):
        return ListingPage(
            faults=(f"{page.title!r} has no section {albums.section!r}",)
        )
    if albums.column is None:
        links = page.rendered.links(albums.section, first=albums.first_links)
        listed = [
            _Listed(one.title, None, _region_above(albums, one.headings))
            for one in links
        ]
    else:
        rows = page.rendered.rows(
            albums.column,
            section=albums.section,
            rank=albums.rank_column,
            region=albums.region_column,
        )
        listed = [
            _Listed(
                one.title,
                one.rank,
                read_region(one.region) or _region_above(albums, one.headings),
            )
            for one in {row.title: row for row in reversed(rows)}.values()
        ][::-1]
    if not listed:
        column = "" if albums.column is None else f" in a column {albums.column!r}"
        return ListingPage(faults=(f"{page.title!r} names no albums{column}",))
    return ListingPage(tasks=tuple(_titles(title, _ranked(albums, listed))))


async def list_titles(wiki: Wiki, task: Task) -> ListingPage:
    """Look up titles that a list named."""
    listed = {
        str(title): _Listed(str(title), rank, read_region(region or ""))
        for title, rank, region in state_of(task).get("listed", [])
    }
    found = await wiki.look_up(listed, _properties(wiki.table.albums))
    return _answer(wiki, found, listed, (), task.cursor, done=True)


def _answer(
    wiki: Wiki,
    found: Sequence[Found],
    listed: dict[str, _Listed],
    tasks: tuple[Task, ...],
    cursor: str | None,
    *,
    done: bool,
) -> ListingPage:
    there = [one for one in found if one.problem is None]
    albums: dict[str, Album] = {}
    for one in there:
        known = listed.get(one.asked, _Listed(one.asked))
        region = known.region or _region_of(wiki.table.albums, one.page)
        album = Album(one.title, page_url(one.page), known.rank, region)
        albums.setdefault(one.title, album)
    return ListingPage(
        albums=tuple(albums.values()),
        pictures=tuple(wiki.missing(one) for one in found if one.problem is not None),
        tasks=(*(t for a in albums for t in cast_of(wiki.table.characters, a)), *tasks),
        cursor=cursor,
        done=done,
    )


def _ranked(albums: Albums, listed: Iterable[_Listed]) -> list[_Listed]:
    if not albums.ranked:
        return list(listed)
    return [
        _Listed(one.title, one.rank or place, one.region)
        for place, one in enumerate(listed, 1)
    ]


def _titles(where: str, listed: Iterable[_Listed]) -> Iterable[Task]:
    rows: list[Any] = [
        [one.title, one.rank, one.region and one.region.value] for one in listed
    ]
    return in_groups(Task(TITLES, where, level=Level.ALBUMS), rows, {})


def _region_above(albums: Albums, headings: Sequence[str]) -> Region | None:
    if not albums.region_heading:
        return None
    named = (read_region(heading) for heading in reversed(headings))
    return next((region for region in named if region is not None), None)


def _region_of(albums: Albums, page: dict[str, Any]) -> Region | None:
    named = parameter(lead_text(page), albums.region_parameter)
    return (read_region(plain(named)) if named else None) or albums.region


def _properties(albums: Albums) -> dict[str, str]:
    asked = {"prop": "info", "inprop": "url"}
    if albums.region_parameter:
        asked |= {
            "prop": "info|revisions",
            "rvprop": "content",
            "rvslots": "main",
            "rvsection": "0",
        }
    return asked
