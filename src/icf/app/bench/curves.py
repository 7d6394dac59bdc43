"""Figure 6 of the paper: cumulative match curves, as an SVG of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import escape

from icf.app.bench.summary import Cell
from icf.dataset.scores.lines import document
from icf.dataset.scores.plots import HEIGHT, WIDTH, Line, Plot, panel

#: Of the note below the panels: its height, and where it begins.
_NOTE, _LEFT = 26, 58


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
    plots = [_plot(title, cells) for title, cells in drawn.items() if cells]
    if not plots:
        return ""
    height = HEIGHT + _NOTE
    parts = [f'<text x="{_LEFT}" y="{height - 10}">{escape(note)}</text>']
    for place, plot in enumerate(plots):
        parts.append(f'<g transform="translate({place * WIDTH} 0)">{panel(plot)}</g>')
    label = "Cumulative match curves"
    return document(label, WIDTH * len(plots), height, "".join(parts))


def _plot(title: str, cells: Sequence[Cell]) -> Plot:
    """The curves of a table, the best at rank 1 first."""
    lines = [
        Line(
            f"{cell.row.label}, {cell.curve[0]:.1f} at rank 1",
            range(1, len(cell.curve) + 1),
            cell.curve,
        )
        for cell in sorted(cells, key=lambda cell: -cell.curve[0])
    ]
    return Plot(title, "rank", "% of pairs", lines)
