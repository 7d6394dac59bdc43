"""Which models may have been trained on what is withdrawn.

A model does not say on which pictures it was trained, only on which data.
"""

from __future__ import annotations

from pathlib import Path

from icf.errors import BadModel
from icf.models.cards import ModelCard, load_card
from icf.models.registry.known import FOLDER
from icf.workspace import Workspace


def find_models(workspace: Workspace) -> list[Path]:
    """Return the models of a workspace that were trained on it, or further from these.

    Those trained on a release in its folder count too.

    Returns:
        Their weights, sorted.
    """
    cards: dict[Path, ModelCard] = {}
    for path in sorted((workspace.root / FOLDER).rglob("*.json")):
        try:
            card = load_card(path)
        except BadModel:
            continue
        cards[path.with_name(card.file)] = card
    found: set[str] = set()
    while more := {
        card.sha256
        for card in cards.values()
        if card.sha256 not in found
        and (card.parent in found or _is_of(card, workspace.root))
    }:
        found |= more
    return [path for path, card in cards.items() if card.sha256 in found]


def _is_of(card: ModelCard, root: Path) -> bool:
    for data in card.data:
        kind, _, path = data.get("name", "").partition(":")
        inside = (root / path).resolve().is_relative_to(root.resolve())
        if kind == "workspace" or (kind == "release" and inside):
            return True
    return False
