"""Workers that make batches end with the training, however it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from icf.models.training.batch_loader import load_batches
from icf.models.training.config import LoopSettings
from icf.models.training.distributed import Ranks
from icf.models.training.task import Rank

LONG = 60.0


class Workers:
    """Batches of the id of the process that made them."""

    examples = 100

    def batch(self, step: int, rank: Rank) -> Tensor:
        return torch.tensor([os.getpid()])

    def pictures(self, step: int) -> Sequence[str]:
        return ()


def main() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    ranks = Ranks(Rank(0, 1), torch.device("cpu"))
    for made_by in load_batches(Workers(), ranks, LoopSettings(workers=4), 0, 100):
        print(int(made_by), flush=True)
        time.sleep(LONG)


@pytest.mark.slow
def test_a_worker_ends_when_the_training_is_killed() -> None:
    # Where four workers are more than there are processors, no warning says so.
    module = "tests.models.training.test_batch_loader"
    program = [sys.executable, "-W", "error::UserWarning", "-m", module]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as training:
        assert training.stdout is not None
        worker = int(training.stdout.readline())
        orphan = os.pidfd_open(worker)
        assert worker != training.pid
        training.kill()
    ended, _, _ = select.select([orphan], [], [], LONG)
    if not ended:
        os.kill(worker, signal.SIGKILL)
    os.close(orphan)
    assert ended


if __name__ == "__main__":
    main()
