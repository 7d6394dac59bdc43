"""SPDX licence identifiers of what sources state.

The source of the identifiers is the SPDX licence list (https://spdx.org/licenses/), and
of expressions the SPDX specification, annex "SPDX license expressions".
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from icf.licence_names import (
    ALL_RIGHTS_RESERVED,
    NON_FREE,
    OTHER,
    PUBLIC_DOMAIN,
    UNKNOWN,
    licence_family,
)

#: Nobody states a licence.
NOASSERTION = "NOASSERTION"

#: What every identifier begins with that is not on the SPDX list.
LOCAL = "LicenseRef-"

_CC_PARTS = ("BY", "BY-SA", "BY-NC", "BY-ND", "BY-NC-SA", "BY-NC-ND")
_CC_VERSIONS = ("1.0", "2.0", "2.5", "3.0", "4.0")
_LISTED = frozenset(
    ["CC0-1.0", "CC-SA-1.0"]
    + [f"CC-{parts}-{version}" for parts in _CC_PARTS for version in _CC_VERSIONS]
)
_GNU = {
    "GFDL": ("1.1", "1.2", "1.3"),
    "GPL": ("1.0", "2.0", "3.0"),
    "LGPL": ("2.0", "2.1", "3.0"),
    "AGPL": ("1.0", "3.0"),
}
_MARK = re.compile(r"\bcc[ -]pd[ -]?m|\bpd[ -]mark\b|publicdomain/mark/1\.0|\bpdm\b")
_OR_LATER = re.compile(r"\bor[ -](?:any[ -])?(?:later|newer)\b|\d\+")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.]+")
_LONGEST = 60


@lru_cache(4096)
def spdx_id(name: str | None, url: str | None = None) -> str:
    """Return the SPDX identifier of a licence.

    Args:
        name: as the source writes it.
        url: of the licence's text, if the source gives one.

    Returns:
        An identifier of the SPDX list; ``LicenseRef-...`` for what is not on it, or has
        no version; `NOASSERTION` where nobody states a licence.

    >>> spdx_id("Creative Commons Attribution-Share Alike 4.0"), spdx_id("CC BY-SA")
    ('CC-BY-SA-4.0', 'LicenseRef-CC-BY-SA')
    >>> spdx_id("GFDL 1.2 or later"), spdx_id("Public domain"), spdx_id("?")
    ('GFDL-1.2-or-later', 'LicenseRef-public-domain', 'NOASSERTION')
    >>> spdx_id("GPL-3.0-or-later")
    'GPL-3.0-or-later'
    """
    family = licence_family(name, url)
    said = f"{name or ''} {url or ''}".strip()
    if family in _LISTED:
        return family
    if family == UNKNOWN:
        return NOASSERTION
    if family == PUBLIC_DOMAIN and _MARK.search(said.lower()):
        return "CC-PDM-1.0"
    if family in (PUBLIC_DOMAIN, NON_FREE, ALL_RIGHTS_RESERVED):
        return LOCAL + family
    gnu, _, version = family.partition("-")
    if version and version in _GNU.get(gnu, ()):
        later = _OR_LATER.search(said.lower())
        return f"{family}-{'or-later' if later else 'only'}"
    return LOCAL + (_as_id(name or url or "") if family == OTHER else family)


def spdx_url(identifier: str) -> str | None:
    """The page of an identifier of the SPDX list; None for any other.

    >>> spdx_url("CC0-1.0"), spdx_url("LicenseRef-non-free")
    ('https://spdx.org/licenses/CC0-1.0.html', None)
    """
    if identifier == NOASSERTION or identifier.startswith(LOCAL):
        return None
    return f"https://spdx.org/licenses/{identifier}.html"


def _as_id(text: str) -> str:
    """Make a name of letters, digits, dots and hyphens; others by their hash."""
    short = _NOT_IN_ID.sub("-", text).strip("-.")
    if short and len(short) <= _LONGEST and text.isascii():
        return short
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return "-".join(filter(None, (short[:_LONGEST].strip("-."), digest)))
