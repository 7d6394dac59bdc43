"""The rounds of a data set for the report: what was asked, trained and decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from markupsafe import Markup

from icf.catalogue.rounds.log import Round, read_rounds
from icf.dataset.report.drawing import charts
from icf.dataset.report.drawing.charts import BOTTOM, HEIGHT, LEFT, TOP
from icf.dataset.report.drawing.plot import Plot


@dataclass(frozen=True)
class ShownRound:
    """A round.

    Attributes:
        number: from 1.
        state: what it does next, in words.
        asked: questions of its batches.
        left: questions that are not asked after it; None until it is done.
        saved: questions that need not be asked because of it; None likewise.
        trained: the model it trained, or why it trained none; "" before.
        gate: what the gate said; "" before.
        rank1: of the model in use on the audit set, as text; "" where not known.
        error: the share of labels that the machine would get wrong, with its interval.
        calibration: its calibration error, likewise.
    """

    number: int
    state: str
    asked: int
    left: int | None
    saved: int | None
    trained: str
    gate: str
    rank1: str
    error: str
    calibration: str


def read_shown_rounds(connection: sa.Connection) -> list[ShownRound]:
    """Read all rounds, by number."""
    return [_shown(each) for each in read_rounds(connection)]


def rounds_plot(rounds: Sequence[ShownRound]) -> Plot | None:
    """Make the plot of the questions left; None for less than two rounds."""
    drawing = chart(rounds)
    if not drawing:
        return None
    title, note = "Questions left", "questions that are left after each round"
    rows = [(each.number, each.left, each.asked) for each in rounds]
    return Plot("rounds", title, note, drawing, ("round", "left", "asked"), rows)


def chart(rounds: Sequence[ShownRound]) -> Markup:
    """Draw the questions that are left after each round; empty for less than two."""
    known = [(each.number, each.left) for each in rounds if each.left is not None]
    if len(known) < 2:
        return Markup("")
    top, across, down = charts.frame(max(1, *(left for _, left in known)))
    wide = across / len(known)
    parts = []
    for place, (number, left) in enumerate(known):
        x, tall = LEFT + place * wide, max(down * left / top, 1.0 if left else 0.0)
        middle = x + wide / 2
        parts.append(
            f"<g><title>round {number}: {left:,} questions left</title>"
            f'<rect class="fill" x="{x + 0.15 * wide:.1f}" '
            f'y="{TOP + down - tall:.1f}" width="{0.7 * wide:.1f}" '
            f'height="{tall:.1f}"/></g><text x="{middle:.1f}" '
            f'y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{number}</text>'
        )
    parts.append(charts.grid(top, down))
    title = "; ".join(f"round {number}: {left:,} left" for number, left in known)
    return charts.svg("".join(parts), f"Questions left: {title}")


def _shown(each: Round) -> ShownRound:
    summary = each.summary
    after: Mapping[str, Any] = summary.get("after", {})
    training, gate = summary.get("training", {}), summary.get("gate", {})
    return ShownRound(
        each.number,
        each.state.meaning,
        sum(batch["questions"] for batch in summary.get("batches", ())),
        after.get("to_ask"),
        summary.get("changes", {}).get("questions_saved"),
        _trained(training),
        gate.get("reason", ""),
        _rank1(gate),
        _interval(after.get("label_error")),
        _interval(after.get("calibration")),
    )


def _trained(training: Mapping[str, Any]) -> str:
    if "skipped" in training:
        return f"none: {training['skipped']}"
    return str(training.get("model", ""))[:12]


def _rank1(gate: Mapping[str, Any]) -> str:
    used = "challenger" if gate.get("promoted") else "champion"
    value = gate.get("figures", {}).get(used, {}).get("rank1")
    return "" if value is None else f"{value:.1%}"


def _interval(found: Mapping[str, float] | None) -> str:
    if found is None:
        return ""
    return f"{found['value']:.1%} ({found['low']:.1%} to {found['high']:.1%})"
