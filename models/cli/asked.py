"""What a command line of `icf-train` asks for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from icf.command import Invocation
from icf.models.registry.tasks import Task

if TYPE_CHECKING:
    from icf.workspace import Workspace


@dataclass(frozen=True)
class Asked:
    """What a command line asks for.

    Attributes:
        data: the SPECs.
        out: folder of the model.
        file: configuration over the recipe.
        recipe: its name.
        backbone: name of the network; None: the recipe's.
        start: model to start from, as the user calls it.
        steps: number of batches; None: the recipe's.
        seed: random seed; None: the recipe's.
        device: where to compute.
        threads: processors for the network; None: all.
        dry_run: only show what would be done.
        loss: name of the loss; None: the recipe's.
        mix: ``"auto"``: decide on the shares of several data by short trainings.
    """

    data: tuple[str, ...]
    out: Path
    file: Path | None
    recipe: str
    backbone: str | None
    start: str | None
    steps: int | None
    seed: int | None
    device: Literal["auto", "cpu", "cuda"]
    threads: int | None
    dry_run: bool
    loss: str | None = None
    mix: Literal["auto"] | None = None

    def command(self, task: Task) -> str:
        """Return the command that asks for this, but for where the result goes."""
        options: Mapping[str, object] = {
            "--recipe": self.recipe,
            "--config": self.file,
            "--loss": self.loss,
            "--mix": self.mix,
            "--backbone": self.backbone,
            "--from": self.start,
            "--steps": self.steps,
            "--seed": self.seed,
        }
        words = ["icf-train", task]
        for spec in self.data:
            words += ["--data", spec]
        for option, value in options.items():
            if value is not None:
                words += [option, str(value)]
        return shlex.join(words)

    def changes(self) -> dict[str, object]:
        """Return what it changes in the recipe, by dotted key."""
        return {
            "loop.steps": self.steps,
            "loop.seed": self.seed,
            "network.name": self.backbone,
            "loss.name": self.loss,
        }


def workspace_of(invocation: Invocation) -> Workspace | None:
    """Return the workspace around the command, if there is one.

    Where none is, a user who asks to change its settings is told so.

    Raises:
        WrongUse: there is one, and its settings or its catalogue cannot be read; or
            there is none where ``-C`` says that one is.
    """
    from icf.workspace import root_of

    if invocation.directory is None and root_of(Path.cwd()) is None:
        if invocation.settings:
            invocation.say(
                "--set changes nothing here: settings are those of a workspace, and "
                "this folder is in none; name one with -C DIR"
            )
        return None
    return invocation.workspace
