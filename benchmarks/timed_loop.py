"""Our training loop in turns that are timed, for comparisons on one machine."""

import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from icf.models.training.distributed import joined
from icf.models.training.loop import Loop, Report


def now(device: torch.device) -> float:
    """Return CPU seconds, or on a GPU the clock, when its work is done."""
    if device.type != "cuda":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


class TimedLoop:
    """Runs a task's loop, and times all its steps but the first.

    Args:
        task: what is trained.
        device: where.

    Attributes:
        loss: the mean of the last turn.
    """

    def __init__(self, task: Any, device: torch.device) -> None:
        self.task, self.device = task, device
        self.loss, self.first, self.last = 0.0, 0.0, 0.0

    def turn(self) -> float:
        """Take the steps of a turn; return the seconds of all but the first."""
        self.first = 0.0
        with (
            joined("cuda" if self.device.type == "cuda" else "cpu") as ranks,
            tempfile.TemporaryDirectory() as folder,
        ):
            Loop(self.task, {}, Path(folder), ranks, self).run()
        return self.last - self.first

    def begin(self, step: int, steps: int) -> None:
        """Nothing is shown."""

    def advance(self) -> None:
        """Remember when the first step was taken."""
        self.first = self.first or now(self.device)

    def report(self, report: Report) -> None:
        """Remember when the last step's losses were there, and which."""
        self.last = now(self.device)
        self.loss = report.values["loss"]
