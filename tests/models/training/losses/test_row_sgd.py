from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from icf.models.training.losses.row_sgd import RowSGD

SETTINGS = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}


def start() -> nn.Parameter:
    generator = torch.Generator().manual_seed(1)
    return nn.Parameter(torch.randn(6, 3, generator=generator, dtype=torch.float64))


def loss(weight: Tensor, rows: Tensor, sparse: bool) -> Tensor:
    return (functional.embedding(rows, weight, sparse=sparse) ** 2).sum()


def trained(optimiser: torch.optim.Optimizer, weight: Tensor, sparse: bool) -> Tensor:
    for step in range(5):
        rows = torch.arange(6) if step % 2 else torch.tensor([5, 0, 1, 2, 3, 4, 4])
        optimiser.zero_grad()
        torch.autograd.backward(loss(weight, rows, sparse))
        optimiser.step()
    return weight.detach()


def test_with_every_row_in_every_batch_it_is_torchs_sgd() -> None:
    one, other, third = start(), start(), start()
    sgd = torch.optim.SGD([one], 0.1, 0.9, weight_decay=0.01)
    wanted = trained(sgd, one, sparse=False)
    for weight, sparse in ((other, True), (third, False)):
        found = trained(RowSGD([weight], **SETTINGS), weight, sparse)
        assert torch.allclose(found, wanted, atol=1e-14)


def test_rows_that_are_not_in_the_batch_keep_value_and_momentum() -> None:
    weight = start()
    optimiser = RowSGD([weight], **SETTINGS)
    torch.autograd.backward(loss(weight, torch.arange(6), True))
    optimiser.step()
    before = weight.detach().clone()
    momentum = optimiser.state[weight]["momentum_buffer"].clone()
    optimiser.zero_grad()
    torch.autograd.backward(loss(weight, torch.tensor([1, 4]), True))
    optimiser.step()
    kept = [0, 2, 3, 5]
    assert torch.equal(weight.detach()[kept], before[kept])
    after = optimiser.state[weight]["momentum_buffer"]
    assert torch.equal(after[kept], momentum[kept])
    assert not torch.equal(weight.detach()[[1, 4]], before[[1, 4]])


def test_its_state_is_saved_and_loaded() -> None:
    whole, weight = start(), start()
    optimiser = RowSGD([whole], **SETTINGS)
    trained(optimiser, whole, True)
    resumed = RowSGD([weight], **SETTINGS)
    with torch.no_grad():
        weight.copy_(whole)
    resumed.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    assert torch.equal(trained(resumed, weight, True), trained(optimiser, whole, True))
