"""What gallery-dl's fields say of a file: its page, author and licence.

Every site names its fields in its own way; these are the names that are in use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from icf.harvest.attributes.licence import SiteRights, read_licence
from icf.harvest.sources.gallery_dl import flickr

_PAGES = (
    "post_url",
    "page_url",
    "permalink",
    "gallery_url",
    "webpage_url",
    "descriptionurl",
)
_AUTHORS = ("author", "artist", "artists", "creator", "uploader", "owner", "user")
_LICENCE_NAMES = ("license_name", "licence_name")
_LICENCES = ("license", "licence", "rights", "copyright_license")
_LICENCE_URLS = ("license_url", "licence_url")
#: What sites count licences with.
_NUMBER = re.compile(r"[\d\s.,]+")
#: Of a person or a licence that has fields of its own.
_NAMES = ("name", "display_name", "username", "title", "id")
_LONGEST = 500


def read_metadata(fields: Mapping[str, Any], listing: str) -> dict[str, str | None]:
    """Return ``page``, ``author``, ``licence`` and ``licence_url`` of a file.

    Args:
        fields: as gallery-dl hands them over with the file.
        listing: the URL of the listing that the file is in; its page where the fields
            name none.

    >>> found = read_metadata({"artist": {"name": "Jane"}}, "http://a.org/")
    >>> found["page"], found["author"], found["licence"]
    ('http://a.org/', 'Jane', None)
    """
    stated = read_licence(fields, (), SiteRights())
    known = stated.read_from != "unknown"
    licence, url = (stated.name, stated.url) if known else _licence(fields)
    page = _first(fields, _PAGES)
    if page is None or not page.startswith(("http://", "https://")):
        page = listing
    return {
        "page": page,
        "author": stated.author or _first(fields, _AUTHORS),
        "licence": licence,
        "licence_url": url,
    }


def _licence(fields: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the name of a licence and its URL; a number alone is no name."""
    url = _first(fields, _LICENCE_URLS)
    found = flickr.by_name(_first(fields, _LICENCE_NAMES) or "")
    if found is None and fields.get("category") == "flickr":
        found = flickr.by_number(_text(fields.get("license")))
    if found is not None:
        return found[0], url or found[1]
    for name in (*_LICENCE_NAMES, *_LICENCES):
        texts = dict.fromkeys(_texts(fields.get(name)))
        named = [one for one in texts if not _NUMBER.fullmatch(one)]
        if named:
            return ", ".join(named)[:_LONGEST], url
    return None, url


def _first(fields: Mapping[str, Any], names: Iterable[str]) -> str | None:
    for name in names:
        text = _text(fields.get(name))
        if text:
            return text[:_LONGEST]
    return None


def _texts(value: object) -> list[str]:
    """Return the texts of a list, or the only one."""
    each = value if isinstance(value, list | tuple) else [value]
    return [text for text in map(_text, each) if text]


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return _first(value, _NAMES) or ""
    if isinstance(value, list | tuple):
        return ", ".join(_texts(value))
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return " ".join(str(value).split())
