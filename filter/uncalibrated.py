"""Say that nobody knows yet what the cosines of the embedder mean."""

from __future__ import annotations

from icf.catalogue import calibrations
from icf.errors import BadModel, WrongUse
from icf.models.cards import load_card, weights_path
from icf.models.registry.resolve import model_path
from icf.workspace import Workspace


def uncalibrated(workspace: Workspace) -> str | None:
    """Return what to know of the embedder's probabilities, if they are a guess.

    A model that was added from outside has a curve on its card that takes nothing for
    sure; the first one that answers taught ends that.

    Args:
        workspace: whose settings name the embedder.

    Returns:
        A sentence; None if its curve was measured, or its card cannot be read.
    """
    try:
        path = weights_path(model_path(workspace, "embedder"))
        card = load_card(path.with_suffix(".json"))
    except (BadModel, WrongUse):
        return None
    if card.parameters.get("calibrated", 1):
        return None
    with workspace.catalogue.read() as connection:
        if calibrations.newest(connection, [card.sha256]):
            return None
    return (
        f"the embedder {card.name} is not calibrated: its probabilities are a guess "
        "that takes no face for sure, until `icf-filter calibrate` has enough answers"
    )
