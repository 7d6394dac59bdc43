"""What a format is given to check its files by, and what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from icf.dataset.contents import Contents

if TYPE_CHECKING:
    from icf.dataset.rights.trail import Trail


@dataclass(frozen=True, order=True)
class Fault:
    """Something in a release that is not as it was written.

    Attributes:
        file: relative to the folder; a folder, where all of it is meant.
        what: is wrong with it.
    """

    file: str
    what: str

    def __str__(self) -> str:
        """Return a line for people."""
        return f"{self.file}: {self.what}"


#: No picture has so many times the sides of a face.
_MOST_RATE = 1e6

#: What a check may stumble over where somebody wrote what no check expects.
UNEXPECTED = (
    *(ArithmeticError, AttributeError, LookupError),
    *(RecursionError, TypeError, ValueError),
)

#: The same words, wherever it is found out, so that it is said once.
MISSING = "is missing"


@dataclass(frozen=True, eq=False)
class ReleaseFiles:
    """The files of one format of a release.

    Attributes:
        folder: that the format's writer wrote into.
        contents: everything that is in a part.
        hashes: the SHA-256 of every file below the folder, as it is now, by its name.
        summary: the release's ``release.json``.
        root: the release; None: it is not looked at.
        trail: where the release says that its pictures are from; None: it is read
            from `root` where a check asks for it.
    """

    folder: Path
    contents: Contents
    hashes: Mapping[str, str]
    summary: Mapping[str, Any]
    root: Path | None = None
    trail: Trail | None = None

    @property
    def rate(self) -> float | None:
        """How far boxes are enlarged where faces are cut out; None: nobody knows."""
        return rate_of(self.summary)

    @property
    def crops(self) -> bool:
        """Whether faces are cut out, so that their files have hashes of their own."""
        return "crops" in self.summary.get("settings", {})


def rate_of(summary: Mapping[str, Any]) -> float | None:
    """Read how far ``release.json`` says that boxes are enlarged; None: no number."""
    rate = summary.get("settings", {}).get("crops", {}).get("rate")
    is_one = isinstance(rate, int | float) and not isinstance(rate, bool)
    return float(rate) if is_one and 0 <= rate < _MOST_RATE else None


@runtime_checkable
class Checker(Protocol):
    """A `ReleaseWriter` that can check what it wrote; it need not be able to."""

    def verify(self, files: ReleaseFiles) -> Iterable[Fault]:
        """Yield whatever is not as `write` makes it from the same contents.

        Args:
            files: of this format; names of faults are relative to their folder.
        """
        ...
