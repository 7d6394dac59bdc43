"""Characters of an album: from a category, a page's links, or the album's infobox."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from icf.codes import Gender
from icf.harvest.attributes.gender import gender_of_categories, read_gender
from icf.harvest.sources.base import Character, Level, ListingPage, Task
from icf.harvest.sources.mediawiki.api import object_of, objects_of
from icf.harvest.sources.mediawiki.categories import members
from icf.harvest.sources.mediawiki.config import Characters, fill
from icf.harvest.sources.mediawiki.pictures import listings_of
from icf.harvest.sources.mediawiki.site import (
    ARTICLE,
    Found,
    Wiki,
    category_title,
    page_url,
)
from icf.harvest.sources.mediawiki.tasks import cursor as cursor_of
from icf.harvest.sources.mediawiki.tasks import in_groups, own_titles, state_of
from icf.harvest.sources.mediawiki.wikitext import clean_title, names, parameter, plain

CATEGORY, PAGE, INFOBOX = "characters", "character page", "character infobox"
TITLES = "character titles"

_PICTURE_NAME = re.compile(
    r"[^\[\]|{}<>\n=:]{1,240}\.(?:png|jpe?g|gif|webp|avif|svg)\b", re.IGNORECASE
)
#: Of pages, for their infoboxes.
_LEAD_TEXT = {"rvprop": "content", "rvslots": "main", "rvsection": "0"}
_PROPERTIES = {
    "prop": "info|pageimages|revisions|categories",
    "inprop": "url",
    "piprop": "name",
    "pilimit": "50",
    "pilicense": "any",
    "cllimit": "max",
    **_LEAD_TEXT,
}


def cast_of(characters: Characters, album: str) -> Iterable[Task]:
    """Yield where the listing of an album's characters begins."""
    level = Level.CHARACTERS
    for template in characters.category:
        title = category_title(fill(template, album))
        begin = cursor_of(depth=0)
        yield Task(CATEGORY, f"{album}: {title}", album, None, begin, level)
    if characters.parameter:
        yield Task(INFOBOX, album, album, level=level)
    elif not characters.category:
        yield Task(PAGE, album, album, level=level)


async def list_category(wiki: Wiki, task: Task) -> ListingPage:
    """List the characters of one batch of a category."""
    album, category = own_titles(task)
    batch = await members(wiki, task, category)
    deeper = batch.deeper(
        task, wiki.table.characters.depth, lambda title: f"{album}: {title}"
    )
    found = await wiki.look_up(batch.articles, _PROPERTIES)
    return _answer(wiki, task, found, tuple(deeper), batch.cursor, done=batch.done)


async def list_page(wiki: Wiki, task: Task) -> ListingPage:
    """List the titles that a page links to; they are looked up by the next tasks."""
    album, characters = task.subject, wiki.table.characters
    candidates = [fill(one, album) for one in characters.page] or [album]
    for title in candidates:
        page = await wiki.parse(title)
        if page is not None:
            break
    else:
        tried = " or ".join(map(repr, candidates))
        return ListingPage(faults=(f"{wiki.table.name} has no page {tried}",))
    section = characters.section
    if section is not None and not page.rendered.has_section(section):
        return ListingPage(faults=(f"{page.title!r} has no section {section!r}",))
    links = page.rendered.links(section, first=characters.first_links)
    own = {album, page.title}
    return _named(task, [link.title for link in links if link.title not in own])


async def list_infobox(wiki: Wiki, task: Task) -> ListingPage:
    """List the titles that a parameter of the album's infobox names."""
    album, wanted = task.subject, wiki.table.characters.parameter
    (found,) = await wiki.look_up([album], {"prop": "revisions", **_LEAD_TEXT})
    value = parameter(lead_text(found.page), wanted)
    if value is None:
        asked = " or ".join(map(repr, wanted))
        return ListingPage(
            faults=(f"the infobox of {album!r} has no parameter {asked}",)
        )
    return _named(task, names(value, capital=False))


def _named(task: Task, titles: Sequence[str]) -> ListingPage:
    if not titles:
        return ListingPage(faults=(f"no characters of {task.album!r} are named",))
    like = Task(TITLES, task.subject, task.album, level=Level.CHARACTERS)
    return ListingPage(tasks=tuple(in_groups(like, titles, {})))


async def list_titles(wiki: Wiki, task: Task) -> ListingPage:
    """Look up titles that a page or an infobox named."""
    titles = [str(title) for title in state_of(task).get("listed", [])]
    found = await wiki.look_up(titles, _PROPERTIES)
    return _answer(wiki, task, found, (), task.cursor, done=True)


def _answer(
    wiki: Wiki,
    task: Task,
    found: Sequence[Found],
    tasks: tuple[Task, ...],
    cursor: str | None,
    *,
    done: bool,
) -> ListingPage:
    there = {
        one.title: one.page
        for one in found
        if one.problem is None and one.page.get("ns", ARTICLE) == ARTICLE
    }
    characters, images = wiki.table.characters, wiki.table.images
    album, (album_title, _) = task.album or "", own_titles(task)
    return ListingPage(
        characters=tuple(
            Character(album, title, page_url(page), _gender(characters, page))
            for title, page in there.items()
        ),
        pictures=tuple(wiki.missing(one) for one in found if one.problem is not None),
        tasks=(
            *(
                listing
                for title, page in there.items()
                for listing in listings_of(
                    images, album, title, _lead(page), album_title
                )
            ),
            *tasks,
        ),
        cursor=cursor,
        done=done,
    )


def _gender(characters: Characters, page: Mapping[str, Any]) -> Gender | None:
    named = parameter(lead_text(page), characters.gender) or ""
    # A link or an icon can state it even if the visible text does not.
    gender = read_gender(plain(named)) or read_gender(named)
    if gender is not None:
        return gender
    titles = (str(one.get("title", "")) for one in objects_of(page.get("categories")))
    return gender_of_categories(title.partition(":")[2] for title in titles)


def lead_text(page: Mapping[str, Any]) -> str:
    """Return the text of a page above its first heading; empty where it is unknown."""
    for revision in objects_of(page.get("revisions")):
        main = object_of(revision.get("slots")).get("main", revision)
        return str(main.get("content", main.get("*", "")))
    return ""


def _lead(page: Mapping[str, Any]) -> str | None:
    """Return the lead picture of a page: as the site states it, or the first one."""
    if page.get("pageimage"):
        return clean_title(str(page["pageimage"])) or None
    found = _PICTURE_NAME.search(lead_text(page))
    return clean_title(found.group()) or None if found else None
