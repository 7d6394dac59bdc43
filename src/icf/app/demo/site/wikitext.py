"""The source text of a page, as its author would have written it."""

from __future__ import annotations

from icf.app.demo.site.titles import Found
from icf.app.demo.site.wiki import WikiFile, WikiPage


def heading(page: WikiPage) -> str:
    """Give the one heading of a page, "" where it has none."""
    if page.redirect:
        return ""
    if page.images:
        return "Gallery"
    listed = "Characters" if page.categories else "Series"
    return listed if page.links else ""


def written(page: Found, top: bool = False) -> str:
    """Write the page's text, or only what is above its first heading (``top``)."""
    if page.file is not None:
        return _file(page.file)
    if page.page is None:
        return ""
    text = _page(page.page)
    return text.partition("\n==")[0] if top else text


def _page(page: WikiPage) -> str:
    if page.redirect:
        return f"#REDIRECT [[{page.links[0]}]]"
    lines = [f"'''{page.title}''' belongs to the Toon Harbour Wiki."]
    links = [f"* [[{title}]]" for title in page.links]
    if page.images:
        lead, *_ = names = [name.replace("_", " ") for name in page.images]
        lines += [f"[[File:{lead}|thumb|{page.title}]]", *links]
        gallery = [f"File:{name}|{page.title}" for name in names]
        lines += ["== Gallery ==", "<gallery>", *gallery, "</gallery>"]
    elif links:
        lines += [f"== {heading(page)} ==", *links]
    return "\n".join([*lines, *(f"[[Category:{one}]]" for one in page.categories)])


def _file(file: WikiFile) -> str:
    if file.licence is None:
        return "== Summary ==\nA picture."
    return f"== Summary ==\nBy {file.licence.artist}\n\nLicence: {file.licence.name}"
