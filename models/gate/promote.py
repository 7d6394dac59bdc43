"""Make a model the champion, if it passes the gate, or by a person's decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from icf.errors import BadModel, IcfError, WrongUse
from icf.models.cards import (
    ModelCard,
    bundled_path,
    load_card,
    verified,
    weights_path,
)
from icf.models.gate import stored
from icf.models.gate.report import GateReport
from icf.models.gate.run import run_gate
from icf.models.gate.stored import StoredGate
from icf.models.registry import aliases, store
from icf.models.registry.aliases import this_user
from icf.models.registry.tasks import ON_CARDS, Task
from icf.workspace import Workspace


class Refused(IcfError):
    """The gate refuses a model.

    Attributes:
        gate: the comparison.
    """

    def __init__(self, message: str, gate: StoredGate) -> None:
        super().__init__(message)
        self.gate = gate


@dataclass(frozen=True)
class Promotion:
    """A model that became the champion.

    Attributes:
        task: of the model.
        card: of the model, as it is in the workspace.
        gate: the comparison with the champion before it.
    """

    task: Task
    card: ModelCard
    gate: StoredGate


def promote(
    workspace: Workspace,
    task: Task,
    model: Path,
    by: str | None = None,
    force: str | None = None,
    round_id: int | None = None,
    advance: Callable[[int], object] = lambda done: None,
    compared: Callable[[], object] = lambda: None,
) -> Promotion:
    """Run the gate; if the model passes, copy it into the workspace and promote it.

    Args:
        workspace: that gets a new champion.
        task: of the model.
        model: its weights, or their card.
        by: who promotes it; None: the user at work.
        force: why it is promoted although the gate may refuse it; logged.
        round_id: the round that this is a part of.
        advance: called with the number of faces or pictures that are compared.
        compared: called when all are; what it raises keeps the champion.

    Raises:
        Refused: the gate refuses it, and it is not forced or cannot be.
        WrongUse: it is the champion already.
        BadModel: it is missing, damaged, or for another task.
    """
    by = by or this_user()
    chosen = weights_path(model)
    sha256 = _card_of(chosen).sha256
    bundled = _card_of(bundled_path(task))
    with workspace.catalogue.read() as connection:
        champion = aliases.current(connection, task)["champion"] or bundled.sha256
    if sha256 == champion:
        raise WrongUse(f"model {sha256[:12]} is the champion {task} already")
    try:
        gate = run_gate(workspace, task, chosen, round_id, advance)
    except BadModel as error:
        if force is None:
            raise
        gate = _without_champion(workspace, task, champion, chosen, error)
    compared()
    report = gate.report
    if not report.usable:
        raise Refused(f"{_why(gate)}. This cannot be forced", gate)
    if not report.promoted and force is None:
        raise Refused(
            f"{_why(gate)}. To use it all the same: `icf model promote {model} "
            '--force "REASON"`',
            gate,
        )
    is_bundled = sha256 == bundled.sha256
    card = bundled if is_bundled else store.add(workspace, chosen, by)
    if card.sha256 != report.challenger:
        raise BadModel(f"{chosen} changed while it was compared: compare it again")
    reason = f"forced: {force}" if force is not None else "passed the gate"
    with workspace.catalogue.write() as connection:
        now = aliases.current(connection, task)["champion"]
        if (now or bundled.sha256) != report.champion:
            raise IcfError(
                f"another {task} became the champion meanwhile: give the command again "
                "to compare with it"
            )
        aliases.promote(
            connection, task, None if is_bundled else sha256, by, reason, gate.id
        )
    return Promotion(task, card, gate)


def _without_champion(
    workspace: Workspace, task: Task, champion: str, challenger: Path, error: BadModel
) -> StoredGate:
    """Note that nothing could be compared: the way on where the champion is lost.

    Raises:
        BadModel: the challenger is damaged or for another task.
    """
    card = verified(challenger, ON_CARDS[task], frozenset())
    settings = workspace.settings.gate
    report = GateReport(
        task=task,
        champion=champion,
        challenger=card.sha256,
        promoted=False,
        figure="nothing",
        margin=settings.margin,
        confidence=settings.confidence,
        reasons=(f"there was nothing to compare with: {error}",),
    )
    with workspace.catalogue.write() as connection:
        return stored.store(connection, report)


def _card_of(path: Path) -> ModelCard:
    return load_card(weights_path(path).with_suffix(".json"))


def _why(gate: StoredGate) -> str:
    reasons = "; ".join(gate.report.reasons)
    return f"the {gate.report.task} {gate.report.challenger[:12]} is refused: {reasons}"
