"""TensorBoard: ``tensorboard --logdir FOLDER/tensorboard``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icf.models.training.trackers.base import Tracker, require


class TensorBoardTracker(Tracker):
    """Writes event files into ``tensorboard/`` of the run's folder."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        super().__init__(folder, config)
        require("tensorboard", "tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder / "tensorboard"))
        text = json.dumps(dict(config), indent=2)
        self._writer.add_text("configuration", f"```\n{text}\n```")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Write a scalar for each figure."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
