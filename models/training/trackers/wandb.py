"""Weights & Biases, offline: files in the run's folder, sent by ``wandb sync``.

``WANDB_MODE=online`` sends them at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icf.models.training.trackers.base import Tracker, require


class WandbTracker(Tracker):
    """Logs to one run of Weights & Biases."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        super().__init__(folder, config)
        require("wandb", "wandb")
        import wandb

        mode = "online" if os.environ.get("WANDB_MODE") == "online" else "offline"
        self._run = wandb.init(
            project="icf",
            dir=str(folder),
            config=dict(config),
            mode=mode,
            settings=wandb.Settings(silent=True, console="off"),
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log the figures of a step."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()
