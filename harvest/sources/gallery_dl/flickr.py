"""The licences of Flickr, which states them by number or by names of its own."""

from __future__ import annotations

_DEEDS = "https://creativecommons.org"
#: By Flickr's number: its name, the usual one, and where the licence is.
_LICENCES = {
    "0": ("All Rights Reserved", "All Rights Reserved", None),
    "1": (
        "Attribution-NonCommercial-ShareAlike License",
        "CC BY-NC-SA 2.0",
        f"{_DEEDS}/licenses/by-nc-sa/2.0/",
    ),
    "2": (
        "Attribution-NonCommercial License",
        "CC BY-NC 2.0",
        f"{_DEEDS}/licenses/by-nc/2.0/",
    ),
    "3": (
        "Attribution-NonCommercial-NoDerivs License",
        "CC BY-NC-ND 2.0",
        f"{_DEEDS}/licenses/by-nc-nd/2.0/",
    ),
    "4": ("Attribution License", "CC BY 2.0", f"{_DEEDS}/licenses/by/2.0/"),
    "5": (
        "Attribution-ShareAlike License",
        "CC BY-SA 2.0",
        f"{_DEEDS}/licenses/by-sa/2.0/",
    ),
    "6": (
        "Attribution-NoDerivs License",
        "CC BY-ND 2.0",
        f"{_DEEDS}/licenses/by-nd/2.0/",
    ),
    "7": (
        "No known copyright restrictions",
        "No known copyright restrictions",
        "https://www.flickr.com/commons/usage/",
    ),
    "8": (
        "United States Government Work",
        "United States Government Work",
        "https://www.usa.gov/government-copyright",
    ),
    "9": (
        "Public Domain Dedication (CC0)",
        "CC0 1.0",
        f"{_DEEDS}/publicdomain/zero/1.0/",
    ),
    "10": (
        "Public Domain Mark",
        "Public Domain Mark 1.0",
        f"{_DEEDS}/publicdomain/mark/1.0/",
    ),
}
_BY_NAME = {name.casefold(): (usual, url) for name, usual, url in _LICENCES.values()}


def by_number(number: str) -> tuple[str, str | None] | None:
    """Return the usual name of a licence and its URL, by Flickr's number.

    >>> by_number("4")
    ('CC BY 2.0', 'https://creativecommons.org/licenses/by/2.0/')
    """
    found = _LICENCES.get(number)
    return found and found[1:]


def by_name(name: str) -> tuple[str, str | None] | None:
    """Return the usual name of a licence and its URL, by Flickr's name.

    >>> by_name("Public Domain Dedication (CC0)")
    ('CC0 1.0', 'https://creativecommons.org/publicdomain/zero/1.0/')
    """
    return _BY_NAME.get(name.casefold())
