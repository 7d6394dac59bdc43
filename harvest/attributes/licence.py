"""Read the licence of a wiki's file, and where it was found.

The most trustworthy place is first: the licence that the site states for the file
(extmetadata), the metadata of the file itself (commonmetadata), the licence templates
of the file's page, the rights of the whole site; else "unknown".
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_TAG = re.compile(r"<[^>]*>")
_LICENCE_TEMPLATE = re.compile(
    r"\b(cc0|cc[- ]|pd\b|pd-|public domain|gfdl|gpl|fal\b|fair ?use|non-?free|copyright"
    r"|all rights|permission|attribution)",
    re.IGNORECASE,
)


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
    name = stated.get("LicenseShortName") or stated.get("UsageTerms")
    if name:
        url = stated.get("LicenseUrl") or None
        return Licence(name, url, "extmetadata", author)
    for key in ("UsageTerms", "License", "Copyright"):
        if embedded.get(key):
            url = embedded.get("WebStatement") or None
            return Licence(embedded[key], url, "commonmetadata", author)
    for title in templates:
        template = title.partition(":")[2] or title
        if _LICENCE_TEMPLATE.search(template):
            return Licence(template, None, "template", author)
    if site.text or site.url:
        return Licence(site.text or site.url, site.url or None, "site", author)
    return Licence(UNKNOWN.name, None, UNKNOWN.read_from, author)


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
