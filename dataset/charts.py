"""Charts as inline SVG: no script, colours from the page's style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 340, 170, 38, 24, 8

#: How much of all may stand beyond the last bar, and be drawn into it.
_BEYOND = 0.02


def ranked(values: Sequence[int], title: str) -> Markup:
    """Values in descending order as one filled curve: the long tail.

    Args:
        values: one per character, most first.
        title: what the chart shows, for people who cannot see it.
    """
    if not values:
        return Markup("")
    top, across, down = _frame(max(values))
    step = across / len(values)
    base = _TOP + down
    points = [f"M{_LEFT},{base}"]
    for place, value in enumerate(values):
        y = base - down * value / top
        points.append(f"L{_LEFT + place * step:.1f},{y:.1f}")
        points.append(f"L{_LEFT + (place + 1) * step:.1f},{y:.1f}")
    points.append(f"L{_LEFT + across},{base}Z")
    ticks = _grid(top, down) + _label(_LEFT, 1) + _label(_LEFT + across, len(values))
    return _svg(f'<path class="fill" d="{" ".join(points)}"/>{ticks}', title)


def histogram(
    counts: Mapping[int, int], step: int, title: str, bars: int = 14
) -> Markup:
    """Counts by the lower end of each bar; what is far beyond joins the last one.

    Args:
        counts: how many there are from each multiple of ``step`` on.
        step: the width of the finest bar; bars grow by whole steps to fit.
        title: what the chart shows, for people who cannot see it.
        bars: how many bars are drawn at most.
    """
    if not counts:
        return Markup("")
    width_of_bar = _bar_width(counts, step, bars)
    sums: dict[int, int] = {}
    first = min(counts) // width_of_bar * width_of_bar
    last = first + (bars - 1) * width_of_bar
    for end, count in counts.items():
        place = min(end // width_of_bar * width_of_bar, last)
        sums[place] = sums.get(place, 0) + count
    ends = list(range(first, max(sums) + width_of_bar, width_of_bar))
    top, across, down = _frame(max(sums.values()))
    width = across / len(ends)
    parts = []
    for place, end in enumerate(ends):
        count = sums.get(end, 0)
        tall = down * count / top
        x = _LEFT + place * width
        parts.append(
            f'<rect class="fill" x="{x + 1:.1f}" y="{_TOP + down - tall:.1f}" '
            f'width="{width - 2:.1f}" height="{tall:.1f}" rx="1.5">'
            f"<title>{end:,} and more: {count:,}</title></rect>"
        )
        if place % (1 + len(ends) // 5) == 0:
            parts.append(_label(x + 1, end))
    return _svg("".join(parts) + _grid(top, down), title)


def funnel(counts: Sequence[int]) -> Markup:
    """One block a stage, as tall as its count, joined to the next: a picture only.

    The page says the numbers beside it, so screen readers skip the drawing.
    """
    most = max(counts, default=0)
    if not most:
        return Markup("")
    column, wide, high = 160, 104, 110
    halves = [max(1.0, high / 2 * count / most) for count in counts]
    parts = []
    for place, half in enumerate(halves):
        left = place * column + (column - wide) / 2
        top = high / 2 - half
        parts.append(
            f'<rect class="fill" x="{left:g}" y="{top:.1f}" width="{wide}" '
            f'height="{2 * half:.1f}" rx="3"/>'
        )
        if place + 1 < len(halves):
            then, right = halves[place + 1], left + wide
            next_left = left + column
            parts.append(
                f'<path class="join" d="M{right:g},{high / 2 - half:.1f}'
                f"L{next_left:g},{high / 2 - then:.1f}V{high / 2 + then:.1f}"
                f'L{right:g},{high / 2 + half:.1f}Z"/>'
            )
    head = Markup('<svg class="flow" viewBox="0 0 {} {}" aria-hidden="true">').format(
        column * len(counts), high
    )
    return head + Markup("".join(parts)) + Markup("</svg>")


def _bar_width(counts: Mapping[int, int], step: int, bars: int) -> int:
    """The first round multiple of a step at which nearly all fits into the bars."""
    total, seen = sum(counts.values()), 0
    far = max(counts)
    for end in sorted(counts, reverse=True):
        seen += counts[end]
        if seen > _BEYOND * total:
            far = end
            break
    factors = (n * 10**power for power in range(12) for n in (1, 2, 5))
    spans = (step * factor for factor in factors)
    return next(int(w) for w in spans if far // w - min(counts) // w < bars)


def _frame(most: int) -> tuple[int, float, float]:
    """The axis' top, and the room across and down."""
    scale = 1
    while most > scale * 10:
        scale *= 10
    top = next(n * scale for n in (1, 2, 4, 5, 8, 10) if n * scale >= most)
    return top, float(_WIDTH - _LEFT - 6), float(_HEIGHT - _TOP - _BOTTOM)


def _grid(top: int, down: float) -> str:
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = _TOP + down * (1 - share)
        value = top * share
        text = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 6}" y1="{y:.1f}" '
            f'y2="{y:.1f}"/><text x="{_LEFT - 6}" y="{y + 4:.1f}" '
            f'text-anchor="end">{text}</text>'
        )
    return "".join(parts)


def _label(x: float, value: int) -> str:
    y = _HEIGHT - 8
    return f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{value:,}</text>'


def _svg(inside: str, title: str) -> Markup:
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        _WIDTH, _HEIGHT, title
    )
    return head + Markup(inside) + Markup("</svg>")
