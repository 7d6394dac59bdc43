"""Tables for people that are quick where they are long.

Rich measures and wraps each cell, which takes a millisecond a row: minutes for a list
of all pictures. Lines that fit as they are need neither.
"""

from __future__ import annotations

from itertools import chain

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table

_GAP = "  "


class PlainTable(Table):
    """A table without lines, whose rows look as rich's own."""

    def __init__(self) -> None:
        super().__init__(box=None, pad_edge=False, header_style="bold")

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        """Yield a segment a line, or what rich yields where a line must be wrapped."""
        cells = [[str(column.header), *column.cells] for column in self.columns]
        if not all(map(_is_simple, chain.from_iterable(cells))):
            yield from super().__rich_console__(console, options)
            return
        texts = [[str(cell) for cell in column] for column in cells]
        widths = [max(map(_length, column)) for column in texts]
        gaps = len(_GAP) * (len(widths) - 1)
        if not any(widths) or sum(widths) + gaps > options.max_width:
            yield from super().__rich_console__(console, options)
            return
        padded = [
            [_padded(text, width, right=column.justify == "right") for text in own]
            for column, own, width in zip(self.columns, texts, widths, strict=True)
        ]
        for number, line in enumerate(zip(*padded, strict=True)):
            style = console.get_style("bold") if number == 0 else None
            yield Segment(_GAP.join(line), style)
            yield Segment.line()


def _padded(text: str, width: int, *, right: bool) -> str:
    if right:
        text = text.rstrip()
    blanks = " " * (width - _length(text))
    return blanks + text if right else text + blanks


def _is_simple(cell: object) -> bool:
    return isinstance(cell, str) and cell.isprintable()


def _length(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)
