"""What the files of a run say of it; read without PyTorch, which loads for seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors

from icf.errors import BadInput

#: The checkpoint's name in the folder of a run.
CHECKPOINT = "checkpoint.safetensors"
#: What a finished run leaves beside the model.
RUN = "run.json"


@dataclass(frozen=True)
class Head:
    """What a checkpoint says beside its weights.

    Attributes:
        step: steps taken.
        steps: of the whole run.
        identity: what makes the run.
        about: all of it, as it is stored.
    """

    step: int
    steps: int
    identity: Mapping[str, Any]
    about: Mapping[str, str]


def read_head(path: Path) -> Head:
    """Read what a checkpoint says beside its weights.

    Raises:
        BadInput: it is damaged, or no checkpoint.
    """
    try:
        with safetensors.safe_open(path, "np") as file:
            about = file.metadata() or {}
        identity = json.loads(about["identity"])
        return Head(int(about["step"]), int(about["steps"]), identity, about)
    except KeyError as error:
        raise damaged(path, "it is another file") from error
    except (
        OSError,
        ValueError,
        RecursionError,
        safetensors.SafetensorError,
    ) as error:
        raise damaged(path, error) from error


def damaged(path: Path, why: object) -> BadInput:
    """The error about a checkpoint that cannot be gone on with."""
    return BadInput(
        f"cannot read the checkpoint {path}: {why}; remove it to train from the "
        "beginning"
    )


def read_run(path: Path) -> dict[str, Any]:
    """Read what a finished run left.

    Raises:
        BadInput: it is damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(found, dict) or not {"identity", "steps"} <= found.keys():
        raise _unreadable(path, "it is no record of a run")
    return found


def _unreadable(path: Path, why: object) -> BadInput:
    return BadInput(f"cannot read {path}: {why}; remove {path.parent} and train again")
