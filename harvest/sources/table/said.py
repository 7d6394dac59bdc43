"""What the rows of a list said before of the rights of a URL: the first one counts."""

from __future__ import annotations

from icf.harvest.attributes.licence import UNKNOWN, Licence
from icf.harvest.fault import Fault
from icf.harvest.http.urls import normalise
from icf.harvest.sources.base import Picture


class Said:
    """The licences that the first rows of URLs say."""

    def __init__(self) -> None:
        # By the hashes of URLs, which take a third of their memory.
        self._first: dict[int, Licence] = {}

    def before(self, picture: Picture) -> Licence | None:
        """Return what an earlier row says of this URL; None for its first row."""
        try:
            address = normalise(picture.url).url
        except Fault:
            address = picture.url
        key = hash(address)
        if (said := self._first.get(key)) is None:
            self._first[key] = picture.licence
        return said


def contradicts(row: Licence, earlier: Licence) -> str | None:
    """Say what a row says otherwise than an earlier one; what it leaves empty agrees.

    >>> contradicts(
    ...     Licence("CC0", None, "list", "Jo"), Licence("CC BY", None, "list", "Jo")
    ... )
    "its licence 'CC0' counts for nothing: an earlier row of its URL says 'CC BY'"
    >>> contradicts(UNKNOWN, Licence("CC BY", None, "list", "Jo"))
    """
    for word, mine, first in zip(_CELLS, _cells(row), _cells(earlier), strict=True):
        if mine and mine != first:
            says = repr(first) if first else "nothing"
            return (
                f"its {word} {mine!r} counts for nothing: an earlier row of its URL "
                f"says {says}"
            )
    return None


_CELLS = ("licence", "licence_url", "author")


def _cells(licence: Licence) -> tuple[str, str, str]:
    name = "" if licence.name == UNKNOWN.name else licence.name
    return name, licence.url or "", licence.author or ""
