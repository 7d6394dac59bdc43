"""Compare the figures and tables of a text with those that a release gives.

Another version may have put it in other words: sentences that are not known are passed
over, and those that differ in their figures alone are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FIGURE = re.compile(r"\d[\d.,]*")
#: A row of a table; that under its head has no words.
_ROW, _RULE = "|", re.compile(r"[|: -]+")


def differing_figures(found: str, meant: str, *, tables: bool) -> Iterator[str]:
    """Yield what is wrong with a text, as the words of a fault.

    Args:
        found: the text.
        meant: the same, as this version writes it.
        tables: whether its tables have these rows and no others, as where this version
            wrote it.

    >>> list(differing_figures("Of 7 faces, 12.", "Of 7 faces, 13.", tables=True))
    ["line 1: says 'Of 7 faces, 12.', and not 'Of 7 faces, 13.'"]
    >>> list(differing_figures("Of seven.", "Of 7.", tables=True))
    []
    >>> list(differing_figures("|a|", "|b|", tables=True))
    ["line 1: has the row '|a|', which nothing gives", "has no row '|b|'"]
    """
    lines = meant.splitlines()
    known = set(lines)
    form = _form if tables else _plain
    forms = {form(line): line for line in reversed(lines)}
    rows = {line for line in lines if tables and line.startswith(_ROW)}
    for number, line in enumerate(found.splitlines(), 1):
        rows.discard(line)
        if line in known or (like := forms.get(form(line))) is None:
            continue
        if tables and line.startswith(_ROW):
            yield f"line {number}: has the row {line!r}, which nothing gives"
        else:
            yield f"line {number}: says {line!r}, and not {like!r}"
    for line in sorted(rows):
        yield f"has no row {line!r}"


def _form(line: str) -> str:
    """A line without its figures; of a row of a table its number of cells."""
    if not line.startswith(_ROW) or _RULE.fullmatch(line):
        return _plain(line)
    return _ROW * line.replace(rf"\{_ROW}", "").count(_ROW)


def _plain(line: str) -> str:
    return _FIGURE.sub("#", line)
