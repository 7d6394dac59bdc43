"""Batches from a step on, made ahead by worker processes, on the device."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from icf.errors import IcfError
from icf.models.training.config import LoopSettings
from icf.models.training.distributed import Ranks
from icf.models.training.task import Batches, Rank


@dataclass(frozen=True)
class _Failure:
    """An error of this program in a worker, with its message as it was."""

    kind: type[IcfError]
    message: str


class _Steps(Dataset[Any]):
    """The batch of a step, by the step's number."""

    def __init__(self, batches: Batches, rank: Rank) -> None:
        self._batches, self._rank = batches, rank

    def __getitem__(self, step: int) -> Any:
        try:
            return self._batches.batch(step, self._rank)
        except IcfError as error:
            # PyTorch would put the worker's traceback into the message.
            return _Failure(type(error), str(error))


def load_batches(
    batches: Batches, ranks: Ranks, settings: LoopSettings, first: int, steps: int
) -> Iterator[Any]:
    """Yield this rank's part of the batches of steps ``first`` to ``steps - 1``.

    Args:
        batches: makes them.
        ranks: this process, and the device on which they are wanted.
        settings: of the loop.
        first: steps taken before.
        steps: of the whole run.
    """
    on_gpu = ranks.device.type == "cuda"
    # A fork would copy locks that threads of OpenCV and OpenMP hold.
    workers: dict[str, Any] = {}
    if settings.workers:
        # PyTorch warns of more than there are processors, and nobody gains by them.
        workers = {
            "num_workers": min(settings.workers, len(os.sched_getaffinity(0))),
            "prefetch_factor": 4,
            "multiprocessing_context": "forkserver",
        }
    loader: DataLoader[Any] = DataLoader(
        _Steps(batches, ranks.rank),
        batch_size=None,
        sampler=range(first, steps),
        pin_memory=on_gpu,
        worker_init_fn=_begin_worker,
        **workers,
    )
    form = torch.channels_last if settings.channels_last else torch.contiguous_format
    for batch in loader:
        if isinstance(batch, _Failure):
            raise batch.kind(batch.message)
        yield _moved(batch, ranks.device, form)


def _begin_worker(_: int) -> None:
    import cv2

    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_the_training, daemon=True).start()


def _end_with_the_training() -> None:
    """End this worker when the training is killed.

    PyTorch's workers look whether their parent is there; theirs is the fork server,
    which waits for its workers.
    """
    training = multiprocessing.parent_process()
    assert training is not None
    training.join()
    os._exit(1)


def _moved(batch: Any, device: torch.device, form: torch.memory_format) -> Any:
    """Copy the tensors of a batch to the device without waiting."""
    if isinstance(batch, Tensor):
        if batch.ndim == 4:
            return batch.to(device, non_blocking=True, memory_format=form)
        return batch.to(device, non_blocking=True)
    if isinstance(batch, tuple):
        moved = [_moved(each, device, form) for each in batch]
        named = getattr(type(batch), "_make", None)
        return named(moved) if named else tuple(moved)
    return batch
