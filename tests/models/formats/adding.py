"""Add a model to a workspace, as its users do."""

from __future__ import annotations

import json
from pathlib import Path

from tests.app.program import call


def added_as(space: Path, source: Path, form: str, *numbers: str) -> Path:
    """Add a model; return its file in the workspace.

    Args:
        space: the workspace.
        source: the model's file.
        form: its format.
        numbers: of its card, as ``side=640``.
    """
    words = [word for each in numbers for word in ("--parameter", each)]
    made = call(
        "-C", space, "model", "add", source, "--as", form, *words, "-q", "--json"
    )
    return space / "models" / str(json.loads(made.stdout)["file"])
