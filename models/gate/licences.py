"""What the licences of a model's weights and training data forbid, as far as known."""

from __future__ import annotations

import re
from collections.abc import Iterator

from icf.licence_names import (
    ALL_RIGHTS_RESERVED,
    NON_FREE,
    UNKNOWN,
    licence_family,
)
from icf.models.cards import ModelCard

_RESERVED = (NON_FREE, ALL_RIGHTS_RESERVED)
_NOT_COMMERCIAL = re.compile(
    r"-NC\b|\bnon-?\s?commercial\b|\b(?:research|academic|personal)"
    r"(?: and \w+)?(?: use| purposes?)? only\b",
    re.IGNORECASE,
)
#: Between licences of one text: a workspace has pictures under many.
_BETWEEN = re.compile(r"[,;]\s*|\s+AND\s+")
#: Recipes of models that were trained here: their weights are the user's own.
_TRAINED_HERE = "icf-train"


def licence_warnings(card: ModelCard) -> list[str]:
    """Say which licences forbid commercial use of a model, or are not known.

    >>> from icf.models.cards import bundled_path, load_card
    >>> licence_warnings(load_card(bundled_path("embedder").with_suffix(".json")))
    []
    """
    forbidding: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for what, text in _parts(card):
        for licence in filter(None, _BETWEEN.split(text)) if text else [""]:
            family = licence_family(licence)
            if family in _RESERVED or _NOT_COMMERCIAL.search(f"{family} {licence}"):
                forbidding[f"{what} ({licence})"] = None
            elif family == UNKNOWN:
                unknown[f"a part of {what}" if _BETWEEN.search(text) else what] = None
    warnings = []
    if forbidding:
        warnings.append(
            f"commercial use is forbidden by the licence of {', '.join(forbidding)}"
        )
    if unknown:
        warnings.append(
            f"the licence of {', '.join(unknown)} is not known: find out before you "
            "use the model commercially"
        )
    return warnings


def _parts(card: ModelCard) -> Iterator[tuple[str, str]]:
    """What has a licence, and its licence."""
    if card.licence or not card.recipe.startswith(_TRAINED_HERE):
        yield "its weights", card.licence
    for each in card.data:
        name = each.get("name", "")
        yield f"the training data {name}".rstrip(), each.get("licence", "")
    if not card.data:
        yield "its training data", ""
