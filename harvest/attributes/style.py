"""Read the drawing style of an album from text: a tag of a user's own."""

from __future__ import annotations

from icf.names import normal_name

#: A tag; what is longer is prose.
LONGEST = 60


def read_style(text: str) -> str | None:
    """Return a style in the one form in which styles are compared, or None.

    >>> read_style(" Flat  vector"), read_style("flat vector")
    ('flat vector', 'flat vector')
    >>> read_style("") is None, read_style("drawn by hand " * 9) is None
    (True, True)
    """
    style = normal_name(text).casefold()
    return style if 0 < len(style) <= LONGEST else None
