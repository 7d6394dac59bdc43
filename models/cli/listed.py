"""Cards as `icf-train` shows them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icf import command
from icf.models.cards import ModelCard

if TYPE_CHECKING:
    from rich.table import Table


def summary(card: ModelCard, path: Path) -> dict[str, Any]:
    """A model as ``--json`` shows it."""
    return {
        "path": str(path),
        "sha256": card.sha256,
        "bytes": card.bytes,
        "created": card.created,
        "figures": dict(card.figures),
    }


def models_table(cards: Sequence[ModelCard]) -> Table:
    """Models as people see them: a line for each group of figures."""
    rows = []
    for card in cards:
        for group, figures in (card.figures or {"nothing": {}}).items():
            text = ", ".join(f"{name} {value}" for name, value in figures.items())
            rows.append([card.name, card.sha256[:12], card.created, group, text])
    return command.table(["model", "sha256", "created", "measured on", "figures"], rows)
