"""Read ``X-Robots-Tag``: does the site ask that this picture be left alone?"""

from __future__ import annotations

from collections.abc import Iterable

#: Any of these keeps a picture out.
WORDS = frozenset({"noai", "noimageai", "noml", "noindex", "noimageindex", "none"})

#: Directives that have a value of their own; the word before the colon is no robot.
_WITH_VALUE = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)


def opted_out(headers: Iterable[str], robot: str = "icf") -> str | None:
    """Return the directive that keeps a picture out, or None.

    Args:
        headers: every ``X-Robots-Tag`` value of the response.
        robot: our name; directives addressed to other robots do not count.

    >>> opted_out(["otherbot: noindex, nofollow", "noarchive, NoAI"])
    'noai'
    """
    for header in headers:
        addressee = None
        for part in header.lower().split(","):
            name, colon, rest = part.partition(":")
            word = name.strip()
            if colon and word not in _WITH_VALUE:
                addressee, word = word, rest.strip()
            elif colon:
                continue
            if word in WORDS and addressee in (None, "*", robot):
                return word
    return None
