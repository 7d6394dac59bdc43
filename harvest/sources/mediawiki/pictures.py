"""Pictures of a character: files of its page, of galleries, of file categories."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from icf.codes import FetchStatus
from icf.harvest.attributes.licence import read_licence
from icf.harvest.http.urls import host_of
from icf.harvest.sources.base import Level, ListingPage, Picture, Task
from icf.harvest.sources.mediawiki.api import Continue, objects_of, split_titles
from icf.harvest.sources.mediawiki.config import Images, fill
from icf.harvest.sources.mediawiki.site import (
    Facts,
    Wiki,
    category_title,
    is_missing,
    page_url,
)
from icf.harvest.sources.mediawiki.tasks import cursor as cursor_of
from icf.harvest.sources.mediawiki.tasks import (
    in_groups,
    moved_on,
    own_titles,
    state_of,
)
from icf.harvest.sources.mediawiki.wikitext import (
    clean_title,
    folded_title,
    gallery_files,
)
from icf.names import normal_pattern

PAGE, GALLERY, CATEGORY, FILES = "images", "galleries", "file category", "files"

_BATCH = "50"
#: The layout of a wiki's uploads: two folders of the name's hash.
_UPLOADED = re.compile(
    r"(.*)/([0-9a-f]/[0-9a-f]{2})/([^/?]+\.(?:gif|jpe?g|png|webp))", re.IGNORECASE
)
#: Widths of thumbnails, in pixels, that Wikimedia keeps (mediawiki.org, Thumbnails).
_WIDTHS = (250, 330, 500, 960, 1280, 1920)
_PROPERTIES = {
    "prop": "imageinfo|info|templates",
    "inprop": "url",
    "iiprop": "url|sha1|size|mime|extmetadata|commonmetadata",
    "tlnamespace": "10",
    "tllimit": "max",
}


def listings_of(
    images: Images, album: str, character: str, lead: str | None, album_title: str
) -> Iterable[Task]:
    """Yield where the listing of a character's pictures begins.

    Args:
        images: where pictures are.
        album: the character's album.
        character: the title of the character's page.
        lead: the file that the page leads with.
        album_title: the title of the album's page.
    """
    whose = f"{album}: {character}"

    def task(kind: str, subject: str, **state: str) -> Task:
        begin = cursor_of(lead=lead, **state)
        return Task(kind, subject, album, character, begin, Level.IMAGES)

    if images.page == "all":
        yield task(PAGE, whose)
    elif images.page == "galleries":
        yield task(GALLERY, whose, page=character)
    for template in images.gallery_page:
        page = fill(template, album_title, character)
        yield task(GALLERY, f"{whose}: {page}", page=page)
    for template in images.category:
        title = category_title(fill(template, album_title, character))
        yield task(CATEGORY, f"{whose}: {title}", category=title)


async def list_page(wiki: Wiki, task: Task) -> ListingPage:
    """List the files of one batch of a character's page."""
    generator = {
        "generator": "images",
        "titles": own_titles(task)[1],
        "gimlimit": _BATCH,
    }
    return await _batch(wiki, task, generator)


async def list_category(wiki: Wiki, task: Task) -> ListingPage:
    """List the files of one batch of a category."""
    generator = {
        "generator": "categorymembers",
        "gcmtitle": str(state_of(task).get("category", task.subject)),
        "gcmtype": "file",
        "gcmlimit": _BATCH,
    }
    return await _batch(wiki, task, generator)


async def list_gallery(wiki: Wiki, task: Task) -> ListingPage:
    """List what a page's galleries show; the next tasks look the files up.

    A character without a page of pictures is nothing unusual, and no fault.
    """
    state = state_of(task)
    page = await wiki.parse(str(state.get("page", task.character)))
    if page is None:
        return ListingPage(cursor=task.cursor)
    facts = await wiki.facts()
    prefixes = facts.file_prefixes
    named = [
        *gallery_files(page.wikitext, prefixes, capital=False),
        *page.rendered.gallery_files(prefixes, capital=False),
    ]
    titles: dict[str, str] = {}
    for title in named:
        titles.setdefault(title if facts.exact_files else _folded(title), title)
    like = Task(FILES, task.subject, task.album, task.character, level=Level.IMAGES)
    groups = in_groups(like, list(titles.values()), {"lead": state.get("lead")})
    return ListingPage(tasks=tuple(groups), cursor=task.cursor)


