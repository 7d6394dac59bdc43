"""Figure 6 of the paper: cumulative match curves, as an SVG of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import escape

from icf.app.bench.summary import Cell
from icf.dataset.scores.lines import STYLE, key, stroke

#: Of a panel, in the drawing's units: its size, and the room around the plot.
_WIDTH, _HEIGHT = 460, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 18, 44, 46
#: Height of the line below the panels.
_NOTE = 26

#: Width of the rows of the key.
_KEY = 256
#: Grid lines of the percent axis, at most.
_GRIDS = 6


def draw_curves(panels: Mapping[str, Sequence[Cell]], note: str) -> str:
    """Draw the mean curve of every row, a panel a table.

    Args:
        panels: the rows by the panel's title; those without a curve are left out.
        note: below all panels.

    Returns:
        An SVG document; "" where there is no curve.
    """
    drawn = {
        title: [cell for cell in cells if cell.curve] for title, cells in panels.items()
    }
    drawn = {title: cells for title, cells in drawn.items() if cells}
    if not drawn:
        return ""
    width, height = _WIDTH * len(drawn), _HEIGHT + _NOTE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" '
        f'aria-label="Cumulative match curves"><style>{STYLE}</style>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<text x="{_LEFT}" y="{height - 10}">{escape(note)}</text>'
    ]
    for place, (title, cells) in enumerate(drawn.items()):
        parts.append(f'<g transform="translate({place * _WIDTH} 0)">')
        parts.append(_panel(title, cells))
        parts.append("</g>")
    return "".join([*parts, "</svg>\n"])


def _panel(title: str, cells: Sequence[Cell]) -> str:
    last = max(len(cell.curve) for cell in cells)
    bottom = _bottom(min(cell.curve[0] for cell in cells))
    across, down = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(rank: float) -> float:
        return _LEFT + across * (rank - 1) / max(1, last - 1)

    def y(percent: float) -> float:
        return _TOP + down * (100 - percent) / (100 - bottom)

    parts = [f'<text class="title" x="{_LEFT}" y="24">{escape(title)}</text>']
    for percent in _ticks(bottom, 100):
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" '
            f'y1="{y(percent):.1f}" y2="{y(percent):.1f}"/>'
            f'<text x="{_LEFT - 8}" y="{y(percent) + 4:.1f}" text-anchor="end">'
            f"{percent:g}</text>"
        )
    for rank in sorted({1, *(r for r in _ticks(0, last) if r >= 1), last}):
        if rank in (1, last) or (x(rank) - x(1) > 24 and x(last) - x(rank) > 24):
            parts.append(
                f'<text x="{x(rank):.1f}" y="{_HEIGHT - _BOTTOM + 18}" '
                f'text-anchor="middle">{rank:g}</text>'
            )
    parts.append(
        f'<text x="{_LEFT + across / 2:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">'
        f"rank</text>"
        f'<text x="{_WIDTH - _RIGHT}" y="24" text-anchor="end">% of pairs</text>'
    )
    for place, cell in enumerate(cells):
        points = " ".join(
            f"{x(rank):.1f},{y(percent):.1f}"
            for rank, percent in enumerate(cell.curve, start=1)
        )
        parts.append(f'<polyline class="line" {stroke(place)} points="{points}"/>')
    parts.append(key(_rows(cells), _WIDTH - _RIGHT, _HEIGHT - _BOTTOM, _KEY))
    return "".join(parts)


def _rows(cells: Sequence[Cell]) -> list[tuple[int, str]]:
    """The rows of the key, the best at rank 1 first: there curves are lowest."""
    order = sorted(range(len(cells)), key=lambda i: -cells[i].curve[0])
    return [
        (i, f"{cells[i].row.label}, {cells[i].curve[0]:.1f} at rank 1") for i in order
    ]


def _bottom(lowest: float) -> int:
    """Return where the percent axis begins, below every curve.

    >>> _bottom(78.97), _bottom(38.5), _bottom(0.0), _bottom(100.0)
    (70, 20, 0, 90)
    """
    step = 10 if lowest >= 50 else 20
    return min(90, step * math.floor(lowest / step))


def _ticks(low: int, high: int) -> list[int]:
    """Return round numbers from ``low`` to ``high``.

    >>> _ticks(70, 100), _ticks(0, 50)
    ([70, 75, 80, 85, 90, 95, 100], [0, 10, 20, 30, 40, 50])
    """
    step = next(s for s in (1, 2, 5, 10, 20, 50) if (high - low) / s <= _GRIDS)
    return list(range(low, high + 1, step))
