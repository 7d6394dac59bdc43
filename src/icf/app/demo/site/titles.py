"""From the titles of a call to the pages and files that they mean."""

from __future__ import annotations

from dataclasses import dataclass

from icf.app.demo.site.wiki import NAMESPACES, Wiki, WikiFile, WikiPage

_INVALID = "[]{}|<>#"
_ALIASES = {"image": "File", "file": "File", "category": "Category"}


@dataclass(frozen=True)
class Found:
    """What a title means: a page, a file, both missing, or no title at all."""

    title: str
    page: WikiPage | None = None
    file: WikiFile | None = None
    invalid: str = ""

    @property
    def namespace(self) -> int:
        """0 for articles, 6 for files, 14 for categories."""
        return NAMESPACES.get(self.title.partition(":")[0], 0)

    @property
    def pageid(self) -> int:
        """0 where there is no such page."""
        if self.page is not None:
            return self.page.pageid
        return self.file.pageid if self.file is not None else 0


@dataclass(frozen=True)
class PageSet:
    """The pages of a call, and how the wiki came from the titles to them."""

    pages: tuple[Found, ...]
    normalized: tuple[tuple[str, str], ...] = ()
    redirects: tuple[tuple[str, str], ...] = ()


def normal(title: str) -> str:
    """Spell a title as the wiki does.

    >>> normal("image:moon_rabbit 1.jpg"), normal("  moon__rabbit")
    ('File:Moon rabbit 1.jpg', 'Moon rabbit')
    """
    words = " ".join(title.replace("_", " ").split())
    prefix, colon, rest = words.partition(":")
    space = _ALIASES.get(prefix.strip().lower())
    if colon and space:
        rest = rest.strip()
        return f"{space}:{rest[:1].upper()}{rest[1:]}"
    return words[:1].upper() + words[1:]


def found(wiki: Wiki, title: str) -> Found:
    """Look a spelt title up."""
    bad = next((sign for sign in title if sign in _INVALID), "")
    if bad or not title:
        return Found(title, invalid=bad or "empty")
    if title in wiki.page:
        return Found(title, page=wiki.page[title])
    if title.startswith("File:"):
        name = title.removeprefix("File:").replace(" ", "_")
        return Found(title, file=wiki.file.get(name))
    return Found(title)


def page_set(wiki: Wiki, titles: list[str], follow: bool) -> PageSet:
    """Look up the titles of a call; ``follow`` redirects or show them as pages."""
    pages: dict[str, Found] = {}
    normalized, redirects = [], []
    for title in titles:
        spelt = normal(title)
        if spelt != title:
            normalized.append((title, spelt))
        target = wiki.redirect.get(spelt)
        if target is not None and follow:
            redirects.append((spelt, target))
            spelt = target
        pages[spelt] = found(wiki, spelt)
    return PageSet(tuple(pages.values()), tuple(normalized), tuple(redirects))