async def list_files(wiki: Wiki, task: Task) -> ListingPage:
    """Look up files that a gallery shows."""
    titles = [str(title) for title in state_of(task).get("listed", [])]
    facts = await wiki.facts()
    found = await wiki.look_up(titles, _PROPERTIES)
    pages = {one.title: {"title": one.asked, **one.page} for one in found}
    files = list(pages.values())
    return await _answer(wiki, facts, task, files, task.cursor, done=True)


async def _batch(wiki: Wiki, task: Task, generator: dict[str, str]) -> ListingPage:
    state = state_of(task)
    query = {**generator, "redirects": "1", **_PROPERTIES}
    facts = await wiki.facts()
    batch = await wiki.api.batch(query, state.get("continue"))
    pages = [page for page in batch.pages if "title" in page]  # none of other wikis
    titles = [str(page["title"]) for page in pages]
    cursor = cursor_of(**moved_on(wiki.api.endpoint, state, batch.rest, titles))
    return await _answer(wiki, facts, task, pages, cursor, done=batch.rest is None)


async def _answer(
    wiki: Wiki,
    facts: Facts,
    task: Task,
    pages: list[dict[str, Any]],
    cursor: str | None,
    *,
    done: bool,
) -> ListingPage:
    lead = state_of(task).get("lead")
    pages = await _with_imageinfo(wiki, pages)
    kept = [page for page in pages if _is_wanted(wiki.table.images, page)]
    decoration = await _decoration(wiki, kept, lead)
    kept = [page for page in kept if str(page["title"]) not in decoration]
    return ListingPage(
        pictures=tuple(_picture(wiki, page, task, lead, facts) for page in kept),
        cursor=cursor,
        done=done,
        passed_over=len(pages) - len(kept),
    )


def _is_wanted(images: Images, page: dict[str, Any]) -> bool:
    """Return whether a file can show a character, by its name, type and size."""
    name = _name(page).casefold()
    patterns = (
        normal_pattern(one).replace("_", " ").casefold() for one in images.leave_out
    )
    if any(fnmatchcase(name, pattern) for pattern in patterns):
        return False
    info = _imageinfo(page) or {}
    mime = str(info.get("mime") or "image/")
    sides = [info[key] for key in ("width", "height") if isinstance(info.get(key), int)]
    too_small = bool(sides) and 0 < min(sides) < images.min_side
    return mime.startswith("image/") and not too_small


async def _decoration(
    wiki: Wiki, pages: Sequence[dict[str, Any]], lead: str | None
) -> Collection[str]:
    """Return the files that are used on too many pages to show one character.

    The file that the page leads with is none, however often it is shown.
    """
    most = wiki.table.images.max_uses
    shown = {
        str(page["title"])
        for page in pages
        if most and _imageinfo(page) is not None and not _is_lead(page, lead)
    }
    found = wiki.known_decoration & shown
    waiting = sorted(shown - found)
    while waiting:
        many, is_all = await _used_more_often(wiki, waiting, most)
        found |= many
        if is_all:
            break
        # The number of further pages does not matter: continue without these files.
        waiting = [title for title in waiting if title not in many]
    wiki.known_decoration |= found
    return found


async def _used_more_often(
    wiki: Wiki, titles: Sequence[str], most: int
) -> tuple[set[str], bool]:
    """Count uses until a file has more than ``most``.

    Returns:
        The files that have more, and whether the uses of all files are counted.
    """
    asked = {"titles": "|".join(titles), "prop": "fileusage", "fulimit": "max"}
    counts: Counter[str] = Counter()
    many: set[str] = set()
    rest: Continue | None = None
    async for part in wiki.api.parts(asked):
        for page in part.pages:
            counts[str(page.get("title"))] += len(objects_of(page.get("fileusage")))
        many = {title for title in titles if counts[title] > most}
        rest = part.rest
        if many:
            break
    return many, rest is None


