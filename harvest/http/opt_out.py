"""Read ``X-Robots-Tag``: does the site opt out of the use of this picture?"""

from __future__ import annotations

from collections.abc import Iterable

#: Directives that opt out.
OPT_OUTS = frozenset({"noai", "noimageai", "noml", "noindex", "noimageindex", "none"})

#: Directives with a value; the name before the colon is not a robot.
_WITH_VALUE = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)


def opted_out(headers: Iterable[str], robot: str = "icf") -> str | None:
    """Return the directive that opts out, or None.

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
            directive = name.strip()
            if colon and directive not in _WITH_VALUE:
                addressee, directive = directive, rest.strip()
            elif colon:
                continue
            if directive in OPT_OUTS and addressee in (None, "*", robot):
                return directive
    return None
