"""Text from outside, in a form that files, terminals and databases take."""

from __future__ import annotations


def as_utf8(text: str) -> str:
    r"""Return a text with a question mark for each half of a surrogate pair.

    File names and JSON can hold them; UTF-8 cannot.

    >>> as_utf8("a\ud800b")
    'a?b'
    """
    return text.encode("utf-8", errors="replace").decode("utf-8")
