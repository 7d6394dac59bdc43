"""`icf model show`: a model's card, and its history in this workspace."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from icf.command import Invocation, example, pass_invocation, shared_options
from icf.models.cards import ModelCard, load_card, weights_path
from icf.models.cli.model.listed import (
    as_typed,
    listed_models,
    pairs_text,
    task_option,
)
from icf.models.gate import stored
from icf.models.gate.licences import licence_warnings
from icf.models.gate.stored import StoredGate
from icf.models.registry import aliases
from icf.models.registry.aliases import Move
from icf.models.registry.resolve import find_any
from icf.models.registry.tasks import Task


@click.command("show")
@click.argument("name")
@task_option
@shared_options
@pass_invocation
@example("icf model show embedder")
def show_command(invocation: Invocation, name: str, task: Task | None) -> None:
    """Show a model: NAME is a name, an alias, a hash or its beginning, or a path.

    With --json: {"card", "file", "aliases", "moves": [{"alias", "by", "reason",
    "gate_id", "at"}], "gates": [the reports of its comparisons with a champion],
    "warnings"}.
    """
    workspace = invocation.workspace
    task, path = find_any(workspace, as_typed(name), task)
    path = weights_path(path)
    card = load_card(path.with_suffix(".json"))
    called = {each.card.sha256: each.aliases for each in listed_models(workspace)}
    with workspace.catalogue.read() as connection:
        moves = [
            each
            for each in aliases.history(connection, task)
            if each.model == card.sha256
        ]
        gates = stored.of_challenger(connection, card.sha256)
    found: dict[str, Any] = {
        "card": asdict(card),
        "file": str(path),
        "aliases": list(called.get(card.sha256, ())),
        "moves": [_move(each) for each in moves],
        "gates": [{"id": each.id, **asdict(each.report)} for each in gates],
        "warnings": licence_warnings(card),
    }
    invocation.emit(found, lambda: _text(card, found, moves, gates))


def _move(each: Move) -> dict[str, Any]:
    return {
        "alias": each.alias,
        "by": each.by,
        "reason": each.reason,
        "gate_id": each.gate_id,
        "at": each.at,
    }


def _text(
    card: ModelCard,
    found: dict[str, Any],
    moves: Sequence[Move],
    gates: Sequence[StoredGate],
) -> str:
    known = {
        "name": card.name,
        "hash": card.sha256,
        "file": found["file"],
        "aliases": ", ".join(found["aliases"]) or "none",
        "made": card.created,
        "from": card.parent,
        "network": card.architecture or card.network,
        "input": card.input,
        "recipe": card.recipe,
        "licence": card.licence or "unknown",
    }
    lines = [f"{key}: {value}" for key, value in known.items() if value]
    lines += [
        f"data: {each.get('name', '')} ({each.get('licence') or 'licence unknown'})"
        for each in card.data
    ]
    lines += [
        f"figures: {group}: {pairs_text(value)}"
        for group, value in card.figures.items()
    ]
    lines += [f"limit: {each}" for each in card.limits]
    lines += [f"warning: {each}" for each in found["warnings"]]
    lines += [
        f"{_day(each.at)} {each.alias}, by {each.by}: {each.reason}" for each in moves
    ]
    for each in gates:
        lines += [f"comparison {each.id}:", each.report.text()]
    return "\n".join(lines)


def _day(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
