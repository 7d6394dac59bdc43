"""What a comparison found: the verdict, the figures, and the reasons."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from icf.models.gate.bootstrap import Difference
from icf.models.registry.tasks import Task

#: Digits of figures.
_DIGITS = 4


@dataclass(frozen=True)
class Floor:
    """One group of what was compared: an album, or faces of one size.

    Attributes:
        group: which, such as ``album Moon Cats`` or ``faces under 128 px``.
        clusters: how many identities or pictures it has.
        difference: of the figure, challenger less champion.
        interval: its one-sided bounds.
        floor: the loss that it may not have.
        held: False: it is shown to lose more; None: too small to be judged.
    """

    group: str
    clusters: int
    difference: float
    interval: tuple[float | None, float | None]
    floor: float
    held: bool | None


@dataclass(frozen=True)
class GateReport:
    """A comparison of a challenger with the champion.

    Attributes:
        task: of both.
        champion, challenger: their SHA-256.
        promoted: the challenger may take the champion's place.
        usable: False: its file is damaged or gives nonsense, so that it must not be
            used whatever anybody says.
        figure: what the difference is of.
        difference: challenger less champion; None: it was not measured.
        interval: its one-sided bounds, each with ``confidence``; None: no bound.
        margin: the loss that is allowed.
        confidence: of each bound.
        smallest_visible: the smallest loss that such an audit set shows, with a chance
            of 80%.
        floors: albums and sizes.
        reasons: why it is refused; empty where it is promoted.
        notes: what else a person should know.
        compared: how much was compared: identities, faces, pictures.
        figures: of the champion and of the challenger.
        audit: a hash of all that the comparison depends on but the models.
    """

    task: Task
    champion: str
    challenger: str
    promoted: bool
    figure: str
    margin: float
    confidence: float
    difference: float | None = None
    interval: tuple[float | None, float | None] | None = None
    smallest_visible: float | None = None
    floors: tuple[Floor, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    compared: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    audit: str = ""
    usable: bool = True

    def refused(self, reasons: Iterable[str]) -> GateReport:
        """The same with more reasons to refuse the challenger, if there are any."""
        every = (*self.reasons, *reasons)
        return dataclasses.replace(
            self, reasons=every, promoted=self.promoted and not every
        )

    def to_json(self) -> str:
        """The report as the table ``gate`` stores it."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> GateReport:
        """Read a stored report."""
        fields: dict[str, Any] = json.loads(text)
        pair = fields["interval"]
        fields["interval"] = None if pair is None else tuple(pair)
        fields["floors"] = tuple(
            Floor(**{**each, "interval": tuple(each["interval"])})
            for each in fields["floors"]
        )
        for name in ("reasons", "notes"):
            fields[name] = tuple(fields[name])
        return cls(**fields)

    def text(self) -> str:
        """The report for people, a line for each fact."""
        return "\n".join(_lines(self))


def bounds(found: Difference) -> tuple[float | None, float | None]:
    """The bounds of a difference; None: there is none."""
    return rounded(found.low), rounded(found.high)


def rounded(value: float) -> float | None:
    """A figure with few digits; None where it is not finite."""
    return round(value, _DIGITS) if math.isfinite(value) else None


def _lines(report: GateReport) -> list[str]:
    verdict = "may be promoted" if report.promoted else "is refused"
    lines = [
        f"the challenger {report.challenger[:12]} {verdict}; "
        f"the champion {report.task} is {report.champion[:12]}"
    ]
    lines += [f"refused: {reason}" for reason in report.reasons]
    if report.compared:
        counted = ", ".join(f"{n:,} {what}" for what, n in report.compared.items())
        lines.append(f"compared on {counted}")
    for whose, figures in report.figures.items():
        shown = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        lines.append(f"{whose}: {shown}")
    if report.difference is not None and report.interval is not None:
        low, high = report.interval
        lines.append(
            f"{report.figure}: {report.difference:+.4f}, with {report.confidence:.0%} "
            f"confidence over {_signed(low)} and under {_signed(high)}; over "
            f"{-report.margin:+g} is needed"
        )
    if report.smallest_visible is not None:
        lines.append(
            "the smallest loss that this audit set shows four times in five: "
            f"{report.smallest_visible:.4f}"
        )
    lines += [_floor_line(each) for each in report.floors if each.held is not None]
    if small := sum(each.held is None for each in report.floors):
        lines.append(f"{small:,} albums and sizes have too little to be judged alone")
    return [*lines, *report.notes]


def _floor_line(each: Floor) -> str:
    verdict = "held" if each.held else f"loses more than {each.floor:g}"
    return (
        f"{each.group}: {each.difference:+.4f}, at most {_signed(each.interval[1])}: "
        f"{verdict}"
    )


def _signed(bound: float | None) -> str:
    return "no bound" if bound is None else f"{bound:+.4f}"
