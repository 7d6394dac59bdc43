"""Where the picture of an element is: every address that it has, the best first.

Pages show a placeholder until a script replaces it. The picture is named in other
attributes then, in a ``srcset``, in the ``<source>`` of a ``<picture>``, or in a
``<noscript>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from parsel import Selector

#: Addresses of one picture that are kept.
MOST = 5

#: Attributes with what a script puts into ``src``, as the usual scripts name them.
_LAZY = re.compile(
    r"(data-)?(actual|cf|defer|delayed|image|img|lazy|lazyload|ll|orig|original"
    r"|pagespeed[-_]lazy|real)[-_]?src"
    r"|data-(src|lazy|lazy-?load|original|echo|flickity-lazyload(-src)?)"
)
_LAZY_SET = re.compile(
    r"(data-)?(flickity-lazyload-|lazy-?|ll-|original-)srcset"
    r"|data-srcset|data-original-set"
)
#: Attributes with a larger picture, if they name a picture at all.
_LARGER = re.compile(
    r"data-(src-)?(2x|at2x|big|full|hi-?res|high-?res|large|max|orig|original|retina"
    r"|zoom)([-_](file|image|img|src|url))?|zoomfile"
)
#: Attributes that are believed where ``src`` shows nothing.
_PERHAPS = re.compile(r"(data-)?(background|bg|file|image|img|url)([-_](img|src|url))?")
_PICTURE_NAME = re.compile(r"\.(avif|bmp|gif|jpe?g|png|tiff?|webp)(?![\w.])", re.I)
_PLACEHOLDER = re.compile(
    r"(?:\A|[/_.-])(?:1x1|blank|clear|empty|gr[ae]y|lazy|load(?:er|ing)|pixel"
    r"|placeholder|spacer|transparent)[^/]*\.(?:gif|jpe?g|png|svg|webp)",
    re.I,
)
_NO_ADDRESS = re.compile(r"(about|blob|data|javascript):|[#{\[<]|\Z", re.I)
_ADDRESS = re.compile(rf"(?!{_NO_ADDRESS.pattern})(?=.*[/.?]).*[a-z]", re.I | re.DOTALL)
#: What a script fills in, as the width of ``/a_{width}.jpg``.
_TEMPLATE = re.compile(r"\{[^{}]*\}|%7B\w*%7D", re.I)
_BACKGROUND = re.compile(r"url\(\s{0,20}(['\"]?)(.{0,2000}?)\1\s{0,20}\)")
#: The address of a ``srcset``'s next picture; a comma at its end ends that picture.
_NEXT = re.compile(r"[^\s,]\S*")
_DESCRIPTOR = re.compile(r"(?:\A|\s)(\d+(?:\.\d+)?)([wx])(?:\s|\Z)")
#: Formats of a ``<source>`` that the decoder does not read.
_UNREAD = frozenset({"image/heic", "image/heif", "image/jxl", "image/svg+xml"})

#: The kind of a size (width, density, none) and the size.
Rank = tuple[int, float]
_NO_SIZE, _OF_SRC = (0, 1.0), (1, 1.0)


def addresses_of(found: Selector) -> tuple[str, ...]:
    """Return the addresses of an element's picture, or those in an attribute's value.

    >>> page = Selector(text='<img src="data:," data-srcset="/s.png 1x, /l.png 2x">')
    >>> addresses_of(page.css("img")[0])
    ('/l.png', '/s.png')
    """
    if isinstance(found.root, str):
        text = found.root.strip()
        return _few(by_size([text]) or [text])
    if "href" in found.attrib:
        inside = found.xpath(".//img")[:1]
        return _few([found.attrib["href"], *(a for one in inside for a in _shown(one))])
    if found.xpath("self::*[@src or @srcset or self::picture]"):
        return _few(_shown(found))
    first = found.xpath("(.//a[@href] | .//img)[1]")
    return addresses_of(first[0]) if first else _few(_shown(found))


def pictures_in(found: Iterable[Selector]) -> list[Selector]:
    """Leave out what a ``<noscript>`` repeats of the element beside it."""
    elements = list(found)
    known = {id(one.root) for one in elements}

    def is_repeated(one: Selector) -> bool:
        beside = one.xpath(
            "ancestor::noscript[1]/preceding-sibling::*[1][not(self::noscript)]"
        )
        return any(
            id(each.root) in known for each in beside.xpath("descendant-or-self::*")
        )

    return [
        one for one in elements if isinstance(one.root, str) or not is_repeated(one)
    ]


def by_size(srcsets: Iterable[str]) -> list[str]:
    """Return the addresses of ``srcset`` values, the largest first.

    Empty for texts that are none.

    >>> by_size(["/s.png 320w, /l.png 1280w"]), by_size(["/a.png"])
    (['/l.png', '/s.png'], [])
    """
    sizes = _sizes(srcsets)
    has_sizes = any(rank != _NO_SIZE for rank, _ in sizes)
    return [address for _, address in _sorted(sizes)] if has_sizes else []


def _shown(element: Selector) -> list[str]:
    """Return the addresses of an ``<img>``, or of another element with a picture."""
    image = next(iter(element.xpath("self::picture//img")), element)
    values = dict(image.attrib)
    srcset, src = values.get("srcset", ""), values.get("src", "").strip()
    lazy = _named(values, _LAZY)
    lazy_sets = _named(values, _LAZY_SET)
    sources = list(_sources(image if image is not element else element))
    is_lazy = bool(lazy or _sizes(lazy_sets))
    sizes = _sizes([*(lazy_sets if is_lazy else [srcset]), *sources])
    sizes += [(_OF_SRC, one) for one in _pictures(values, _LARGER)]
    sizes += [(_OF_SRC, one) for one in lazy or ([] if is_lazy else [src])]
    found = [one for _, one in _sorted(sizes) if not _NO_ADDRESS.match(one)]
    if all(_PLACEHOLDER.search(one) for one in found):
        styled = _BACKGROUND.search(values.get("style", ""))
        hidden = [*_pictures(values, _PERHAPS), *_in_noscript(image)]
        hidden += [styled[2]] if styled else []
        found = [*hidden, *_named(values, _LAZY, templates=True), *found]
    return found or [src]


def _named(
    values: dict[str, str], names: re.Pattern[str], *, templates: bool = False
) -> list[str]:
    """Return the addresses in attributes, or what a script makes addresses of."""
    found = [value.strip() for name, value in values.items() if names.fullmatch(name)]
    return [
        value
        for value in found
        if _ADDRESS.match(value) and bool(_TEMPLATE.search(value)) is templates
    ]


def _pictures(values: dict[str, str], names: re.Pattern[str]) -> list[str]:
    return [one for one in _named(values, names) if _PICTURE_NAME.search(one)]


def _sources(image: Selector) -> Iterator[str]:
    """Yield the ``srcset`` of each ``<source>`` beside an image."""
    # lxml takes what follows a <source> for its content.
    for source in image.xpath("ancestor-or-self::picture[1]//source"):
        if source.attrib.get("type", "").lower() not in _UNREAD:
            lazy = _named(dict(source.attrib), _LAZY_SET)
            yield from lazy or [source.attrib.get("srcset", "")]


def _in_noscript(image: Selector) -> list[str]:
    """Return the addresses that the ``<noscript>`` beside or in an element has."""
    for noscript in image.xpath(
        ".//noscript | following-sibling::*[1][self::noscript]"
        " | ancestor::picture[1]/following-sibling::*[1][self::noscript]"
        " | preceding-sibling::*[1][self::noscript]"
    ):
        inside = noscript.xpath(".//img") or Selector(
            text=f"<p>{noscript.xpath('string()').get()}</p>"
        ).xpath("//img")
        for one in inside[:1]:
            return _shown(one)
    return []


def _sizes(srcsets: Iterable[str]) -> list[tuple[Rank, str]]:
    """Return the addresses of ``srcset`` values, each with its size."""
    found: list[tuple[Rank, str]] = []
    for srcset in srcsets:
        for address, descriptor in _candidates(srcset):
            size = _DESCRIPTOR.search(descriptor)
            if size is None:
                found.append((_NO_SIZE, address))
            else:
                found.append(((2 if size[2] == "w" else 1, float(size[1])), address))
    return found


def _candidates(srcset: str) -> Iterator[tuple[str, str]]:
    """Yield each address of a ``srcset`` and what stands behind it, in linear time."""
    place = 0
    while (found := _NEXT.search(srcset, place)) is not None:
        address, start = found[0].rstrip(","), found.end()
        comma = srcset.find(",", start)
        place = len(srcset) if comma < 0 else comma
        if found[0].endswith(","):
            place = start
        yield address, srcset[start:place]


def _sorted(sizes: list[tuple[Rank, str]]) -> list[tuple[Rank, str]]:
    return sorted(sizes, key=lambda one: one[0], reverse=True)


def _few(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.strip() for one in addresses if one.strip()))[:MOST]
