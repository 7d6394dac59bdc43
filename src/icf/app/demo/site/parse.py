"""``action=parse``: a page as HTML, with its images, links and sections."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import quote

from icf.app.demo.site import wikitext
from icf.app.demo.site.params import Params, Refused
from icf.app.demo.site.properties import file_url, page_url
from icf.app.demo.site.titles import Found, found, normal
from icf.app.demo.site.wiki import Wiki, WikiPage


def answer(wiki: Wiki, base: str, params: Params) -> dict[str, Any]:
    """Answer one ``action=parse`` call in the shape of ``formatversion=2``.

    Raises:
        Refused: there is no such page or section.
    """
    title, redirects = normal(params.text("page")), []
    target = wiki.redirect.get(title)
    if target is not None and params.flag("redirects"):
        redirects, title = [{"from": title, "to": target}], target
    page = found(wiki, title)
    if not page.pageid:
        raise Refused("missingtitle", "The page you specified doesn't exist.")
    told: dict[str, Any] = {"title": title, "pageid": page.pageid}
    if redirects:
        told["redirects"] = redirects
    section = params.text("section")
    if section not in ("", "0", "1"):
        raise Refused("nosuchsection", f"There is no section {section}.")
    shown = _section(page.page, section)
    for what in params.values("prop", "text|images|links|sections"):
        if what == "text":
            told["text"] = html(wiki, base, page, shown)
        elif what == "images":
            told["images"] = list(shown.images) if shown else []
        elif what == "links":
            links = shown.links if shown else ()
            told["links"] = [_link(wiki, link) for link in links]
        elif what == "wikitext":
            told["wikitext"] = wikitext.written(page, top=section == "0")
        elif what == "sections":
            told["sections"] = _sections(page)
    return told


def _section(page: WikiPage | None, section: str) -> WikiPage | None:
    """Leave what is in one section: 0 is the part above the first heading."""
    if page is None or section == "":
        return page
    images, links = page.images, page.links
    top = section == "0"
    if images:
        shown, around = (images[:1], links) if top else (images, ())
    else:
        shown, around = (), () if top else links
    return WikiPage(page.pageid, page.title, shown, around, page.categories)


def _link(wiki: Wiki, title: str) -> dict[str, Any]:
    space = found(wiki, title).namespace
    exists = title in wiki.page or title in wiki.redirect
    return {"ns": space, "title": title, "exists": exists}


def _sections(page: Found) -> list[dict[str, Any]]:
    heading = wikitext.heading(page.page) if page.page else ""
    if not heading:
        return []
    return [
        {
            "toclevel": 1,
            "level": "2",
            "line": heading,
            "number": "1",
            "index": "1",
            "fromtitle": page.title.replace(" ", "_"),
            "byteoffset": 40,
            "anchor": heading,
        }
    ]


def html(wiki: Wiki, base: str, page: Found, shown: WikiPage | None) -> str:
    """Write a page the way that MediaWiki's parser does, in short."""
    parts = ['<div class="mw-parser-output">']
    if page.file is not None:
        parts.append(_image(wiki, base, page.file.name))
        if page.file.licence is not None:
            parts.append(f"<p>Licence: {escape(page.file.licence.name)}</p>")
    elif shown is not None:
        parts += _article(wiki, base, shown)
    return "\n".join([*parts, "</div>"])


def _article(wiki: Wiki, base: str, page: WikiPage) -> list[str]:
    parts = [f"<p><b>{escape(page.title)}</b> belongs to {escape(wiki.name)}.</p>"]
    if page.images:
        lead = _image(wiki, base, page.images[0])
        parts.append(f'<div class="thumb tright">{lead}</div>')
    if page.links:
        items = "".join(f"<li>{_anchor(base, link)}</li>" for link in page.links)
        listed = f"<ul>{items}</ul>"
        parts += [listed] if page.images else [_h2(page), listed]
    if page.images:
        boxes = (
            f'<li class="gallerybox">{_image(wiki, base, name)}</li>'
            for name in page.images
        )
        gallery = '<ul class="gallery mw-gallery-traditional">'
        parts += [_h2(page), gallery, *boxes, "</ul>"]
    return parts


def _h2(page: WikiPage) -> str:
    name = wikitext.heading(page)
    return name and f'<h2><span class="mw-headline" id="{name}">{name}</span></h2>'


def _anchor(base: str, title: str) -> str:
    path = page_url(base, title).removeprefix(base)
    return f'<a href="{path}" title="{escape(title)}">{escape(title)}</a>'


def _image(wiki: Wiki, base: str, name: str) -> str:
    file = wiki.file.get(name)
    page = "/wiki/File:" + quote(name)
    if file is None or not file.known:
        return f'<a href="{page}" class="new">{escape(name)}</a>'
    source = file_url(base, file).removeprefix(base)
    size = f'width="{file.width}" height="{file.height}"'
    image = f'<img alt="" src="{source}" {size} loading="lazy" />'
    return f'<a href="{page}" class="image">{image}</a>'
