"""The rank that a list of cartoons states."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)|\d+")
#: A point or a space sets thousands apart where nothing else is said: "2 101
#: Dalmatians" is the second of a list.
_ALONE = re.compile(r"\W*(\d{1,3}(?:[.\s]\d{3})+)\W*")
_MOST_DIGITS = 9


def read_rank(text: str) -> int | None:
    """Return the first whole number of a text; None where it is too large for a rank.

    >>> read_rank("#1,234"), read_rank("7. Luna"), read_rank("12345678901")
    (1234, 7, None)
    """
    found = _ALONE.fullmatch(text) or _NUMBER.search(text)
    digits = "".join(filter(str.isdigit, found.group())) if found else ""
    return int(digits) if 0 < len(digits) <= _MOST_DIGITS else None
