"""What is right at a rate of false ones, however a kind of score calls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icf.dataset.cli.evaluate.recognition import interval, pair_of, shares_json

if TYPE_CHECKING:
    from icf.dataset.scores.recognition.bootstrap import Bounds
    from icf.dataset.scores.recognition.group_shares import GroupShare


@dataclass(frozen=True)
class Names:
    """What a kind of score calls things.

    Attributes:
        false: the rate of false ones, as FAR.
        true: the share that is right, as TAR.
        needed: of what a rate needs enough, as impostor pairs.
        grouped: of what shares by group are, as pairs.
        right: the count of right ones in JSON.
        wrong: that of false ones.
    """

    false: str
    true: str
    needed: str
    grouped: str
    right: str
    wrong: str


@dataclass(frozen=True)
class AtRate:
    """A score at one rate; None: what there is does not support the rate.

    Attributes:
        names: of what follows.
        rate: of false ones, that was asked for.
        needed: how much it needs.
        share: right ones.
        bounds: the interval of `share`.
        threshold: a cosine.
        right, wrong: counts.
        groups: `share` by group.
    """

    names: Names
    rate: float
    needed: int
    share: float | None
    bounds: Bounds
    threshold: float | None
    right: int | None
    wrong: int | None
    groups: Mapping[str, Mapping[str, GroupShare]]

    @property
    def title(self) -> str:
        """What the score is called."""
        return f"{self.names.true} at {self.names.false} {self.rate:g}"

    @property
    def refusal(self) -> str | None:
        """Why there is no score; None: there is one."""
        if self.share is not None:
            return None
        return (
            f"no score at {self.names.false} {self.rate:g}: it needs {self.needed:,} "
            f"{self.names.needed}, for 30 errors"
        )

    def figures(self) -> dict[str, Any]:
        """The score itself, for JSON."""
        return {
            self.names.false.lower(): self.rate,
            self.names.true.lower(): self.share,
            "interval": pair_of(self.bounds),
            "threshold": self.threshold,
            self.names.right: self.right,
            self.names.wrong: self.wrong,
        }

    def as_json(self) -> dict[str, Any]:
        """The score with what it needs, its groups, and why there is none."""
        needed = self.names.needed.replace(" ", "_").replace("-", "_")
        share, counted = self.names.true.lower(), self.names.grouped
        made = {
            **self.figures(),
            f"{needed}_needed": self.needed,
            "groups": shares_json(self.groups, share, counted),
        }
        return made if self.refusal is None else {**made, "refused": self.refusal}

    def row(self) -> tuple[str, ...]:
        """A row of the table for people: what, how many, share, interval, threshold."""
        if self.share is None:
            return self.title, "", f"too few {self.names.needed}", "", ""
        return (
            self.title,
            f"{self.right:,}",
            f"{self.share:.2%}",
            interval(self.bounds, 100),
            f"{self.threshold:.4f}",
        )
