"""Curves with their intervals as inline SVG, as in figure 6 of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from icf.dataset.report.drawing import charts

#: Size of a drawing, and the room around its plot, in the drawing's units.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 480, 300, 46, 14, 12, 40
#: Most points of a drawn line; more are too near to be seen apart.
_POINTS = 240
_KEY = 18


@dataclass(frozen=True)
class Curve:
    """A line, with an interval around it.

    Attributes:
        label: its name in the key.
        x, y: its points, x ascending.
        low, high: the interval of each y; empty where none is known.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        name: what it counts.
        low, high: its ends.
        ticks: where it has numbers.
    """

    name: str
    low: float
    high: float
    ticks: Sequence[float]


def curves(lines: Sequence[Curve], x: Axis, y: Axis, title: str) -> Markup:
    """Draw lines with their intervals as bands, and a key; empty without any."""
    if not lines:
        return Markup("")
    size = (WIDTH, HEIGHT + _KEY * len(lines))
    parts = _axes(x, y)
    for number, line in enumerate(lines):
        parts += _line(line, min(number, 4), x, y)
        at = HEIGHT + _KEY * number + 8
        parts.append(
            f'<line class="curve c{min(number, 4)}" x1="{LEFT}" x2="{LEFT + 26}" '
            f'y1="{at - 4}" y2="{at - 4}"/>'
            f'<text x="{LEFT + 34}" y="{at}">{escape(line.label)}</text>'
        )
    return charts.svg("".join(parts), title, size)


def percent_axis(name: str, lowest: float = 0.0) -> Axis:
    """An axis of percents, from below the lowest value to 100.

    >>> percent_axis("% of pairs", 83.2).ticks
    (80, 85, 90, 95, 100)
    """
    low = next(each for each in (90, 80, 60, 40, 20, 0) if each <= max(lowest, 0))
    step = {90: 2, 80: 5, 60: 10}.get(low, 20)
    return Axis(name, low, 100, tuple(range(low, 101, step)))


def _axes(x: Axis, y: Axis) -> list[str]:
    parts = []
    for tick in y.ticks:
        at = _y(tick, y)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" '
            f'y2="{at:.1f}"/><text x="{LEFT - 7}" y="{at + 4:.1f}" '
            f'text-anchor="end">{tick:g}</text>'
        )
    for tick in x.ticks:
        parts.append(
            f'<text x="{_x(tick, x):.1f}" y="{HEIGHT - BOTTOM + 18}" '
            f'text-anchor="middle">{tick:g}</text>'
        )
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    parts.append(
        f'<text x="{middle:.1f}" y="{HEIGHT - BOTTOM + 34}" text-anchor="middle">'
        f"{escape(x.name)}</text>"
    )
    return parts


def _line(line: Curve, colour: int, x: Axis, y: Axis) -> list[str]:
    step = max(1, -(-len(line.x) // _POINTS))
    places = [*range(0, len(line.x), step)]
    if places and places[-1] != len(line.x) - 1:
        places.append(len(line.x) - 1)

    def points(values: Sequence[float], order: Sequence[int]) -> str:
        return " ".join(
            f"{_x(line.x[at], x):.1f},{_y(values[at], y):.1f}" for at in order
        )

    parts = []
    if line.low and line.high:
        around = f"{points(line.high, places)} {points(line.low, places[::-1])}"
        parts.append(f'<polygon class="band f{colour}" points="{around}"/>')
    parts.append(
        f'<polyline class="curve c{colour}" points="{points(line.y, places)}"/>'
    )
    return parts


def _x(value: float, axis: Axis) -> float:
    share = (value - axis.low) / ((axis.high - axis.low) or 1)
    return LEFT + (WIDTH - LEFT - RIGHT) * min(max(share, 0.0), 1.0)


def _y(value: float, axis: Axis) -> float:
    share = (value - axis.low) / ((axis.high - axis.low) or 1)
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - min(max(share, 0.0), 1.0))
