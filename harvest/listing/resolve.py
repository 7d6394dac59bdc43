"""Derive the address of each listed picture: once, before anything else is decided."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, replace
from typing import Any

from icf.harvest.fault import Fault
from icf.harvest.http.urls import MAX_LENGTH, WebUrl, normalise
from icf.harvest.sources.base import ListingPage, Picture, Source
from icf.harvest.text import as_utf8


@dataclass(frozen=True)
class ResolvedPicture(Picture):
    """A picture and the address under which it is stored.

    Attributes:
        address: normalised; without a host where the source itself reads the picture,
            or where the URL cannot be fetched, which the picture's ``fate`` then says.
    """

    address: WebUrl = field(kw_only=True)


@dataclass(frozen=True)
class ResolvedPage(ListingPage):
    """A listing page whose pictures have their addresses."""

    pictures: tuple[ResolvedPicture, ...] = ()


def resolve(source: Source, page: ListingPage) -> ResolvedPage:
    """Return a page with the address of each picture.

    Args:
        source: the source that listed the page.
        page: as the source listed it.
    """
    values = _values(page)
    pictures = tuple(_resolved(source, one) for one in page.pictures)
    return ResolvedPage(**{**values, "pictures": pictures})


def _resolved(source: Source, picture: Picture) -> ResolvedPicture:
    values = _values(picture)
    if picture.own and source.reader is not None:
        return ResolvedPicture(**values, address=WebUrl(picture.url, None, ""))
    try:
        address = normalise(picture.url)
    except Fault as fault:
        values |= {"fate": fault.fate, "message": str(fault)}
        address = WebUrl(_storable(picture.url), None, "")
    if address.original is not None:
        address = replace(address, original=_storable(address.original))
    return ResolvedPicture(**values, address=address)


def _values(thing: ListingPage | Picture) -> dict[str, Any]:
    return {each.name: getattr(thing, each.name) for each in fields(thing)}


def _storable(text: str) -> str:
    """Return a text that fits a row; a long one is cut and gets a digest."""
    clean = as_utf8(text).replace("\0", "")
    if len(clean.encode("utf-8")) <= MAX_LENGTH:
        return clean
    digest = hashlib.sha256(clean.encode("utf-8")).hexdigest()[:16]
    return f"{clean[: MAX_LENGTH // 5]}...{digest}"
