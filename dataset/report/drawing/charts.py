"""Charts as inline SVG: no script, colours from the page's style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

#: Size of a chart, and the room around its bars, in the drawing's units.
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 340, 170, 38, 24, 8

#: Most steps of a ranked curve.
_STEPS = 400

#: Largest share of all values beyond the last bar; they are added to it.
_BEYOND = 0.02


def ranked(values: Sequence[int], title: str) -> Markup:
    """Values in descending order as one filled curve: the long tail.

    Of more values than can be seen apart, the first of every few is drawn.

    Args:
        values: one per character, most first.
        title: what the chart shows, for screen readers.
    """
    if not values:
        return Markup("")
    top, across, down = frame(max(values))
    drawn = values[:: max(1, -(-len(values) // _STEPS))]
    step = across / len(drawn)
    base = TOP + down
    points = [f"M{LEFT},{base}"]
    for place, value in enumerate(drawn):
        y = base - down * value / top
        points.append(f"L{LEFT + place * step:.1f},{y:.1f}")
        points.append(f"L{LEFT + (place + 1) * step:.1f},{y:.1f}")
    points.append(f"L{LEFT + across},{base}Z")
    ticks = (
        grid(top, down) + _label(LEFT, 1) + _label(LEFT + across, len(values), "end")
    )
    return svg(f'<path class="fill" d="{" ".join(points)}"/>{ticks}', title)


def funnel(counts: Sequence[int], names: Sequence[str] = ()) -> Markup:
    """One block a stage, as tall as its count, joined to the next.

    Args:
        counts: of the stages.
        names: of them, written below with the counts. Without names it is a picture
            only, which screen readers skip: the page has the numbers as text.
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
    if names:
        for place, (name, count) in enumerate(zip(names, counts, strict=True)):
            middle = column * (place + 0.5)
            parts.append(
                f'<text x="{middle:g}" y="{high + 22}" text-anchor="middle">'
                f'{count:,}</text><text x="{middle:g}" y="{high + 40}" '
                f'text-anchor="middle">{escape(name)}</text>'
            )
        said = "; ".join(f"{n}: {c:,}" for n, c in zip(names, counts, strict=True))
        return svg("".join(parts), said, (column * len(counts), high + 48))
    head = Markup('<svg class="flow" viewBox="0 0 {} {}" aria-hidden="true">').format(
        column * len(counts), high
    )
    return head + Markup("".join(parts)) + Markup("</svg>")


def bar_width(counts: Mapping[int, int], bars: int) -> int:
    """Find the first round width of bars with which nearly all values fit."""
    total, seen = sum(counts.values()), 0
    far = max(counts)
    for end in sorted(counts, reverse=True):
        seen += counts[end]
        if seen > _BEYOND * total:
            far = end
            break
    widths = (n * 10**power for power in range(12) for n in (1, 2, 5))
    return next(int(w) for w in widths if far // w - min(counts) // w < bars)


def frame(most: int) -> tuple[int, float, float]:
    """Return the top of the axis, and the width and height of the plot."""
    scale = 1
    while most > scale * 10:
        scale *= 10
    top = next(n * scale for n in (1, 2, 4, 5, 8, 10) if n * scale >= most)
    return top, float(WIDTH - LEFT - 6), float(HEIGHT - TOP - BOTTOM)


def grid(top: int, down: float) -> str:
    """Draw lines at zero, half and the top of the axis, with their numbers."""
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = TOP + down * (1 - share)
        value = top * share
        text = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - 6}" y1="{y:.1f}" '
            f'y2="{y:.1f}"/><text x="{LEFT - 6}" y="{y + 4:.1f}" '
            f'text-anchor="end">{text}</text>'
        )
    return "".join(parts)


def _label(x: float, value: int, anchor: str = "middle") -> str:
    y = HEIGHT - 8
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{value:,}</text>'


def svg(inside: str, title: str, size: tuple[float, float] = (WIDTH, HEIGHT)) -> Markup:
    """Wrap a drawing as SVG; ``title`` describes it for screen readers."""
    head = Markup('<svg viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">').format(
        *size, title
    )
    return head + Markup(inside) + Markup("</svg>")
