"""The models of a workspace as the commands show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from icf.models.cards import ModelCard, bundled_path, load_card
from icf.models.registry import aliases
from icf.models.registry.known import KnownModel, known_models
from icf.models.registry.tasks import TASKS
from icf.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])

#: Digits of a hash that people see.
DIGITS = 12


@dataclass(frozen=True)
class ListedModel:
    """A model with its aliases."""

    model: KnownModel
    aliases: tuple[str, ...]

    @property
    def card(self) -> ModelCard:
        """Its card."""
        return self.model.card

    def summary(self) -> dict[str, Any]:
        """What `icf model list --json` gives of it."""
        card = self.card
        return {
            "sha256": card.sha256,
            "name": card.name,
            "task": self.model.task,
            "aliases": list(self.aliases),
            "parent": card.parent,
            "licence": card.licence,
            "figures": dict(card.figures),
            "file": None if self.model.path is None else str(self.model.path),
        }


def listed_models(workspace: Workspace) -> list[ListedModel]:
    """Every model that a workspace knows, with its aliases."""
    called: dict[str, list[str]] = {}
    for task in TASKS:
        for alias, sha256 in _current(workspace, task).items():
            called.setdefault(sha256, []).append(alias)
    return [
        ListedModel(each, tuple(called.get(each.card.sha256, ())))
        for each in known_models(workspace)
    ]


def figures_text(figures: Mapping[str, Any]) -> str:
    """The figures of a card in one line: those that are not by group, or the first."""
    plain = {name: value for name, value in figures.items() if not _is_group(value)}
    if not plain and figures:
        name, group = next(iter(figures.items()))
        return f"{name}: {pairs_text(group)}"
    return pairs_text(plain)


def pairs_text(figures: Any) -> str:
    """Figures in a line: ``auc 0.98, rank1 0.9``."""
    if not isinstance(figures, Mapping):
        return str(figures)
    return ", ".join(f"{name} {value}" for name, value in figures.items())


def as_typed(text: str) -> str:
    """A model as it was typed: a file in the working folder gets its whole path.

    Elsewhere a path starts from the workspace's folder.
    """
    path = Path(text).expanduser()
    is_path = len(path.parts) > 1 or path.suffix in (".onnx", ".json")
    return str(path.resolve()) if is_path and path.is_file() else text


def task_option(function: F) -> F:
    """Add the option that says what a model is for."""
    return click.option(
        "--task",
        type=click.Choice(TASKS),
        help="What the model is for  [default: as the model says].",
    )(function)


def _current(workspace: Workspace, task: Any) -> dict[str, str]:
    bundled = load_card(bundled_path(task).with_suffix(".json")).sha256
    with workspace.catalogue.read() as connection:
        now = aliases.current(connection, task)
    return {alias: sha256 or bundled for alias, sha256 in now.items()}


def _is_group(value: object) -> bool:
    return isinstance(value, Mapping)
