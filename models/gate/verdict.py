"""What a measured difference means: promoted, worse, or too little to tell."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from icf.models.cards import ModelCard
from icf.models.gate.bootstrap import Difference
from icf.models.gate.report import GateReport, bounds, rounded
from icf.models.registry.tasks import Task
from icf.workspace import Workspace

_SET_ASIDE = (
    "`icf round run` sets characters and pictures aside, more of them where they were "
    "too few and others were found since, and has them asked about; for detectors, "
    "`icf model set-aside` takes pictures whose boxes people verified"
)


@dataclass(frozen=True)
class Pair:
    """Two models of a task: the files of their weights, and their cards."""

    champion: Path
    challenger: Path
    cards: tuple[ModelCard, ModelCard]


def blank(
    workspace: Workspace, task: Task, pair: Pair, figure: str, audit: str
) -> GateReport:
    """Start a report: nothing is measured, and the challenger not promoted."""
    settings = workspace.settings.gate
    champion, challenger = (card.sha256 for card in pair.cards)
    return GateReport(
        task=task,
        champion=champion,
        challenger=challenger,
        promoted=False,
        figure=figure,
        margin=settings.margin,
        confidence=settings.confidence,
        audit=audit,
    )


def judged(report: GateReport, found: Difference, of: str) -> GateReport:
    """Enter a difference, and whether it is large enough.

    Args:
        report: so far.
        found: challenger less champion.
        of: what is drawn, for people: ``audit characters``.
    """
    passed = found.low > -report.margin
    reasons: tuple[str, ...] = ()
    if not passed and found.high < 0:
        reasons = (
            f"it is worse: {report.figure} changes by {found.value:+.4f}, at most "
            f"{found.high:+.4f}",
        )
    elif not passed:
        reasons = (
            f"it may be worse by more than gate.margin, {report.margin:g}: "
            f"{report.figure} changes by {found.value:+.4f}, and it may be as little "
            f"as {found.low:+.4f}; {_more(report, found, of)}",
        )
    return replace(
        report,
        promoted=passed,
        difference=rounded(found.value),
        interval=bounds(found),
        smallest_visible=rounded(found.visible),
        reasons=reasons,
    )


def _more(report: GateReport, found: Difference, of: str) -> str:
    """How much larger the set would have to be to see a loss of the margin."""
    needed = found.clusters * (found.visible / report.margin) ** 2
    if not math.isfinite(needed) or needed <= found.clusters:
        return "train it further, or with other data"
    return (
        f"with {found.clusters:,} {of} a loss of {found.visible:.4f} is the smallest "
        f"that shows; about {needed:,.0f} would show one of {report.margin:g}"
    )


def too_small(reasons: Sequence[str]) -> tuple[str, ...]:
    """Say that an audit set cannot tell, what it lacks, and where more comes from."""
    return (f"the audit set is too small to tell: {'; '.join(reasons)}. {_SET_ASIDE}",)


def fingerprint(workspace: Workspace, audit: object) -> str:
    """A hash of an audit set, as JSON has it, and of the settings that matter."""
    used = workspace.settings.gate.model_dump(mode="json")
    text = json.dumps([audit, used, workspace.settings.filter.runtime])
    return hashlib.sha256(text.encode()).hexdigest()
