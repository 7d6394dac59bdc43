"""How the lines of every figure look, and the key that tells them apart."""

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
#: Of what is drawn: texts, a title, grid lines and lines.
STYLE = (
    "text{font:12px system-ui,'Segoe UI','Noto Sans',sans-serif;fill:#5c626c}"
    ".title{font-size:14px;font-weight:600;fill:#22252b}"
    ".grid{stroke:#e2dfd7}.line{fill:none;stroke-width:2}"
)
#: Of a key, in the drawing's units: the height of a row, the room around all rows, and
#: from the corner to them.
_ROW, _AROUND, _CORNER = 18, 10, 12


def stroke(number: int) -> str:
    """The attributes of a line by its number.

    >>> stroke(1)
    'stroke="#d55e00" stroke-dasharray="7 3"'
    """
    colour, dashes = LINES[number % len(LINES)]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'stroke="{colour}"{dashed}'


def key(rows: Sequence[tuple[int, str]], right: float, bottom: float, wide: int) -> str:
    """Draw which line is which, in the lower right corner of a plot.

    Args:
        rows: the number of each line and what it is called, from above.
        right: where the corner is, in the drawing's units.
        bottom: where it is from above.
        wide: how wide the rows are.
    """
    left = right - wide
    first = bottom - _CORNER - _ROW * (len(rows) - 1)
    parts = [
        f'<rect x="{left - _AROUND}" y="{first - _ROW}" width="{wide + _AROUND}" '
        f'height="{_ROW * len(rows) + _AROUND}" fill="#fff" fill-opacity=".88"/>'
    ]
    for place, (number, name) in enumerate(rows):
        y = first + _ROW * place
        parts.append(
            f'<line class="line" {stroke(number)} x1="{left}" x2="{left + 30}" '
            f'y1="{y - 4}" y2="{y - 4}"/><text x="{left + 38}" y="{y}">'
            f"{escape(name)}</text>"
        )
    return "".join(parts)
