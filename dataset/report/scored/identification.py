"""Identification on the last release, as in figure 6 a of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from icf.dataset.report.drawing.curves import Axis, Curve, curves, percent_axis
from icf.dataset.report.drawing.plot import Plot
from icf.dataset.scores.recognition.identification import Identified, identify
from icf.dataset.scores.recognition.match_curve import MatchCurve
from icf.dataset.scores.recognition.test_set import TestSet, open_test
from icf.errors import BadInput
from icf.icartoonface.features import read_features
from icf.icartoonface.release_files import FEATURES

#: The ranks of the paper's tables.
RANKS = (1, 5, 10)
#: Groups of a kind that are listed, those with most pairs first.
GROUPS = 12
#: What the curves of seen and unseen identities are grouped by.
_ROLE = "role"


@dataclass(frozen=True)
class Group:
    """A group of pairs, and the percents of them within rank 1, 5 and 10, as text."""

    kind: str
    name: str
    pairs: int
    identities: int
    percents: Sequence[str]


@dataclass(frozen=True)
class ShownIdentification:
    """The scores of a release's own features.

    Attributes:
        found: the scores.
        plot: the cumulative match curve, with intervals.
        groups: all pairs first, then those of each role, region, size, ...
        unfair: why the score says little of the embedder.
    """

    found: Identified
    plot: Plot
    groups: Sequence[Group]
    unfair: str | None


def read_identification(release: Path) -> ShownIdentification | None:
    """Score the features in a release; None where its files are missing."""
    try:
        test = open_test(None, release)
        root = test.root or release
        features = read_features(root / FEATURES, len(test.info.files))
        found = identify(test.info, features, test.groups)
    except BadInput:
        return None
    return shown_identification(found, test)


def shown_identification(found: Identified, test: TestSet) -> ShownIdentification:
    """Make what the page shows of the scores of a test's own features."""
    groups = [_group("all", "", found.curves.all)]
    for kind, made in found.curves.groups.items():
        most = sorted(made.items(), key=lambda each: -each[1].pairs)[:GROUPS]
        shown = {name for name, _ in most}
        groups += [_group(kind, *each) for each in made.items() if each[0] in shown]
    why = test.unfair((test.root or Path()) / FEATURES)
    return ShownIdentification(found, _plot(found), groups, why)


def _group(kind: str, name: str, curve: MatchCurve) -> Group:
    percents = []
    for rank in RANKS:
        percent, bounds = curve.at(rank)
        text = f"{percent:.2f}"
        if bounds.low is not None and bounds.high is not None:
            text += f" ({bounds.low:.1f} to {bounds.high:.1f})"
        percents.append(text)
    return Group(kind, name, curve.pairs, curve.identities, percents)


def _plot(found: Identified) -> Plot:
    """Draw all pairs, and those of identities that are in train and that are not."""
    roles = found.curves.groups.get(_ROLE, {})
    named = {"all pairs": found.curves.all}
    named |= {f"identities {name} in train": curve for name, curve in roles.items()}
    lines = [_line(name, curve) for name, curve in named.items()]
    last = len(found.curves.all.percent)
    lowest = min(min([*line.y, *line.low]) for line in lines)
    ticks = [each for each in (1, 5, 10, 20, 30, 40, 50) if each <= last]
    drawing = curves(
        lines,
        Axis("rank", 1, max(2, last), ticks),
        percent_axis("% of pairs", lowest),
        "; ".join(f"{line.label}: {line.y[0]:.1f}% within rank 1" for line in lines),
    )
    rows = [
        (line.label, rank, round(line.y[rank - 1], 4), *_ends(line, rank - 1))
        for line in lines
        for rank in range(1, len(line.y) + 1)
    ]
    return Plot(
        "cmc",
        "Cumulative match curve",
        "percent of pairs within each rank; bands are 95% intervals, by identity",
        drawing,
        ("curve", "rank", "percent", "low", "high"),
        rows,
    )


def _line(name: str, curve: MatchCurve) -> Curve:
    lows = [each.low for each in curve.bounds if each.low is not None]
    highs = [each.high for each in curve.bounds if each.high is not None]
    ranks = list(range(1, len(curve.percent) + 1))
    if len(lows) < len(ranks) or len(highs) < len(ranks):
        lows, highs = [], []
    return Curve(name, ranks, curve.percent, lows, highs)


def _ends(line: Curve, at: int) -> tuple[float | None, float | None]:
    if not line.low:
        return None, None
    return round(line.low[at], 4), round(line.high[at], 4)
