"""Derive the address of each listed picture, and the normal form of each name.

Once, before anything else is decided: limits, exclusions and rows see only these.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.urls import MAX_LENGTH, WebUrl, normalise
from icf.harvest.sources.base import (
    Album,
    Character,
    ListingPage,
    Picture,
    Source,
    Task,
)
from icf.harvest.text import as_utf8
from icf.names import LONGEST_NAME, normal_name
from icf.redact import without_login

N = TypeVar("N", bound=Album | Character | Picture | Task)
H = TypeVar("H", bound=Album | Character)

_OF_PICTURE = [each.name for each in fields(Picture)]
_OF_PAGE = [each.name for each in fields(ListingPage)]


@dataclass(frozen=True)
class ResolvedPicture(Picture):
    """A picture and the address under which it is stored.

    Attributes:
        address: normalised; without a host where the source itself reads the picture,
            or where the URL cannot be fetched, which the picture's ``fate`` then says.
            The fallbacks are normalised too.
    """

    address: WebUrl = field(kw_only=True)


@dataclass(frozen=True)
class ResolvedPage(ListingPage):
    """A listing page whose pictures have their addresses.

    Attributes:
        fates: of the URLs that it is the first to name and that are not to be fetched.
    """

    pictures: tuple[ResolvedPicture, ...] = ()
    fates: Counter[FetchStatus] = field(default_factory=Counter)


def resolve(source: Source, page: ListingPage) -> ResolvedPage:
    """Return a page with the address of each picture and with normal names.

    What has a name without a visible character, or an endless one, is passed over.
    Albums and characters that are named several times are one each.

    Args:
        source: the source that listed the page.
        page: as the source listed it.
    """
    values = _values(page)
    for kind in ("albums", "characters", "tasks"):
        named = [_named(one) for one in values[kind]]
        values[kind] = tuple(one for one in named if one is not None)
    named = [_named(_resolved(source, one)) for one in page.pictures]
    values["pictures"] = tuple(one for one in named if one is not None)
    before, after = (
        sum(len(each) for each in (of["albums"], of["characters"], of["pictures"]))
        for of in (_values(page), values)
    )
    values["passed_over"] += before - after
    values["albums"] = _each_once(values["albums"], ("name",))
    values["characters"] = _each_once(values["characters"], ("album", "name"))
    return ResolvedPage(**values)


def _named(thing: N) -> N | None:
    """Return a thing with its names in their normal form.

    None if a name is empty then, or longer than a database takes.
    """
    names = {
        name: normal_name(value)
        for name in ("album", "character", "name")
        if (value := getattr(thing, name, None)) is not None
    }
    if not all(0 < len(name) <= LONGEST_NAME for name in names.values()):
        return None
    if all(getattr(thing, name) == value for name, value in names.items()):
        return thing
    return replace(thing, **names)  # type: ignore[arg-type]


def _each_once(things: Iterable[H], names: Sequence[str]) -> tuple[H, ...]:
    """Return things that differ in these names.

    What the first does not say, the others of its names do.
    """
    found: dict[tuple[str, ...], H] = {}
    for one in things:
        key = tuple(getattr(one, name) for name in names)
        known = found.setdefault(key, one)
        if known is not one:
            missing = [
                each.name for each in fields(one) if getattr(known, each.name) is None
            ]
            more = {name: getattr(one, name) for name in missing}
            found[key] = replace(known, **more)
    return tuple(found.values())


def _resolved(source: Source, picture: Picture) -> ResolvedPicture:
    values = _values(picture)
    if picture.own and source.reader is not None:
        return ResolvedPicture(**values, address=WebUrl(picture.url, None, ""))
    others = _fetchable(picture.fallbacks)
    try:
        address = normalise(picture.url)
    except Fault as fault:
        if others:
            address = others[0]
        else:
            values |= {"fate": fault.fate, "message": str(fault)}
            address = WebUrl(_storable(picture.url), None, "")
    urls = dict.fromkeys(one.url for one in others if one.url != address.url)
    values["fallbacks"] = tuple(urls)
    if address.original is not None:
        original = _storable(address.original)
        differs = original != address.url
        address = replace(address, original=original if differs else None)
    return ResolvedPicture(**values, address=address)


def _fetchable(urls: Iterable[str]) -> list[WebUrl]:
    found = []
    for url in urls:
        with suppress(Fault):  # a way around, and no picture of its own
            found.append(normalise(url))
    return found


def _values(thing: ListingPage | Picture) -> dict[str, Any]:
    names = _OF_PICTURE if isinstance(thing, Picture) else _OF_PAGE
    return {name: getattr(thing, name) for name in names}


def _storable(text: str) -> str:
    """Return an address that fits a row, without its login.

    A long one is cut and gets a digest.
    """
    clean = without_login(as_utf8(text).replace("\0", ""))
    if len(clean.encode("utf-8")) <= MAX_LENGTH:
        return clean
    digest = hashlib.sha256(clean.encode("utf-8")).hexdigest()[:16]
    return f"{clean[: MAX_LENGTH // 5]}...{digest}"
