"""The steps of the chain that a command runs."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from icf.engine.step import Step
from icf.errors import WrongUse


@dataclass(frozen=True)
class Chosen:
    """The steps chosen on a command line; none given means all of them.

    Attributes:
        names: only these.
        first: starting with this one.
        last: up to and including this one.
    """

    names: tuple[str, ...] = ()
    first: str | None = None
    last: str | None = None

    @property
    def words(self) -> list[str]:
        """As options of `icf-filter run`, to be stored with the run."""
        options = [("--step", name) for name in self.names]
        options += [("--from", self.first)] if self.first is not None else []
        options += [("--to", self.last)] if self.last is not None else []
        return [word for option in options for word in option]

    def of(self, steps: Sequence[Step[Any]]) -> list[Step[Any]]:
        """The chosen ones of ``steps``, in the order of the chain.

        Raises:
            WrongUse: no step has such a name, or the choices contradict each other.
        """
        known = [step.name for step in steps]
        if self.names and not (self.first is None and self.last is None):
            raise WrongUse(
                f"--step {self.names[0]} names single steps, --from and --to a range "
                "of the chain; give one or the other"
            )
        for name in self.names:
            place_of(name, known)
        start = place_of(self.first, known) if self.first is not None else 0
        end = len(known) - 1 if self.last is None else place_of(self.last, known)
        if start > end:
            raise WrongUse(
                f"--from {self.first} comes after --to {self.last}, so there is "
                f"nothing between them; the order is {', '.join(known)}; did you mean "
                f"--from {self.last} --to {self.first}?"
            )
        return [
            step
            for step in steps[start : end + 1]
            if not self.names or step.name in self.names
        ]


def place_of(name: str, known: Sequence[str]) -> int:
    """The place of a step in the chain.

    Raises:
        WrongUse: it is not in the chain; the message names the nearest.
    """
    if name in known:
        return known.index(name)
    [near] = difflib.get_close_matches(name, known, 1, cutoff=0)
    raise WrongUse(
        f"no step is called {name!r}; the nearest is {near!r}; there are "
        f"{', '.join(known)}"
    )
