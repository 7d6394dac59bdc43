"""One rank of a test: trains a toy network with PartialFC, and saves what came out.

python ranks.py RANK COUNT STORE OUT JSON
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from icf.models.training.losses.partial_fc import PartialFC

DIM, CLASSES, BATCH, STEPS = 6, 21, 8, 4


def data(step: int) -> tuple[Tensor, Tensor]:
    """The batch of all ranks: inputs and labels, one of them not known."""
    generator = torch.Generator().manual_seed(step)
    inputs = torch.randn(BATCH, 5, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, CLASSES, (BATCH,), generator=generator)
    labels[3] = -1
    return inputs, labels


def forbidden_pairs(labels: Tensor) -> Tensor:
    """For each row of the batch of all ranks, a class that it is not."""
    return torch.stack([torch.arange(BATCH), (labels + 5) % CLASSES], 1)


def train(
    rank: int, count: int, options: dict[str, Any]
) -> tuple[list[float], dict[str, Tensor]]:
    """Train; return the losses, and the network's and all classes' weights."""
    torch.manual_seed(0)
    network = nn.Linear(5, DIM).double()
    wrapped: nn.Module = DistributedDataParallel(network) if count > 1 else network
    with_pairs = options.pop("with_pairs", False)
    loss = PartialFC(DIM, CLASSES, **options).double()
    body = torch.optim.SGD(network.parameters(), 0.3, 0.9)
    head = torch.optim.SGD(loss.parameters(), 0.3, 0.9, weight_decay=1e-3)
    mine = slice(rank * BATCH // count, (rank + 1) * BATCH // count)
    losses = []
    for step in range(STEPS):
        inputs, labels = data(step)
        pairs = None
        if with_pairs:
            pairs = forbidden_pairs(labels)[mine] - torch.tensor([mine.start, 0])
        found = loss(wrapped(inputs[mine]), labels[mine], pairs)
        for optimiser in (body, head):
            optimiser.zero_grad()
        torch.autograd.backward(found)
        for optimiser in (body, head):
            optimiser.step()
        losses.append(found.item())
    momentum = head.state[loss.weight]["momentum_buffer"]
    tensors = {
        "network": network.weight.detach(),
        "centres": loss.whole(loss.weight),
        "momentum": loss.whole(momentum),
    }
    return losses, {k: v.contiguous().clone() for k, v in tensors.items()}


def main() -> None:
    """Run one rank."""
    rank, count, store, out, options = sys.argv[1:]
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=int(rank), world_size=int(count)
    )
    torch.set_num_threads(1)
    results: dict[str, Tensor] = {}
    for name, each in json.loads(options).items():
        losses, tensors = train(int(rank), int(count), each)
        results |= {f"{name}.{k}": v for k, v in tensors.items()}
        results[f"{name}.losses"] = torch.tensor(losses, dtype=torch.float64)
    distributed.destroy_process_group()
    safetensors.torch.save_file(results, Path(out))


if __name__ == "__main__":
    main()
