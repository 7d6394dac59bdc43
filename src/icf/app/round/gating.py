"""Compare what a round trained with the champion, and promote it if it is not worse."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from icf.app.round.training import check_data
from icf.catalogue.rounds.log import Round
from icf.models.cards import load_card, weights_path
from icf.models.gate import stored
from icf.models.gate.promote import Refused, promote
from icf.models.gate.report import GateReport
from icf.models.registry import aliases, store
from icf.models.registry.aliases import this_user
from icf.models.registry.resolve import find
from icf.models.registry.tasks import Task
from icf.workspace import Workspace

_TASK: Task = "embedder"


def compare_and_promote(workspace: Workspace, found: Round) -> dict[str, Any]:
    """Let the gate decide on the model that a round trained.

    A refused model becomes the challenger: a person can still promote it.

    Returns:
        For the summary: ``promoted``, ``difference``, ``interval``, ``margin``,
        ``smallest_visible``, ``figures``, ``gate`` (the id of the comparison) and
        ``reason``, a sentence.

    Raises:
        BadModel: a file is missing or not what its card promises.
        LostData: something was withdrawn since the training, also while they were
            compared; the champion is as it was.
    """
    path = weights_path(workspace.root / found.summary["training"]["path"])
    sha256 = load_card(path.with_suffix(".json")).sha256
    if sha256 == _champion(workspace):
        # It was promoted, and the program was killed before it said so.
        with workspace.catalogue.read() as connection:
            gates = stored.of_challenger(connection, sha256)
        if gates:
            return _as_summary(gates[-1].id, gates[-1].report, promoted=True)
        return {"promoted": False, "reason": "the training changed nothing"}
    check = partial(check_data, workspace, found)
    check()
    by = f"round {found.number}, {this_user()}"
    try:
        done = promote(workspace, _TASK, path, by, round_id=found.id, compared=check)
    except Refused as error:
        gate = error.gate
        if gate.report.usable:
            _keep(workspace, path, by)
        return _as_summary(gate.id, gate.report, promoted=False)
    return _as_summary(done.gate.id, done.gate.report, promoted=True)


def _champion(workspace: Workspace) -> str:
    path = weights_path(find(workspace, "champion", _TASK))
    return load_card(path.with_suffix(".json")).sha256


def _keep(workspace: Workspace, path: Path, by: str) -> None:
    card = store.add(workspace, path, by)
    with workspace.catalogue.write() as connection:
        now = aliases.current(connection, _TASK)
        if now.get("challenger") != card.sha256:
            reason = "refused by the gate"
            aliases.challenge(connection, _TASK, card.sha256, by, reason)


def _as_summary(gate_id: int, report: GateReport, *, promoted: bool) -> dict[str, Any]:
    why = "; ".join(report.reasons)
    return {
        "gate": gate_id,
        "promoted": promoted,
        "difference": report.difference,
        "interval": list(report.interval) if report.interval else None,
        "margin": report.margin,
        "smallest_visible": report.smallest_visible,
        "figures": {name: dict(each) for name, each in report.figures.items()},
        "reason": "the trained model is the champion now"
        if promoted
        else f"the trained model is refused: {why}",
    }
