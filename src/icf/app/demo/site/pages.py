"""The site's pages, for people who look at them in a browser."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from icf.app.demo.site.wiki import Wiki, WikiPage


def html(wiki: Wiki, title: str) -> str | None:
    """Return a page or the page of a file as HTML; None where there is none."""
    title = wiki.redirect.get(title, title)
    page = wiki.page.get(title)
    links: tuple[str, ...] = ()
    if page is not None:
        links = page.links or tuple(one.title for one in _members(wiki, title))
        names = page.images
    elif (name := title.removeprefix("File:").replace(" ", "_")) in wiki.file:
        names = (name,)
    else:
        return None
    shown = escape(title)
    return "\n".join(
        [
            f"<!DOCTYPE html>\n<title>{shown} - {escape(wiki.name)}</title>",
            f"<h1>{shown}</h1>\n<ul>",
            *(f'<li><a href="{_address(each)}">{escape(each)}</a>' for each in links),
            "</ul>",
            *(
                f'<img src="/{quote(wiki.file[name].path)}" alt="{escape(name)}">'
                for name in names
                if name in wiki.file
            ),
            "",
        ]
    )


def _members(wiki: Wiki, title: str) -> list[WikiPage]:
    return wiki.members(title.removeprefix("Category:"))


def _address(title: str) -> str:
    return "/wiki/" + quote(title.replace(" ", "_"), safe="/:")
