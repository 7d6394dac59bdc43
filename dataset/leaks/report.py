"""The result of a search for leaks.

A *leak* stops a release, a *review* is for people to look at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

#: Findings of a check that are named.
EXAMPLES = 10

LEAK, REVIEW = "leak", "review"


@dataclass(frozen=True)
class Check:
    """One leak check and its result.

    Attributes:
        name: of the check.
        meaning: what it looks for.
        severity: ``"leak"`` stops the release, ``"review"`` does not.
        count: number of findings.
        examples: the first findings, as text.
    """

    name: str
    meaning: str
    severity: str
    count: int
    examples: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, name: str, meaning: str, found: Iterable[str], severity: str = LEAK
    ) -> Check:
        """Count findings, and keep the first of them."""
        every = list(found)
        return cls(name, meaning, severity, len(every), tuple(every[:EXAMPLES]))


@dataclass(frozen=True)
class LeakReport:
    """All checks, in a fixed order."""

    checks: tuple[Check, ...] = field(default=())

    @property
    def leaks(self) -> tuple[Check, ...]:
        """The checks that stop the release."""
        return tuple(c for c in self.checks if c.count and c.severity == LEAK)
