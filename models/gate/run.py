"""Compare a model with the champion, and store what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import sqlalchemy as sa

from icf.errors import BadModel
from icf.models.cards import load_card, verified, weights_path
from icf.models.gate import detector_gate, embedder_gate, stored
from icf.models.gate.report import GateReport
from icf.models.gate.stored import StoredGate
from icf.models.gate.verdict import Pair
from icf.models.registry.resolve import find
from icf.models.registry.tasks import ON_CARDS, Task
from icf.workspace import Workspace

#: Called with the number of faces or pictures that are done.
Advance = Callable[[int], object]

_COMPARE: Mapping[Task, Callable[[Workspace, Pair, Advance], GateReport]] = {
    "embedder": embedder_gate.compare,
    "detector": detector_gate.compare,
}
_FINGERPRINT: Mapping[Task, Callable[[Workspace, sa.Connection], str]] = {
    "embedder": embedder_gate.fingerprint,
    "detector": detector_gate.fingerprint,
}


def run_gate(
    workspace: Workspace,
    task: Task,
    challenger: Path,
    round_id: int | None = None,
    advance: Advance = lambda done: None,
) -> StoredGate:
    """Compare a model with the champion, and store the report.

    A comparison of the same two models, on the same audit set and under the same
    settings, is not made again: the stored one is returned.

    Args:
        workspace: with the audit set.
        task: of both models.
        challenger: the weights, or their card.
        round_id: the round that this is a part of.
        advance: called with the number of faces or pictures that are done.

    Returns:
        The report; `GateReport.reasons` says why the challenger is refused.

    Raises:
        BadModel: there is no such model, it is for another task, or the champion's
            file is damaged.
        BrokenMachine: the blob store has none of the workspace's pictures.
    """
    pair = _pair(task, find(workspace, "champion", task), challenger)
    champion_hash, challenger_hash = (card.sha256 for card in pair.cards)
    with workspace.catalogue.read() as connection:
        audit = _FINGERPRINT[task](workspace, connection)
        known = stored.newest(connection, task, champion_hash, challenger_hash)
    if known is not None and known.report.audit == audit and known.report.usable:
        return known
    report = _compared(workspace, task, pair, advance)
    with workspace.catalogue.write() as connection:
        return stored.store(connection, report, round_id)


def compare(
    workspace: Workspace,
    task: Task,
    champion: Path,
    challenger: Path,
    advance: Advance = lambda done: None,
) -> GateReport:
    """Compare any two models of a task; nothing is stored.

    Args:
        workspace: with the audit set.
        task: of both models.
        champion: weights or card of the one that would be replaced.
        challenger: weights or card of the other.
        advance: called with the number of faces or pictures that are done.

    Raises:
        BadModel: a model is missing or for another task, or the champion's file is
            damaged.
        BrokenMachine: the blob store has none of the workspace's pictures.
    """
    return _compared(workspace, task, _pair(task, champion, challenger), advance)


def _compared(
    workspace: Workspace, task: Task, pair: Pair, advance: Advance
) -> GateReport:
    workspace.check_blobs()
    return _COMPARE[task](workspace, pair, advance)


def _pair(task: Task, champion: Path, challenger: Path) -> Pair:
    one, other = weights_path(champion), weights_path(challenger)
    first = verified(one, ON_CARDS[task], frozenset())
    # Whether the file has the hash that its card promises is a part of the gate.
    second = load_card(other.with_suffix(".json"))
    if second.task != ON_CARDS[task]:
        raise BadModel(f"{other} is for {second.task!r}, not for {ON_CARDS[task]!r}")
    return Pair(one, other, (first, second))