def _picture(
    wiki: Wiki, page: dict[str, Any], task: Task, lead: str | None, facts: Facts
) -> Picture:
    info, title = _imageinfo(page), str(page["title"])
    address = page_url(page)
    if info is None or not info.get("url"):
        return Picture(
            address or wiki.question(title),
            task.album,
            task.character,
            page_url=address,
            fate=FetchStatus.MISSING_FILE,
            message=f"{wiki.table.name} names {title!r} and does not have it",
        )
    templates = [str(one.get("title")) for one in objects_of(page.get("templates"))]
    sha1 = info.get("sha1")
    url = _absolute(str(info["url"]), wiki.api.endpoint)
    return Picture(
        _original(url),
        task.album,
        task.character,
        is_lead=_is_lead(page, lead),
        page_url=str(info.get("descriptionurl") or address or "") or None,
        licence=read_licence(info, templates, facts.rights),
        sha1=str(sha1).lower() if sha1 else None,
        size=_bytes(info.get("size")),
        fallbacks=_smaller(url, info.get("width")),
    )


def _bytes(said: object) -> int | None:
    """Return a size as the site states it; None where no file can have it."""
    return said if isinstance(said, int) and 0 <= said < 1 << 63 else None


async def _with_imageinfo(
    wiki: Wiki, pages: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Ask again for files that came without imageinfo and are not known as missing."""
    unanswered = [
        str(page["title"])
        for page in pages
        if _imageinfo(page) is None and not is_missing(page)
    ]
    again: dict[str, dict[str, Any]] = {}
    for group in split_titles(unanswered):
        asked = {"titles": "|".join(group), **_PROPERTIES}
        again |= {str(p.get("title")): p for p in (await wiki.api.batch(asked)).pages}
    return [again.get(str(page["title"]), page) for page in pages]


def _imageinfo(page: dict[str, Any]) -> dict[str, Any] | None:
    found = objects_of(page.get("imageinfo"))
    return found[0] if found else None


def _name(page: dict[str, Any]) -> str:
    """Return a file's name in its one spelling, without the namespace."""
    return clean_title(str(page["title"]).partition(":")[2])


def _folded(title: str) -> str:
    """Return a file's title without the case of its name's first letter."""
    space, colon, name = title.partition(":")
    return space + colon + folded_title(name)


def _is_lead(page: dict[str, Any], lead: str | None) -> bool:
    return lead is not None and folded_title(_name(page)) == folded_title(lead)


def _absolute(url: str, endpoint: str) -> str:
    """Return an address of a file that may lack the scheme, or the host as well.

    >>> _absolute("//w.org/a.png", "https://w.org/api.php")
    'https://w.org/a.png'
    >>> _absolute("/images/a.png", "https://w.org/api.php")
    'https://w.org/images/a.png'
    """
    if not url.startswith("/"):
        return url
    scheme, _, rest = endpoint.partition("://")
    host = "" if url.startswith("//") else f"//{rest.partition('/')[0]}"
    return f"{scheme}:{host}{url}"


def _original(url: str) -> str:
    """Fandom sends WebP for every picture unless the uploaded bytes are asked for."""
    if not host_of(url).endswith(".nocookie.net"):
        return url
    return url + ("&" if "?" in url else "?") + "format=original"


def _smaller(url: str, width: object) -> tuple[str, ...]:
    """Return where the wiki serves the file when the uploaded bytes are gone.

    >>> _smaller("https://w.org/w/images/a/ab/Luna.png", 1000)
    ('https://w.org/w/images/thumb/a/ab/Luna.png/960px-Luna.png',)
    """
    if _original(url) != url:
        return (url,)
    found = _UPLOADED.fullmatch(url)
    if found is None or not isinstance(width, int):
        return ()
    folder, hashed, name = found.groups()
    widths = [one for one in _WIDTHS if one < width]
    return tuple(
        f"{folder}/thumb/{hashed}/{name}/{one}px-{name}" for one in widths[-1:]
    )
