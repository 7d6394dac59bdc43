"""Several processes that train one network: what `torchrun` starts.

Each takes its part of every batch; gradients are averaged. Without `torchrun` there is
one process, and nothing here does anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from icf.errors import WrongUse
from icf.models.training.synced_norm import SyncedBatchNorm
from icf.models.training.task import Rank
from icf.stores.files import sweep_files
from icf.stores.lock import one_at_a_time

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together.

    Attributes:
        rank: its number, and how many there are.
        device: where it computes.
    """

    rank: Rank
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files and speaks to people."""
        return self.rank.number == 0

    def prepared(self, network: nn.Module) -> nn.Module:
        """Make a network's batch norms see the whole batch, not this rank's part."""
        if self.rank.world == 1:
            return network
        if self.device.type == "cuda":
            convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
            synced: nn.Module = convert(network)
            return synced
        return SyncedBatchNorm.convert(network)

    def averaging_gradients(
        self, step: nn.Module, divided: Iterable[nn.Parameter]
    ) -> nn.Module:
        """Wrap a module so that its parameters' gradients are averaged over ranks.

        Args:
            step: gives the losses.
            divided: parameters of which each rank has a part; they are left alone.
        """
        if self.rank.world == 1:
            return step
        names = {id(each): name for name, each in step.named_parameters()}
        ignore: Any = DistributedDataParallel
        ignore._set_params_and_buffers_to_ignore_for_model(
            step, [names[id(each)] for each in divided]
        )
        return DistributedDataParallel(step)

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of a tensor over all ranks."""
        if self.rank.world > 1:
            dist.all_reduce(values)
        return values

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of a tensor over all ranks."""
        return self.sum(values) / self.rank.world

    def wait(self) -> None:
        """Wait until every rank is here."""
        if self.rank.world > 1:
            dist.barrier()


@contextmanager
def joined(device: Device = "auto") -> Iterator[Ranks]:
    """Join the processes that `torchrun` started, if it started this one.

    Args:
        device: where to compute; ``"auto"``: on a GPU, if there is one.

    Raises:
        WrongUse: a GPU is asked for, and there are none or fewer than processes.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    count = torch.cuda.device_count() if device != "cpu" else 0
    if device == "cuda" and count <= local:
        raise WrongUse(
            f"--device cuda: PyTorch finds {count} GPUs here, and this is process "
            f"{local + 1} of this machine; start fewer, or take --device cpu"
        )
    place = torch.device("cuda", local) if count > local else torch.device("cpu")
    if place.type == "cuda":
        torch.cuda.set_device(place)
    if world == 1:
        yield Ranks(Rank(), place)
        return
    dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield Ranks(Rank(dist.get_rank(), world), place)
    finally:
        dist.destroy_process_group()


@contextmanager
def alone_in(folder: Path, ranks: Ranks) -> Iterator[None]:
    """Wait, and say so, until no other training writes into a folder; then have it.

    What killed trainings left there unfinished is removed.

    Args:
        folder: of a run; it is made.
        ranks: this process. What a run left is the same for all from here on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / ".lock"
    with one_at_a_time(lock, "icf-train") if ranks.is_first else nullcontext():
        if ranks.is_first:
            sweep_files(folder, ".safetensors", ".onnx")
        ranks.wait()
        yield
