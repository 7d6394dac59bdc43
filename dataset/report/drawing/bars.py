"""Bars beside one another as inline SVG: a bar a name, or some a group."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from icf.dataset.report.drawing import charts
from icf.dataset.report.drawing.charts import BOTTOM, HEIGHT, LEFT, TOP, WIDTH

#: Letters of a name under a bar, for each 100 units of its width.
_LETTERS = 15
#: Height of a line of the key.
_KEY = 20


def grouped(
    groups: Sequence[str],
    series: Sequence[tuple[str, Sequence[int]]],
    title: str,
) -> Markup:
    """Draw the counts of each group side by side; empty without any.

    Args:
        groups: names along the axis.
        series: names and counts, one a group each. The key names them where there are
            several.
        title: what the chart shows, for screen readers.
    """
    most = max((max(counts, default=0) for _, counts in series), default=0)
    if not most:
        return Markup("")
    top, across, down = charts.frame(most)
    room = across / len(groups)
    wide = 0.72 * room / len(series)
    parts = []
    for place, group in enumerate(groups):
        left = LEFT + place * room + 0.14 * room
        for number, (name, counts) in enumerate(series):
            count = counts[place]
            tall = max(down * count / top, 1.0 if count else 0.0)
            said = (
                f"{group}: {count:,}"
                if len(series) == 1
                else (f"{group}, {name}: {count:,}")
            )
            parts.append(
                f"<g><title>{escape(said)}</title>"
                f'<rect class="{_fill(number)}" x="{left + number * wide + 0.5:.1f}" '
                f'y="{TOP + down - tall:.1f}" width="{wide - 1:.1f}" '
                f'height="{tall:.1f}"/></g>'
            )
        middle = LEFT + (place + 0.5) * room
        parts.append(
            f'<text x="{middle:.1f}" y="{HEIGHT - BOTTOM + 16}" '
            f'text-anchor="middle">{escape(_shortened(group, room))}</text>'
        )
    parts.append(charts.grid(top, down))
    if len(series) > 1:
        parts += _key([name for name, _ in series])
    size = (WIDTH, HEIGHT + (_KEY if len(series) > 1 else 0))
    return charts.svg("".join(parts), title, size)


def _shortened(name: str, room: float) -> str:
    most = max(3, int(room * _LETTERS / 100))
    return name if len(name) <= most else name[: most - 1] + "…"


def _fill(number: int) -> str:
    return "fill" if number == 0 else f"f{number}"


def _key(names: Sequence[str]) -> list[str]:
    parts, room = [], (WIDTH - LEFT) / len(names)
    for number, name in enumerate(names):
        x, y = LEFT + number * room, HEIGHT + _KEY - 8
        parts.append(
            f'<rect class="{_fill(number)}" x="{x:.1f}" y="{y - 9}" width="10" '
            f'height="10" rx="2"/><text x="{x + 15:.1f}" y="{y}">'
            f"{escape(_shortened(name, room - 20))}</text>"
        )
    return parts
