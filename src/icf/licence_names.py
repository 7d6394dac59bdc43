"""Normalised names of licences, and patterns of such names.

Names are SPDX identifiers where there is one: ``CC-BY-SA-4.0``, ``CC0-1.0``,
``GFDL-1.3``. Other licences are one of `PUBLIC_DOMAIN`, `NON_FREE`,
`ALL_RIGHTS_RESERVED`, `OTHER` and `UNKNOWN`.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

PUBLIC_DOMAIN = "public-domain"
NON_FREE = "non-free"
ALL_RIGHTS_RESERVED = "all-rights-reserved"
OTHER = "other"
UNKNOWN = "unknown"

_VERSION = r"(?:v(?:ersion)? ?)?(?P<version>\d+\.\d+)"
_CC_ZERO = re.compile(r"\b(?:cc ?0|cc zero|creative commons zero)\b|publicdomain/zero/")
_CC_URL = re.compile(r"creativecommons\.org/licenses/([a-z-]+)(?:/(\d+\.\d+))?")
_CC_NAME = re.compile(
    r"\b(?:cc|creative commons) ?"
    r"(?P<parts>(?:by|nc|nd|sa)(?: (?:and )?(?:by|nc|nd|sa))*)\b"
    r"(?:(?=[ a-z]*?(?P<version>\d+\.\d+)))?"
)
#: What forbids, whatever else a text says.
_RESERVED: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"\bfair ?use\b|\bfair dealing\b|\bnon ?free\b|\bunfree\b"),
        NON_FREE,
    ),
    (
        re.compile(
            r"\ball rights reserved\b|\bproprietary\b"
            r"|\brightsstatements\.org/\S*/inc\b"
        ),
        ALL_RIGHTS_RESERVED,
    ),
)
#: A work under a licence has a copyright too; without one, all rights are reserved.
_COPYRIGHT = re.compile(
    r"\bcopyrighted\b(?! free)|^(?:©|\(c\)|copyright\b(?! free| holder))"
)
_PUBLIC_DOMAIN = re.compile(
    r"\bpublic ?domain\b|^(?:cc )?pd\b|\btemplate pd\b|publicdomain/mark/"
    r"|\bno known copyright\b|\bcopyright free\b"
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
    # French has the English word for "by"; so its words for the others matter.
    ("pas d.utilisation commerciale", "nc"),
    ("pas de modifications?", "nd"),
    ("partage (?:dans les m[eê]mes conditions|[aà] l.identique)", "sa"),
)
#: What allows nothing, or nothing that could be read; the first is the clearest.
_NOT_GRANTED = (NON_FREE, ALL_RIGHTS_RESERVED, OTHER)
_UNKNOWN = frozenset({"", "unknown", "none", "n/a", "?"})
_ORDER = ("by", "nc", "nd", "sa")
_NARROW = "(?:academic|educational|personal|private|research)"
#: What is asked of those who use a work, by the words that ask it.
_ASKED = {
    "NC": re.compile(
        r"\bnc\b|\bnon ?commercial|\b(?:no|not for) commercial"
        r"|\bcommercial (?:use|usage) (?:is )?(?:not|forbidden|prohibited)"
        rf"|\b{_NARROW} (?:use|purposes?) only\b|\bonly for {_NARROW}\b"
        r"|\bd.utilisation commerciale\b|\bnicht ?kommerziell|\bn[aã]?o ?comercia"
        r"|\bniet ?commercieel|\bniekomercyjn"
    ),
    "ND": re.compile(
        r"\bnd\b|\bno ?deriv|\bno (?:change|edit|modification)s?\b"
        r"|\bpas de modification|\bkeine ?bearbeitung|\bs(?:in|em) ?(?:obra ?)?deriva"
        r"|\bnon opere derivate\b|\bgeen ?afgeleide"
    ),
    "SA": re.compile(
        r"\bsa\b|\bshare ?alike\b|\bpartage (?:dans les m[eê]mes|[aà] l.identique)"
        r"|\bgleichen bedingungen\b|\bcompart(?:ir|ilha) ?igual|\bgelijk ?delen\b"
        r"|\bcondividi allo stesso modo\b"
    ),
}
#: "PD-US-not renewed" is a template of Wikimedia Commons.
_DENIED = re.compile(
    r"\b(?:not(?! (?:needed|renewed|required))|no longer|never|cannot|is ?n.?t"
    r"|formerly|revoked|until|excluding|except(?! (?:as|if|when|where)))\b"
)
_CLAUSES = re.compile(r"[,;()\n]|\.(?:\s|$)| - ")
_DASHES = re.compile("[\N{HYPHEN}-\N{HORIZONTAL BAR}\N{MINUS SIGN}]")
#: The operators of SPDX expressions.
_OR, _AND = re.compile(r"\s+OR\s+"), re.compile(r"\s+AND\s+")


@lru_cache(4096)
def licence_family(name: str | None, url: str | None = None) -> str:
    """Return the normalised name of a licence.

    It never allows more than what the source writes: of several licences in one text
    it is the one that asks for all that the others ask for. A text that takes back or
    restricts what it names, or names licences that ask for different things, is
    `OTHER`. Of alternatives (``OR`` in an SPDX expression) it is the one that asks for
    least.

    Args:
        name: as the source writes it.
        url: of the licence's text, if the source gives one; where it asks for more than
            the name, it is the licence.

    >>> licence_family("Creative Commons Attribution-Share Alike 4.0")
    'CC-BY-SA-4.0'
    >>> licence_family("PD-old"), licence_family("Fair use"), licence_family(None)
    ('public-domain', 'non-free', 'unknown')
    >>> licence_family("CC-BY-4.0 AND CC-BY-NC-4.0"), licence_family("not CC0")
    ('CC-BY-NC-4.0', 'other')
    """
    stated = [text for text in (name or "", url or "") if not _is_unknown(text)]
    if not stated:
        return UNKNOWN
    read = {text: _read(text) for text in stated}
    found = _strictest([each for each in read.values() if each]) or OTHER
    silent = [text for text, each in read.items() if each is None]
    return _restricted(found, " ".join(silent))


def is_allowed(
    patterns: Collection[str], name: str | None, url: str | None = None
) -> bool:
    """Return whether a licence matches one of the patterns; without patterns, any does.

    A pattern is a glob. It is compared with the normalised name of the licence, with
    that name without its version, and with the licence as written, unless its URL says
    otherwise or the text takes back what it names, ignoring case and punctuation.

    >>> is_allowed(["CC BY*"], "Creative Commons Attribution-ShareAlike 4.0")
    True
    >>> is_allowed(["cc0", "public domain"], "CC BY-NC 2.0")
    False
    """
    if not patterns:
        return True
    family = licence_family(name, url)
    plain = _plain(family)
    worded = {plain, re.sub(r" \d+\.\d+$", "", plain)}
    text = name or UNKNOWN
    taken_back = family in _NOT_GRANTED and any(_granted(_cleaned(text)))
    if licence_family(name) == family and not taken_back:
        worded.add(_plain(text))
    return any(
        fnmatch.fnmatchcase(each, _plain(pattern))
        for pattern in patterns
        for each in worded
    )


def _is_unknown(text: str) -> bool:
    return text.strip().lower() in _UNKNOWN


def _read(text: str) -> str | None:
    """Return the family of a text or an SPDX expression; None if it names none."""
    alternatives = _OR.split(text)
    if len(alternatives) == 1 or _AND.search(text):
        return _read_all(_AND.split(text))
    found = [each for each in map(_read_one, alternatives) if each]
    granted = [each for each in found if each not in _NOT_GRANTED]
    least = min(granted, key=lambda each: len(_terms(each)), default=None)
    return least or _strictest(found)


def _read_all(parts: Sequence[str]) -> str | None:
    """Return what is stated if all parts apply."""
    found = [_read_one(part) for part in parts]
    if len(parts) > 1:
        return _strictest([each or OTHER for each in found])
    return found[0]


def _read_one(text: str) -> str | None:
    found = _named(text)
    return _restricted(found, text) if found else None


def _named(text: str) -> str | None:
    """Return the family of the licence that a text names."""
    lowered = _cleaned(text)
    plain = _shortened(_plain(lowered))
    for words, name in _RESERVED:
        if words.search(plain) or words.search(lowered):
            return name
    for clause in _CLAUSES.split(lowered):
        if _DENIED.search(clause) and any(_granted(clause)):
            return OTHER
    found = list(_granted(lowered))
    if _COPYRIGHT.search(plain) or _COPYRIGHT.search(lowered):
        # Words for the public domain may speak of one country.
        found = [each for each in found if each != PUBLIC_DOMAIN]
        return _strictest(found) or ALL_RIGHTS_RESERVED
    return _strictest(found)


def _granted(lowered: str) -> Iterator[str]:
    """Yield the family of each licence that a text names."""
    plain = _shortened(_plain(lowered))
    for url in _CC_URL.finditer(lowered):
        yield _creative_commons(url[1].split("-"), url[2])
    if _CC_ZERO.search(plain) or _CC_ZERO.search(lowered):
        yield "CC0-1.0"
    for named in _CC_NAME.finditer(plain):
        yield _creative_commons(named["parts"].split(), named["version"])
    for gnu in _GNU.finditer(plain):
        short = (gnu["name"] or "").upper() or _GNU_LONG[gnu["long"]]
        yield f"{short}-{gnu['version']}" if gnu["version"] else short
    if _PUBLIC_DOMAIN.search(plain) or _PUBLIC_DOMAIN.search(lowered):
        yield PUBLIC_DOMAIN


def _creative_commons(parts: Collection[str], version: str | None) -> str:
    known = [part.upper() for part in _ORDER if part in parts]
    if not known:
        return OTHER
    return "-".join(["CC", *known, *([version] if version else [])])


def _strictest(families: Sequence[str]) -> str | None:
    """Return the first that asks for all that the others ask for, else `OTHER`.

    None if there are none.
    """
    if not families:
        return None
    for each in _NOT_GRANTED:
        if each in families:
            return each
    wanted = frozenset[str]().union(*map(_terms, families))
    return next((each for each in families if _terms(each) == wanted), OTHER)


def _terms(family: str) -> frozenset[str]:
    """What a licence asks for, in the terms of Creative Commons."""
    if family.startswith("CC-"):
        return frozenset(family.split("-")[1:]) & {"BY", "NC", "ND", "SA"}
    gnu = ("GFDL", "GPL", "LGPL", "AGPL")
    return frozenset({"BY", "SA"} if family.startswith(gnu) else ())


def _restricted(family: str, text: str) -> str:
    """Return `OTHER` if a text asks for what the licence does not, else the licence."""
    if family in _NOT_GRANTED:
        return family
    plain, terms = _plain(text), _terms(family)
    more = [term for term, words in _ASKED.items() if words.search(plain)]
    return family if terms.issuperset(more) else OTHER


def _cleaned(text: str) -> str:
    """Return text in lower case, with plain hyphens and no invisible characters."""
    composed = unicodedata.normalize("NFKC", text)
    seen = (each for each in composed if unicodedata.category(each) != "Cf")
    return _DASHES.sub("-", "".join(seen)).strip().lower()


def _plain(text: str) -> str:
    """Convert to lower case, with one space between words."""
    return re.sub(r"[\s_,;:()/+&-]+", " ", _cleaned(text)).strip()


def _shortened(text: str) -> str:
    """Replace the long terms of Creative Commons by their abbreviations."""
    if not re.search(r"\bcc\b|creative commons", text):
        return text
    for long, short in _LONG_PARTS:
        text = re.sub(rf"\b{long}\b", short, text)
    return text
