"""How every figure looks: its document, its lines and the key that tells them apart."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import escape

#: Colours that people with any kind of colour vision can tell apart (Okabe and Ito
#: 2008), dark enough for thin lines on white; dashes tell them apart in print.
LINES = (
    ("#0072b2", ""),
    ("#d55e00", "7 3"),
    ("#00795c", "2 3"),
    ("#a8498a", "9 3 2 3"),
    ("#8a6d00", "5 2"),
    ("#22252b", "1 2"),
)
#: Of what is drawn: texts, a title, grid lines, lines and bands.
_STYLE = (
    "text{font:12px system-ui,'Segoe UI','Noto Sans',sans-serif;fill:#5c626c}"
    ".title{font-size:14px;font-weight:600;fill:#22252b}"
    ".grid{stroke:#e2dfd7}.line{fill:none;stroke-width:2}.band{fill-opacity:.16}"
)
#: Of a key, in the drawing's units: the height of a row, the room around all rows, from
#: the corner to them, and the width of a line's sample and of a letter.
_ROW, _AROUND, _CORNER, _SAMPLE, _LETTER = 18, 10, 12, 38, 8


def document(label: str, width: int, height: int, inside: str) -> str:
    """Return a drawing as an SVG document, without a script or anything to load.

    Args:
        label: what it shows, for screen readers.
        width: in the drawing's units.
        height: in the same.
        inside: the elements, as SVG.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(label)}">'
        f'<style>{_STYLE}</style><rect width="{width}" height="{height}" fill="#fff"/>'
        f"{inside}</svg>\n"
    )


def stroke(number: int) -> str:
    """The attributes of a line by its number.

    >>> stroke(1)
    'stroke="#d55e00" stroke-dasharray="7 3"'
    """
    colour, dashes = LINES[number % len(LINES)]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'stroke="{colour}"{dashed}'


def key(names: Sequence[str], left: int, right: int, bottom: int, falls: bool) -> str:
    """Draw which line is which, in a lower corner of a plot.

    Args:
        names: what each line is called.
        left: where the plot begins, in the drawing's units.
        right: where it ends.
        bottom: where it ends below.
        falls: whether the lines fall: then the left corner is free, else the right.
    """
    wide = _SAMPLE + _LETTER * max(map(len, names))
    left = left + 2 * _AROUND if falls else right - wide
    first = bottom - _CORNER - _ROW * (len(names) - 1)
    parts = [
        f'<rect x="{left - _AROUND}" y="{first - _ROW}" width="{wide + _AROUND}" '
        f'height="{_ROW * len(names) + _AROUND}" fill="#fff" fill-opacity=".88"/>'
    ]
    for number, name in enumerate(names):
        y = first + _ROW * number
        parts.append(
            f'<line class="line" {stroke(number)} x1="{left}" x2="{left + 30}" '
            f'y1="{y - 4}" y2="{y - 4}"/><text x="{left + _SAMPLE}" y="{y}">'
            f"{escape(name)}</text>"
        )
    return "".join(parts)
