"""Normalised names of licences, and patterns of such names.

Names are SPDX identifiers where there is one: ``CC-BY-SA-4.0``, ``CC0-1.0``,
``GFDL-1.3``. Other licences are one of `PUBLIC_DOMAIN`, `NON_FREE`,
`ALL_RIGHTS_RESERVED`, `OTHER` and `UNKNOWN`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection

PUBLIC_DOMAIN = "public-domain"
NON_FREE = "non-free"
ALL_RIGHTS_RESERVED = "all-rights-reserved"
OTHER = "other"
UNKNOWN = "unknown"

_VERSION = r"(?:v(?:ersion)? ?)?(?P<version>\d+\.\d+)"
_CC_ZERO = re.compile(r"\b(?:cc ?0|cc zero|creative commons zero)\b|publicdomain/zero/")
_CC_URL = re.compile(r"creativecommons\.org/licenses/([a-z-]+)(?:/(\d+\.\d+))?")
_CC_NAME = re.compile(
    r"\b(?:cc|creative commons) ?(?P<parts>(?:by|nc|nd|sa)(?: (?:by|nc|nd|sa))*)\b"
    r"(?:[ a-z]*?(?P<version>\d+\.\d+))?"
)
#: Licences by words in their names, searched in this order.
_BY_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(words), name)
    for words, name in (
        (
            r"\bfair ?use\b|\bfair dealing\b|\bnon ?free\b|\bunfree\b",
            NON_FREE,
        ),
        (
            r"\ball rights reserved\b|\bcopyrighted\b|\brightsstatements\.org/\S*/inc\b"
            r"|^(?:©|\(c\)|copyright\b(?! free| holder))",
            ALL_RIGHTS_RESERVED,
        ),
        (
            r"\bpublic ?domain\b|^(?:cc )?pd\b|\btemplate pd\b|publicdomain/mark/"
            r"|\bno known copyright\b|\bcopyright free\b",
            PUBLIC_DOMAIN,
        ),
    )
)
_GNU = re.compile(
    rf"\b(?:gnu )?(?P<name>gfdl|agpl|lgpl|gpl)\b(?: ?{_VERSION})?"
    r"|\bgnu (?P<long>free documentation|lesser general public|general public)"
)
_GNU_LONG = {
    "free documentation": "GFDL",
    "lesser general public": "LGPL",
    "general public": "GPL",
}
_LONG_PARTS = (
    ("attribution", "by"),
    ("non ?commercial", "nc"),
    ("no ?deriv(?:ative)?s?(?: works)?", "nd"),
    ("share ?alike", "sa"),
)
_UNKNOWN = frozenset({"", "unknown", "none", "n/a", "?"})
_ORDER = ("by", "nc", "nd", "sa")


def licence_family(name: str | None, url: str | None = None) -> str:
    """Return the normalised name of a licence.

    Args:
        name: as the source writes it.
        url: of the licence's text, if the source gives one; used if the name is not
            enough.

    >>> licence_family("Creative Commons Attribution-Share Alike 4.0")
    'CC-BY-SA-4.0'
    >>> licence_family("PD-old"), licence_family("Fair use"), licence_family(None)
    ('public-domain', 'non-free', 'unknown')
    """
    by_name = _family(name or "")
    if by_name not in (OTHER, UNKNOWN):
        return by_name
    by_url = _family(url or "")
    return by_url if by_url not in (OTHER, UNKNOWN) else by_name


def is_allowed(
    patterns: Collection[str], name: str | None, url: str | None = None
) -> bool:
    """Return whether a licence matches one of the patterns; without patterns, any does.

    A pattern is a glob. It is compared with the licence as written, with its normalised
    name, and with that name without its version, ignoring case and punctuation.

    >>> is_allowed(["CC BY*"], "Creative Commons Attribution-ShareAlike 4.0")
    True
    >>> is_allowed(["cc0", "public domain"], "CC BY-NC 2.0")
    False
    """
    if not patterns:
        return True
    family = _plain(licence_family(name, url))
    bare = re.sub(r" \d+\.\d+$", "", family)
    worded = {_plain(name or UNKNOWN), family, bare}
    return any(
        fnmatch.fnmatchcase(each, _plain(pattern))
        for pattern in patterns
        for each in worded
    )


def _family(text: str) -> str:
    lowered = text.strip().lower()
    if lowered in _UNKNOWN:
        return UNKNOWN
    if found := _CC_URL.search(lowered):
        return _creative_commons(found[1].split("-"), found[2])
    plain = _shortened(_plain(lowered))
    if _CC_ZERO.search(plain) or _CC_ZERO.search(lowered):
        return "CC0-1.0"
    if found := _CC_NAME.search(plain):
        return _creative_commons(found["parts"].split(), found["version"])
    for words, name in _BY_WORDS:
        if words.search(plain) or words.search(lowered):
            return name
    if found := _GNU.search(plain):
        short = (found["name"] or "").upper() or _GNU_LONG[found["long"]]
        return f"{short}-{found['version']}" if found["version"] else short
    return OTHER


def _creative_commons(parts: Collection[str], version: str | None) -> str:
    known = [part.upper() for part in _ORDER if part in parts]
    if not known:
        return OTHER
    return "-".join(["CC", *known, *([version] if version else [])])


def _plain(text: str) -> str:
    """Convert to lower case, with one space between words."""
    return re.sub(r"[\s_,;:()-]+", " ", text.lower()).strip()


def _shortened(text: str) -> str:
    """Replace the long terms of Creative Commons by their abbreviations."""
    if "creative commons" not in text and not text.startswith("cc"):
        return text
    for long, short in _LONG_PARTS:
        text = re.sub(rf"\b{long}\b", short, text)
    return text
