"""What gallery-dl's fields say of a file: its page, author and licence.

Every site names its fields in its own way; these are the names that are in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from icf.harvest.attributes.licence import SiteRights, read_licence

_PAGES = (
    "post_url",
    "page_url",
    "permalink",
    "gallery_url",
    "webpage_url",
    "descriptionurl",
)
_AUTHORS = ("author", "artist", "artists", "creator", "uploader", "owner", "user")
_LICENCES = ("license", "licence", "rights", "copyright_license")
_LICENCE_URLS = ("license_url", "licence_url")
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
    page = _first(fields, _PAGES)
    if page is None or not page.startswith(("http://", "https://")):
        page = listing
    return {
        "page": page,
        "author": stated.author or _first(fields, _AUTHORS),
        "licence": stated.name if known else _first(fields, _LICENCES),
        "licence_url": stated.url if known else _first(fields, _LICENCE_URLS),
    }


def _first(fields: Mapping[str, Any], names: Iterable[str]) -> str | None:
    for name in names:
        text = _text(fields.get(name))
        if text:
            return text[:_LONGEST]
    return None


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return _first(value, _NAMES) or ""
    if isinstance(value, list | tuple):
        return ", ".join(text for text in map(_text, value) if text)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return " ".join(str(value).split())
