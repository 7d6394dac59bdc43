"""Read the licence of a wiki's file, and where it was found.

The most trustworthy place is first: the licence that the site states for the file
(extmetadata), the metadata of the file itself (commonmetadata), the licence templates
of the file's page, the rights of the whole site; else "unknown". A place that says that
the file is not free is believed before one that says what its licence is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from icf.licence_names import ALL_RIGHTS_RESERVED, NON_FREE, OTHER, licence_family

_TAG = re.compile(
    r"<(style|script)\b[^>]*>.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL
)
_LICENCE_TEMPLATE = re.compile(
    r"\b(cc0|cc[- ]|pd\b|pd-|public domain|gfdl|gpl|fal\b|fair ?use|non-?free|copyright"
    r"|all rights|permission|attribution)",
    re.IGNORECASE,
)
#: Templates that only draw the box of others.
_LAYOUT = re.compile("layout", re.IGNORECASE)
_VERSION = re.compile(r"-\d+\.\d+$")
_RESERVED = (NON_FREE, ALL_RIGHTS_RESERVED)
_TRUE = frozenset({"true", "yes", "1"})


@dataclass(frozen=True)
class Licence:
    """The licence of a picture, and where it was read.

    Attributes:
        name: as the source writes it, or "unknown".
        url: of the licence's text.
        read_from: "extmetadata", "commonmetadata", "template", "site", "list",
            "folder", "page", "settings" or "unknown".
        author: as the source writes it.
    """

    name: str
    url: str | None
    read_from: str
    author: str | None = None


UNKNOWN = Licence("unknown", None, "unknown")


@dataclass(frozen=True)
class SiteRights:
    """The licence that a wiki states for all of its content; may be empty."""

    text: str = ""
    url: str = ""


def read_licence(
    imageinfo: Mapping[str, Any], templates: Iterable[str], site: SiteRights
) -> Licence:
    """Return the licence of one file.

    Args:
        imageinfo: one ``imageinfo`` object with ``extmetadata`` and ``commonmetadata``.
        templates: titles of the templates on the file's page.
        site: the rights of the whole site.

    >>> read_licence({}, ["Template:File", "Template:CC-BY-SA-4.0"], SiteRights())
    Licence(name='CC-BY-SA-4.0', url=None, read_from='template', author=None)
    """
    stated = _stated(imageinfo.get("extmetadata"))
    embedded = _embedded(imageinfo.get("commonmetadata"))
    author = stated.get("Artist") or embedded.get("Artist") or None
    by_template = _of_templates(templates)
    found = next(_places(stated, embedded, by_template, site), UNKNOWN)
    if _is_reserved(by_template) and not _is_reserved(found.name, found.url):
        found = Licence(str(by_template), None, "template")
    return replace(found, author=author)


def _places(
    stated: Mapping[str, str],
    embedded: Mapping[str, str],
    by_template: str | None,
    site: SiteRights,
) -> Iterator[Licence]:
    """Yield what each place says, the most trustworthy first."""
    name, url = _named(stated)
    if name:
        yield Licence(name, url, "extmetadata")
    for key in ("UsageTerms", "License", "Copyright"):
        if embedded.get(key):
            url = embedded.get("WebStatement") or None
            yield Licence(embedded[key], url, "commonmetadata")
    if by_template:
        yield Licence(by_template, None, "template")
    if site.text or site.url:
        yield Licence(site.text or site.url, site.url or None, "site")


def _is_reserved(name: str | None, url: str | None = None) -> bool:
    return licence_family(name, url) in _RESERVED


def _named(stated: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The licence that the site states for a file, and the URL of its text."""
    url = stated.get("LicenseUrl") or None
    names = (stated.get(key) for key in ("LicenseShortName", "UsageTerms", "License"))
    name = next(filter(None, names), url)
    not_free = stated.get("NonFree", "").lower() in _TRUE
    if not_free and not _is_reserved(name, url):
        return "Non-free", None
    return name, url


def _of_templates(titles: Iterable[str]) -> str | None:
    """The licence that a page's templates name.

    A template for what is not free comes before all others. Of the rest, each licence
    is named once, those without a version only where no other has one.
    """
    names = [title.partition(":")[2] or title for title in titles]
    named = {
        each: licence_family(each)
        for each in names
        if _LICENCE_TEMPLATE.search(each) and not _LAYOUT.search(each)
    }
    for reserved in _RESERVED:
        if reserved in named.values():
            return next(each for each in named if named[each] == reserved)
    families: dict[str, str] = {}
    for each, family in named.items():
        families.setdefault(family, each)
    if len(families) > 1:
        families.pop(OTHER, None)
    versions = {_VERSION.sub("", each) for each in families if _VERSION.search(each)}
    known = [name for family, name in families.items() if family not in versions]
    return ", ".join(known) or None


def _stated(extmetadata: object) -> dict[str, str]:
    """The fields of extmetadata: ``{"Artist": {"value": "<b>Jane</b>"}}``."""
    if not isinstance(extmetadata, Mapping):
        return {}
    return {
        str(key): _plain(field.get("value"))
        for key, field in extmetadata.items()
        if isinstance(field, Mapping)
        # MediaWiki copies these fields from the file; the site does not state them.
        and field.get("source") != "file-metadata"
    }


def _embedded(commonmetadata: object) -> dict[str, str]:
    """The fields of commonmetadata: ``[{"name": "Artist", "value": "Jane"}]``."""
    if not isinstance(commonmetadata, list):
        return {}
    return {
        str(field.get("name")): _plain(field.get("value"))
        for field in commonmetadata
        if isinstance(field, Mapping)
    }


def _plain(value: object) -> str:
    """Return text without markup, in the first of several languages."""
    while isinstance(value, list | Mapping):
        inner = list(value.values()) if isinstance(value, Mapping) else value
        value = next((v for v in inner if v and v != "lang"), "")
    text = html.unescape(_TAG.sub(" ", str(value or "")))
    return " ".join(text.split())
