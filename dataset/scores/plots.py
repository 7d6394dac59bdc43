"""Curves of scores, each as a drawing of its own (SVG) and as its numbers (CSV)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import escape

from icf.dataset.scores.lines import LINES, document, key, stroke
from icf.spreadsheet import harmless, write_csv
from icf.stores.files import replace_file

#: Of a plot: its size, and the room around its frame.
WIDTH, HEIGHT = 520, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 20, 44, 50
_ACROSS, _DOWN = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

_COLUMNS = ("curve", "x", "y", "low", "high")


@dataclass(frozen=True)
class Line:
    """A curve.

    Attributes:
        name: For the key.
        x, y: Its points, n of each, from left to right.
        low, high: The interval of each y, None where a point has none; empty: no point
            has one.
        dots: Whether its points are shown.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    dots: bool = False


@dataclass(frozen=True)
class Plot:
    """Curves in one frame.

    Attributes:
        title: Above it.
        x, y: What the axes show.
        lines: The curves.
        log_x, log_y: Whether an axis is logarithmic; points at 0 are left out then.
        most: Where the y axis ends.
    """

    title: str
    x: str
    y: str
    lines: Sequence[Line]
    log_x: bool = False
    log_y: bool = False
    most: float = 100.0


def write_plot(folder: Path, stem: str, plot: Plot) -> list[Path]:
    """Write a plot as ``STEM.svg`` and ``STEM.csv``; the folder is made.

    Returns:
        The two files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawing, numbers = folder / f"{stem}.svg", folder / f"{stem}.csv"
    replace_file(drawing, [draw(plot).encode()])
    write_csv(numbers, _COLUMNS, _rows(plot))
    return [drawing, numbers]


def draw(plot: Plot) -> str:
    """Draw a plot as an SVG document."""
    return document(plot.title, WIDTH, HEIGHT, panel(plot))


def panel(plot: Plot) -> str:
    """Draw a plot as SVG elements, in an area of `WIDTH` by `HEIGHT` units."""
    frame = _Frame.around(plot)
    lines = plot.lines
    parts = [f'<text class="title" x="{_LEFT}" y="18">{escape(plot.title)}</text>']
    parts += frame.axes(plot)
    parts += [_band(line, frame, n) for n, line in enumerate(lines) if line.low]
    parts += [_curve(line, frame, n) for n, line in enumerate(lines)]
    if len(lines) > 1:
        names, y = [line.name for line in lines], lines[0].y
        falls = len(y) > 0 and y[0] > y[-1]
        parts.append(key(names, _LEFT, WIDTH - _RIGHT, HEIGHT - _BOTTOM, falls))
    return "".join(parts)


def _rows(plot: Plot) -> Iterator[tuple[object, ...]]:
    for line in plot.lines:
        low = line.low or [None] * len(line.x)
        high = line.high or [None] * len(line.x)
        for x, y, a, b in zip(line.x, line.y, low, high, strict=True):
            ends = ("" if each is None else repr(each) for each in (a, b))
            yield harmless(line.name), repr(x), repr(y), *ends


@dataclass(frozen=True)
class _Axis:
    """One axis: from which to which value, and in which scale."""

    low: float
    high: float
    log: bool

    def share(self, value: float) -> float:
        """Where a value is, from 0 to 1; what is beyond an end is at it."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        if self.log:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            return [10.0**power for power in range(first, last + 1)]
        span = self.high - self.low
        scale = 10.0 ** math.floor(math.log10(span))
        steps = (scale * each for each in (0.1, 0.2, 0.25, 0.5, 1, 2))
        step = next(each for each in steps if span / each <= 6)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [step * n for n in range(first, last + 1)]


@dataclass(frozen=True)
class _Frame:
    """Where points are in the drawing."""

    across: _Axis
    down: _Axis

    @classmethod
    def around(cls, plot: Plot) -> _Frame:
        xs = [x for line in plot.lines for x in line.x]
        ys = [y for line in plot.lines for y in (*line.y, *line.low) if y is not None]
        return cls(_axis(xs, plot.log_x, None), _axis(ys, plot.log_y, plot.most))

    def point(self, x: float, y: float) -> str:
        """Return the coordinates of a point, as SVG has them."""
        left = _LEFT + _ACROSS * self.across.share(x)
        return f"{left:.1f},{_TOP + _DOWN * (1 - self.down.share(y)):.1f}"

    def axes(self, plot: Plot) -> Iterator[str]:
        """Draw grid lines with their numbers, and what the axes show."""
        for value in self.down.ticks():
            y = _TOP + _DOWN * (1 - self.down.share(value))
            yield (
                f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" '
                f'y2="{y:.1f}"/><text x="{_LEFT - 8}" y="{y + 4:.1f}" '
                f'text-anchor="end">{value:g}</text>'
            )
        for value in self.across.ticks():
            x = _LEFT + _ACROSS * self.across.share(value)
            yield (
                f'<text x="{x:.1f}" y="{HEIGHT - _BOTTOM + 18}" '
                f'text-anchor="middle">{value:g}</text>'
            )
        yield (
            f'<text x="{_LEFT + _ACROSS / 2}" y="{HEIGHT - 10}" text-anchor="middle">'
            f'{escape(plot.x)}</text><text x="{_LEFT}" y="36">{escape(plot.y)}</text>'
        )


def _axis(values: Sequence[float], log: bool, most: float | None) -> _Axis:
    """An axis that all values are on."""
    used = [each for each in values if math.isfinite(each) and (each > 0 or not log)]
    low, high = min(used, default=0.1 if log else 0.0), max(used, default=1.0)
    if log:
        end = most or 10.0 ** math.ceil(math.log10(high) - 1e-9)
        start = 10.0 ** math.floor(math.log10(low) + 1e-9)
        return _Axis(min(start, end / 10), end, log=True)
    if most is None:
        return _Axis(low, high if high > low else low + 1, log=False)
    step = most / 10
    return _Axis(min(step * math.floor(low / step), most - step), most, log=False)


def _points(line: Line, ys: Sequence[float | None], frame: _Frame) -> list[str]:
    return [
        frame.point(x, y)
        for x, y in zip(line.x, ys, strict=True)
        if y is not None and (x > 0 or not frame.across.log)
    ]


def _curve(line: Line, frame: _Frame, number: int) -> str:
    points = _points(line, line.y, frame)
    drawn = f'<polyline class="line" {stroke(number)} points="{" ".join(points)}"/>'
    places = sorted(set(points))
    if line.dots or len(places) == 1:  # a line of no length cannot be seen
        colour = LINES[number % len(LINES)][0]
        for x, y in (each.split(",") for each in places):
            drawn += f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>'
    return drawn


def _band(line: Line, frame: _Frame, number: int) -> str:
    around = [*_points(line, line.low, frame), *_points(line, line.high, frame)[::-1]]
    colour = LINES[number % len(LINES)][0]
    return f'<polygon class="band" fill="{colour}" points="{" ".join(around)}"/>'
