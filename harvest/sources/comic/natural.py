"""Natural sort order: "p2" before "p10"."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"([0-9]+)")

Key = tuple[tuple[str, int, str], ...]


def natural_key(name: str) -> Key:
    """Return a sort key that puts "p2" before "p10" and keeps folders together.

    >>> sorted(["p10.jpg", "P2.jpg", "p1/z.jpg"], key=natural_key)
    ['p1/z.jpg', 'P2.jpg', 'p10.jpg']
    """
    parts = _NUMBER.split(name.replace("\\", "/").casefold().replace("/", "\x01"))
    texts, numbers = parts[::2], [*parts[1::2], ""]
    key = tuple(
        (text, int(digits or 0), digits)
        for text, digits in zip(texts, numbers, strict=True)
    )
    return (*key, (name, 0, ""))
