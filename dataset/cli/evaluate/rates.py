"""How scores at rates of false ones are shown, however a kind of score calls them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icf.dataset.cli.evaluate.recognition import interval, pair_of, shares_json

if TYPE_CHECKING:
    from icf.dataset.scores.recognition.group_shares import AtRate


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

    def refusal(self, score: AtRate) -> str | None:
        """Why there is no score; None: there is one."""
        if score.share is not None:
            return None
        return (
            f"no score at {self.false} {score.rate:g}: it needs {score.needed:,} "
            f"{self.needed}, for 30 errors"
        )

    def figures(self, score: AtRate) -> dict[str, Any]:
        """The score itself, for JSON."""
        return {
            self.false.lower(): score.rate,
            self.true.lower(): score.share,
            "interval": pair_of(score.bounds),
            "threshold": score.threshold,
            self.right: score.right,
            self.wrong: score.wrong,
        }

    def as_json(self, score: AtRate) -> dict[str, Any]:
        """The score with what it needs, its groups, and why there is none."""
        needed = self.needed.replace(" ", "_").replace("-", "_")
        made = {
            **self.figures(score),
            f"{needed}_needed": score.needed,
            "groups": shares_json(score.groups, self.true.lower(), self.grouped),
        }
        refusal = self.refusal(score)
        return made if refusal is None else {**made, "refused": refusal}

    def row(self, score: AtRate) -> tuple[str, ...]:
        """A row of the table for people: what, how many, share, interval, threshold."""
        title = f"{self.true} at {self.false} {score.rate:g}"
        if score.share is None:
            return title, "", f"too few {self.needed}", "", ""
        return (
            title,
            f"{score.right:,}",
            f"{score.share:.2%}",
            interval(score.bounds, 100),
            f"{score.threshold:.4f}",
        )
