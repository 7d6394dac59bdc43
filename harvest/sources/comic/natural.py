"""Natural sort order: "p2" before "p10"."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"([0-9]+)")

Key = tuple[tuple[str, int, str, str], ...]


def natural_key(name: str) -> Key:
    """Return a sort key that puts "p2" before "p10" and keeps folders together.

    >>> sorted(["p10.jpg", "P2.jpg", "p1/z.jpg"], key=natural_key)
    ['p1/z.jpg', 'P2.jpg', 'p10.jpg']
    """
    parts = _NUMBER.split(name.replace("\\", "/").casefold().replace("/", "\x01"))
    texts, numbers = parts[::2], [*parts[1::2], ""]
    key = tuple(
        (text, *_number(digits)) for text, digits in zip(texts, numbers, strict=True)
    )
    return (*key, (name, 0, "", ""))


def _number(digits: str) -> tuple[int, str, str]:
    """Return a key by a number's value; Python reads no more than 4,300 digits."""
    counted = digits.lstrip("0")
    return len(counted), counted, digits
