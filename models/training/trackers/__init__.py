"""Where the figures of a training go, by name: TensorBoard, MLflow, Weights & Biases.

``log.jsonl`` in the run's folder always gets them. The others are imported only when a
configuration names them. A new one is a file with a class here and a line in
`TRACKERS`, or a class in another package with an entry point of the group
``icf.trackers``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from icf.models.by_name import Registry
from icf.models.training.trackers.base import Tracker
from icf.models.training.trackers.json_lines import JsonLines

#: Every tracker that comes with the program.
TRACKERS = Registry(
    kind="tracker",
    group="icf.trackers",
    own={
        "mlflow": "icf.models.training.trackers.mlflow:MlflowTracker",
        "tensorboard": "icf.models.training.trackers.tensorboard:TensorBoardTracker",
        "wandb": "icf.models.training.trackers.wandb:WandbTracker",
    },
)


def open_trackers(
    names: Sequence[str], folder: Path, config: dict[str, Any], step: int
) -> list[Tracker]:
    """Open the log of a run, and the trackers that its configuration names.

    Args:
        names: of `TRACKERS`.
        folder: of the run; what trackers write goes below it.
        config: of the run, as they show it.
        step: from which the run goes on; later lines of the log are dropped.

    Raises:
        WrongUse: a tracker's package is not installed.
    """
    others = [TRACKERS.load(name)(folder, config) for name in names]
    return [JsonLines(folder, step), *others]
