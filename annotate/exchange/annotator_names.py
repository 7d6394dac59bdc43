"""What the people of an answer file are called in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from icf.annotate.answers import AnswerRow, Row
from icf.errors import WrongUse
from icf.names import normal_name


@dataclass(frozen=True)
class AnnotatorNames:
    """The names of annotators in the catalogue.

    Attributes:
        names: new names by name in the file; other names are kept.
        default: annotator of rows without one; None refuses these rows.
        server: what to call the server that a file is from: its users are numbered, and
            so are those of other servers.
        used: those of the names that rows had.

    Raises:
        WrongUse: the name of the server is empty or has a colon.
    """

    names: Mapping[str, str]
    default: str | None = None
    server: str | None = None
    used: set[str] = field(default_factory=set, compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be part of a name."""
        if self.server is not None and not normal_name(self.server).strip(":"):
            raise WrongUse("the name of the server is empty")
        if ":" in (self.server or ""):
            raise WrongUse(f"the name of the server, {self.server!r}, has a colon")

    def rename(
        self,
        row: Row,
        remembered: Callable[[str], str | None] = lambda origin: None,
        behind: Callable[[str], str | None] = lambda pseudonym: None,
    ) -> Row:
        """The row with its annotator's name in the catalogue.

        Args:
            row: as read.
            remembered: from who it was, as the tool says, to the name that this person
                had in earlier imports. A new name counts more.
            behind: from a pseudonym that this workspace gave to whom it gave it.

        The names that were found are in `used`.
        """
        if not isinstance(row, AnswerRow):
            return row
        written = normal_name(row.annotator or self.default or "")
        origin = self._origin(row)
        found = origin if origin and row.annotator == row.origin else written
        key = next((each for each in (found, written) if each in self._by_found), None)
        name = None
        if key is not None:
            self.used.add(key)
            name = self._by_found[key]
        if name is None:
            name = behind(written) if origin is None else remembered(origin)
        return replace(row, annotator=name or found, origin=origin)

    def _origin(self, row: AnswerRow) -> str | None:
        """Who it was, as the tool says; of this server, if it has a name."""
        if row.origin is None or self.server is None:
            return row.origin
        tool, _, user = row.origin.partition(":")
        return f"{tool}:{normal_name(self.server)}:{user}"

    @property
    def unused(self) -> list[str]:
        """The names to be replaced that no row had."""
        return [each for each in self._by_found if each not in self.used]

    @cached_property
    def _by_found(self) -> dict[str, str]:
        return {normal_name(a): normal_name(b) for a, b in self.names.items()}
