"""What the people of an answer file are called in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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

    Raises:
        WrongUse: the name of the server is empty or has a colon.
    """

    names: Mapping[str, str]
    default: str | None = None
    server: str | None = None

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
        """
        if not isinstance(row, AnswerRow):
            return row
        written = normal_name(row.annotator or self.default or "")
        origin = self._origin(row)
        found = origin if origin and row.annotator == row.origin else written
        name = self._normal_names.get(found) or self._normal_names.get(written)
        if name is None:
            name = behind(written) if origin is None else remembered(origin)
        return replace(row, annotator=name or found, origin=origin)

    def _origin(self, row: AnswerRow) -> str | None:
        """Who it was, as the tool says; of this server, if it has a name."""
        if row.origin is None or self.server is None:
            return row.origin
        tool, _, user = row.origin.partition(":")
        return f"{tool}:{normal_name(self.server)}:{user}"

    @cached_property
    def _normal_names(self) -> dict[str, str]:
        return {normal_name(a): normal_name(b) for a, b in self.names.items()}
