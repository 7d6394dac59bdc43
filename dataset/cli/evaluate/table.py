"""Scores as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from icf import command

if TYPE_CHECKING:
    from rich.table import Table


def score_table(score: Mapping[str, float], shape: str) -> Table:
    """A line a score; counts as they are, the others in a given shape."""
    rows = [
        (name, f"{value:,}" if isinstance(value, int) else shape.format(value))
        for name, value in score.items()
    ]
    return command.table(("", "score"), rows)
