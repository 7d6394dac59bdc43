"""Charts of measures as inline SVG: histograms with thresholds, and reliability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from icf.dataset.report.drawing import charts
from icf.dataset.report.drawing.charts import BOTTOM, HEIGHT, LEFT, TOP
from icf.dataset.report.drawing.plot import Plot, plot_name
from icf.dataset.report.process.measures import Measure
from icf.reliability import Bin

#: The square plot of a reliability diagram, in the drawing's units.
_SQUARE = 190.0


@dataclass(frozen=True)
class _Bars:
    """Bars of one width, from ``first`` on, in multiples of the measure's step."""

    first: int
    width: int
    counts: Sequence[tuple[int, int]]


def thresholded(measure: Measure, bars: int = 20) -> Markup:
    """Draw a histogram with a line at the threshold; values beyond it are coloured.

    Outliers far above nearly all values are added to the last bar. Very small bars are
    drawn at least one unit high.
    """
    drawn = _bars(measure, bars)
    top, across, down = charts.frame(max(good + bad for good, bad in drawn.counts))
    wide = across / len(drawn.counts)
    parts = []
    for place, (good, bad) in enumerate(drawn.counts):
        start = (drawn.first + place * drawn.width) * measure.step
        x, base = LEFT + place * wide, TOP + down
        title = f"{number(start)} and more: {good + bad:,}"
        if bad and measure.threshold is not None:
            title += f", {bad:,} beyond the threshold"
        parts.append(f"<g><title>{title}</title>")
        for style, count in (("fill", good), ("fill out", bad)):
            tall = max(down * count / top, 1.0 if count else 0.0)
            base -= tall
            if count:
                parts.append(
                    f'<rect class="{style}" x="{x + 0.7:.1f}" y="{base:.1f}" '
                    f'width="{wide - 1.4:.1f}" height="{tall:.1f}"/>'
                )
        parts.append("</g>")
        if place % (1 + len(drawn.counts) // 6) == 0:
            parts.append(_label(x, number(start)))
    parts.append(charts.grid(top, down))
    if measure.threshold is not None:
        at = measure.threshold / measure.step - drawn.first
        x = LEFT + min(max(at / drawn.width, 0.0), float(len(drawn.counts))) * wide
        parts.append(
            f'<line class="cut" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" '
            f'y2="{TOP + down:.1f}"/>'
        )
    return charts.svg("".join(parts), _title(measure))


def measure_plot(measure: Measure) -> Plot:
    """Make the plot of a measure, which says how much is beyond the threshold."""
    note = f"{measure.note}; {measure.total:,} measured"
    if measure.threshold is not None:
        cut = number(measure.threshold)
        note += f", {measure.beyond:,} of them beyond {cut}"
    # 0.05 * 3 is 0.15000000000000002.
    rows = [
        (float(f"{at * measure.step:.9g}"), good, bad)
        for at, (good, bad) in sorted(measure.counts.items())
    ]
    return Plot(
        f"measure-{plot_name(measure.name)}",
        measure.name,
        note,
        thresholded(measure),
        ("from", "passes", "beyond the threshold"),
        rows,
    )


def reliability_plot(bins: Sequence[Bin]) -> Plot:
    """Make the plot of predicted against observed."""
    return Plot(
        "reliability",
        "Predicted and observed",
        'horizontal: probability when asked; vertical: share of "same"',
        reliability(bins),
        ("predicted", "observed", "answered"),
        [
            (round(each.predicted, 4), round(each.observed, 4), each.count)
            for each in bins
        ],
    )


def reliability(bins: Sequence[Bin]) -> Markup:
    """Plot predicted against observed; the size of a dot shows its count."""
    if not bins:
        return Markup("")
    left, top = LEFT + 4.0, 10.0
    most = max(each.count for each in bins)
    parts = [
        f'<path class="grid" d="M{left:g},{top:g}v{_SQUARE:g}h{_SQUARE:g}"/>',
        f'<line class="even" x1="{left:g}" y1="{top + _SQUARE:g}" '
        f'x2="{left + _SQUARE:g}" y2="{top:g}"/>',
    ]
    for share in (0.0, 0.5, 1.0):
        x, y = left + share * _SQUARE, top + (1 - share) * _SQUARE
        parts.append(
            f'<text x="{x:.1f}" y="{top + _SQUARE + 16:.1f}" text-anchor="middle">'
            f'{share:g}</text><text x="{left - 6:.1f}" y="{y + 4:.1f}" '
            f'text-anchor="end">{share:g}</text>'
        )
    for each in bins:
        x = left + each.predicted * _SQUARE
        y = top + (1 - each.observed) * _SQUARE
        radius = 3 + 7 * (each.count / most) ** 0.5
        parts.append(
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>'
            f"{each.count:,} answered: predicted {each.predicted:.2f}, "
            f"the same {each.observed:.2f}</title></circle>"
        )
    size = (left + _SQUARE + 12, top + _SQUARE + 24)
    title = "; ".join(
        f"predicted {each.predicted:.2f}, observed {each.observed:.2f}" for each in bins
    )
    return charts.svg("".join(parts), f"Reliability: {title}", size)


def number(value: float) -> str:
    """Format a short number.

    >>> number(0.30000000000000004), number(12000.0)
    ('0.3', '12,000')
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"


def _bars(measure: Measure, bars: int) -> _Bars:
    both = {at: good + bad for at, (good, bad) in measure.counts.items()}
    cut = measure.threshold
    if cut is not None:
        # The threshold is always within the chart.
        both.setdefault(int(cut / measure.step), 0)
    width = charts.bar_width(both, bars)
    first = min(both) // width * width
    last = first + (bars - 1) * width
    sums: dict[int, tuple[int, int]] = {}
    for at, (good, bad) in measure.counts.items():
        place = min(at // width * width, last)
        so_far = sums.get(place, (0, 0))
        sums[place] = (so_far[0] + good, so_far[1] + bad)
    end = max(sums)
    if cut is not None:
        end = max(end, min(int(cut / measure.step) // width * width, last))
    places = range(first, end + width, width)
    return _Bars(first, width, [sums.get(place, (0, 0)) for place in places])


def _title(measure: Measure) -> str:
    title = f"{measure.name}: {measure.total:,} measured"
    if measure.threshold is None:
        return title
    cut = number(measure.threshold)
    return f"{title}, {measure.beyond:,} beyond the threshold of {cut}"


def _label(x: float, text: str) -> str:
    y = HEIGHT - BOTTOM + 16
    return f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{text}</text>'
