"""What readers left out, counted by reason, with a few examples of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
        shown = f" ({', '.join(self.examples)}{more})" if self.examples else ""
        return f"{self.source}: left out {self.count:,}: {self.reason}{shown}"


class SkippedCounts:
    """Counts what is left out, while it is read.

    Args:
        before: what was left out already.
    """

    def __init__(self, before: Iterable[SkippedFor] = ()) -> None:
        self._found: dict[tuple[str, str], SkippedFor] = {
            (each.source, each.reason): each for each in before
        }

    def add(self, source: str, skipped: Skipped) -> None:
        """Count one, or as many as it says."""
        key = source, skipped.reason
        before = self._found.get(key) or SkippedFor(*key, 0, ())
        examples = before.examples
        if skipped.where and len(examples) < _EXAMPLES:
            examples = (*examples, skipped.where)
        self._found[key] = SkippedFor(*key, before.count + skipped.count, examples)

    def __iter__(self) -> Iterator[SkippedFor]:
        """Yield each source and reason, in the order of their first."""
        yield from self._found.values()
