"""Tables for people: rich's own is the oracle."""

from __future__ import annotations

import io
import random
import re

import pytest
from rich.console import Console
from rich.table import Table

from icf.command import table

PIECES = (
    "a", "two", "日本", "😀", "e\u0301", " ", "[x]", '"', "x" * 30, "",
    "\n", "\t", "\x1b",
)  # fmt: skip


def shown(drawn: Table, width: int, *, terminal: bool = False) -> str:
    out = io.StringIO()
    Console(
        file=out,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=terminal,
        color_system="truecolor" if terminal else None,
    ).print(drawn)
    # Rich writes a style once a cell.
    return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())


def by_rich(columns: list[str], rows: list[tuple[object, ...]], like: Table) -> Table:
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for name, column in zip(columns, like.columns, strict=True):
        drawn.add_column(name, justify=column.justify, overflow="fold")
    for row in rows:
        drawn.add_row(*(f"{v:,}" if isinstance(v, int) else str(v) for v in row))
    return drawn


@pytest.mark.parametrize("width", [20, 80, 10_000])
@pytest.mark.parametrize("pieces", [PIECES, PIECES[:-3]])
def test_a_table_looks_as_rich_draws_it(width: int, pieces: tuple[str, ...]) -> None:
    dice = random.Random(width)

    def text() -> str:
        return "".join(dice.choices(pieces, k=dice.randint(0, 3)))

    for _ in range(50):
        columns = [text() for _ in range(dice.randint(1, 4))]
        numeric = dice.random() < 0.5
        rows: list[tuple[object, ...]] = [
            (dice.randint(-5, 10**6) if numeric else text(), *map(str, columns[1:]))
            for _ in range(dice.randint(0, 5))
        ]
        drawn = table(columns, rows)
        terminal = dice.random() < 0.3
        expected = shown(by_rich(columns, rows, drawn), width, terminal=terminal)
        assert shown(drawn, width, terminal=terminal) == expected


def test_the_head_of_a_table_is_bold() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True, color_system="standard")
    console.print(table(("name", "count"), [("kept", 12)]))
    assert out.getvalue() == "\x1b[1mname  count\x1b[0m\nkept     12\n"
