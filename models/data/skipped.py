"""What readers left out, counted by reason, with a few examples of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from icf.models.data.base import Skipped

_EXAMPLES = 3


@dataclass(frozen=True)
class SkippedFor:
    """What one source left out for one reason.

    Attributes:
        source: the reader's name.
        reason: a sentence's end.
        count: how many.
        examples: where the first ones are.
    """

    source: str
    reason: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        """Return a line for people."""
        more = ", ..." if self.count > len(self.examples) else ""
        shown = ", ".join(self.examples)
        return f"{self.source}: left out {self.count}: {self.reason} ({shown}{more})"


@dataclass
class SkippedCounts:
    """Counts what is left out, while it is read."""

    _counts: dict[tuple[str, str], int] = field(default_factory=dict)
    _examples: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def add(self, source: str, skipped: Skipped) -> None:
        """Count one."""
        key = source, skipped.reason
        self._counts[key] = self._counts.get(key, 0) + 1
        examples = self._examples.setdefault(key, [])
        if len(examples) < _EXAMPLES:
            examples.append(skipped.where)

    def __iter__(self) -> Iterator[SkippedFor]:
        """Yield each source and reason, in the order of their first."""
        for (source, reason), count in self._counts.items():
            examples = tuple(self._examples[source, reason])
            yield SkippedFor(source, reason, count, examples)
