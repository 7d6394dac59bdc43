"""Curves as an SVG picture, for the documentation."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

_COLOURS = ("#1f6f8b", "#e07a1f", "#888888")
_DASHES = ("", "6 3", "2 3")
_WIDTH, _HEIGHT, _ACROSS = 340, 250, 2
_LEFT, _TOP, _RIGHT, _BOTTOM = 48, 34, 14, 66


@dataclass(frozen=True)
class Curve:
    """Values at the panel's places."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Panel:
    """Some curves over the same places.

    Attributes:
        title: what is along the horizontal axis.
        unit: of the values.
        places: their names, evenly spaced.
        curves: at most three.
        most: the end of the vertical axis, which begins at 0.
    """

    title: str
    unit: str
    places: Sequence[str]
    curves: Sequence[Curve]
    most: float


def write_panels(path: Path, panels: Sequence[Panel]) -> None:
    """Write panels, two in a row."""
    rows = -(-len(panels) // _ACROSS)
    width, height = _ACROSS * _WIDTH, rows * _HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number, panel in enumerate(panels):
        x, y = number % _ACROSS * _WIDTH, number // _ACROSS * _HEIGHT
        parts += [f'<g transform="translate({x} {y})">', *_drawn(panel), "</g>"]
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _drawn(panel: Panel) -> list[str]:
    across = (_WIDTH - _LEFT - _RIGHT) / max(1, len(panel.places) - 1)
    down = _HEIGHT - _TOP - _BOTTOM
    parts = [
        f'<text x="{_LEFT}" y="18" font-weight="bold">{escape(panel.title)}</text>',
        f'<text x="{_LEFT - 6}" y="{_TOP - 5}" text-anchor="end">'
        f"{escape(panel.unit)}</text>",
    ]
    for part in range(5):
        value = panel.most * part / 4
        y = _TOP + down * (1 - part / 4)
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="#dddddd"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    for place, name in enumerate(panel.places):
        x = _LEFT + across * place
        parts.append(
            f'<text x="{x:.1f}" y="{_TOP + down + 16}" text-anchor="middle">'
            f"{escape(name)}</text>"
        )
    for number, curve in enumerate(panel.curves):
        style = f'stroke="{_COLOURS[number]}" stroke-dasharray="{_DASHES[number]}"'
        points = " ".join(
            f"{_LEFT + across * place:.1f},"
            f"{_TOP + down * (1 - min(value, panel.most) / panel.most):.1f}"
            for place, value in enumerate(curve.values)
        )
        y = _TOP + down + 32 + 12 * number
        parts.append(
            f'<polyline points="{points}" fill="none" stroke-width="2" {style}/>'
            f'<line x1="{_LEFT}" x2="{_LEFT + 26}" y1="{y - 4}" y2="{y - 4}" '
            f'stroke-width="2" {style}/>'
            f'<text x="{_LEFT + 32}" y="{y}">{escape(curve.name)}</text>'
        )
    return parts
