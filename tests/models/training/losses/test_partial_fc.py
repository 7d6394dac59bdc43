from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from icf.errors import WrongUse
from icf.models.training import losses
from icf.models.training.losses.partial_fc import PartialFC, _chances, _first_centres
from tests.models.training.forked import Program, run
from tests.models.training.losses import ranks

DIM, CLASSES, FACES = 7, 30, 6

#: What is trained on one process and on several; every margin is once among them.
RUNS: dict[str, dict[str, Any]] = {
    name: {"loss": name, "rate": 1.0, "scale": 8.0} for name in losses.LOSSES.names()
}
RUNS["magface"] |= {"penalty_weight": 0.5, "lengths": [0.5, 5.0]}
RUNS |= {
    "focal": {"loss": "focal-arcface", "rate": 1.0, "scale": 8.0},
    "filtered": {"loss": "arcface", "rate": 1.0, "scale": 8.0, "most_similar": 0.3},
    "sampled": {"loss": "arcface", "rate": 0.3, "scale": 8.0},
    "sampled cosface": {"loss": "cosface", "rate": 0.3, "scale": 8.0},
    "pairs": {
        **{"loss": "arcface", "rate": 0.2, "scale": 8.0, "most_similar": 0.2},
        "with_pairs": True,
    },
}


def batch(seed: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.randn(FACES, DIM, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, CLASSES, (FACES,), generator=generator)
    return embeddings.requires_grad_(), labels


def make(loss: str = "arcface", **options: Any) -> PartialFC:
    options = {"scale": 8.0, "rate": 1.0, **options}
    return PartialFC(DIM, CLASSES, loss, **options).double()


@pytest.mark.parametrize("name", losses.names())
def test_with_every_class_it_is_the_loss_itself(name: str) -> None:
    partial = make(name).train()
    plain = losses.create(name, DIM, CLASSES, scale=8.0).double().train()
    plain.load_state_dict(partial.loss.state_dict())
    embeddings, labels = batch()
    labels[2] = -1
    pairs = torch.tensor([[2, 4], [0, 9]])
    found, wanted = (each(embeddings, labels, pairs) for each in (partial, plain))
    assert found.item() == pytest.approx(wanted.item(), rel=1e-12)
    slopes = torch.autograd.grad(found, [embeddings, partial.weight])
    expected = torch.autograd.grad(wanted, [embeddings, plain.weight])
    assert all(
        torch.allclose(a, b, atol=1e-12) for a, b in zip(slopes, expected, strict=True)
    )


@pytest.mark.xdist_group("forked trainings")
def test_two_ranks_train_as_one_process_does(tmp_path: Path) -> None:
    """With DistributedDataParallel, for every margin, every rate and every filter."""
    wanted = {name: ranks.train(0, 1, dict(options)) for name, options in RUNS.items()}
    # Loopback, whatever the machine's name resolves to.
    local = {"GLOO_SOCKET_IFNAME": "lo"}
    run(*(Program(ranks.__name__, words, local) for words in of_ranks(2, tmp_path)))
    for number in range(2):
        found = safetensors.torch.load_file(tmp_path / f"{number}.safetensors")
        for name, (values, tensors) in wanted.items():
            assert found[f"{name}.losses"].tolist() == pytest.approx(values, rel=1e-9)
            for key, tensor in tensors.items():
                assert torch.allclose(found[f"{name}.{key}"], tensor, atol=1e-9), (
                    f"{key} of {name}"
                )


def of_ranks(count: int, folder: Path) -> Iterator[list[str]]:
    """The words of each rank's line."""
    for rank in range(count):
        files = str(folder / "store"), str(folder / f"{rank}.safetensors")
        yield [str(rank), str(count), *files, json.dumps(RUNS)]


def drawn(partial: PartialFC, labels: Tensor) -> set[int]:
    return set(partial._drawn(labels).nonzero()[:, 0].tolist())


def test_the_batchs_classes_are_always_in_and_a_share_of_the_others() -> None:
    partial = PartialFC(4, 5000, rate=0.1).train()
    labels = torch.tensor([17, 4242, -1])
    sets = [drawn(partial, labels) for _ in range(20)]
    assert all({17, 4242} <= each for each in sets)
    assert all(400 < len(each) < 600 for each in sets)
    assert len({frozenset(each) for each in sets}) == 20
    counts = torch.zeros(5000)
    for each in sets:
        counts[list(each - {17, 4242})] += 1
    # Binomial of 20 draws by 0.1: its mean and variance.
    assert counts.mean().item() == pytest.approx(2.0, abs=0.1)
    assert counts.var().item() == pytest.approx(1.8, abs=0.15)


def test_what_is_drawn_depends_on_seed_step_and_class_alone() -> None:
    whole = _chances(torch.arange(1000), torch.tensor(5), 3)
    parts = [
        _chances(torch.arange(a, b), torch.tensor(5), 3) for a, b in ((0, 7), (7, 1000))
    ]
    assert torch.equal(whole, torch.cat(parts))
    assert not torch.equal(whole, _chances(torch.arange(1000), torch.tensor(6), 3))
    assert not torch.equal(whole, _chances(torch.arange(1000), torch.tensor(5), 4))
    assert 0 <= whole.min() < 0.01
    assert 0.99 < whole.max() < 1


def test_a_resumed_run_draws_what_the_first_would_have_drawn() -> None:
    partial, labels = make(rate=0.3).train(), torch.tensor([0])
    drawn(partial, labels)
    resumed = make(rate=0.3).train()
    resumed.load_state_dict(partial.state_dict())
    assert drawn(resumed, labels) == drawn(partial, labels)


def test_only_the_drawn_centres_get_a_gradient() -> None:
    partial = make(rate=0.2).train()
    embeddings, labels = batch()
    expected = drawn(make(rate=0.2).train(), labels)
    torch.autograd.backward(partial(embeddings, labels))
    assert partial.weight.grad is not None
    moved = partial.weight.grad.abs().sum(1).nonzero()[:, 0]
    assert set(moved.tolist()) == expected


def test_a_negative_that_is_too_similar_does_not_count_and_a_forbidden_one_does() -> (
    None
):
    partial = make(most_similar=0.5)
    with torch.no_grad():
        partial.weight.copy_(torch.eye(CLASSES, DIM))
        partial.weight[DIM:] = 0
    embeddings = torch.zeros(1, DIM, dtype=torch.float64)
    embeddings[0, :3] = torch.tensor([0.6, 0.7, 0.2])
    embeddings.requires_grad_()
    label = torch.tensor([0])

    def with_a_slope(*pairs: list[int]) -> set[int]:
        loss = partial(embeddings, label, torch.tensor(pairs) if pairs else None)
        [slope] = torch.autograd.grad(loss, partial.weight)
        return set(slope[:DIM].abs().sum(1).nonzero()[:, 0].tolist())

    assert with_a_slope() == {0, 2, 3, 4, 5, 6}
    assert with_a_slope([0, 1]) == {0, 1, 2, 3, 4, 5, 6}
    embeddings.data[0, 0] = 6.0  # its own class is never too similar
    assert 0 in with_a_slope()


def test_in_evaluation_every_class_counts() -> None:
    partial = make(rate=0.1).eval()
    embeddings, labels = batch()
    plain = losses.create("arcface", DIM, CLASSES, scale=8.0).double().eval()
    plain.load_state_dict(partial.loss.state_dict())
    assert torch.allclose(partial(embeddings, labels), plain(embeddings, labels))
    assert partial.step.item() == 0


def test_first_centres_are_the_same_for_any_number_of_ranks() -> None:
    whole = _first_centres(torch.empty(9000, 3), 0, 1)
    part = _first_centres(torch.empty(5000, 3), 4000, 1)
    assert torch.equal(part, whole[4000:])
    assert whole.std().item() == pytest.approx(0.01, rel=0.05)
    assert _first_centres(torch.empty(1, 3), 0, 2**63 - 1).isfinite().all()


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.5])
def test_a_share_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(WrongUse, match=r"must be in \(0, 1\]"):
        make(rate=rate)


@pytest.mark.parametrize("how", ["bfloat16", "float16", "autocast"])
def test_half_precision_gives_finite_losses(how: str) -> None:
    partial = PartialFC(DIM, CLASSES, rate=0.5, most_similar=0.4).train()
    dtype = torch.float32 if how == "autocast" else getattr(torch, how)
    partial = partial.to(dtype)
    embeddings, labels = batch()
    halves = embeddings.detach().to(dtype).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=how == "autocast"):
        found = partial(halves, labels)
    slopes = torch.autograd.grad(found, [halves, partial.weight])
    assert all(torch.isfinite(each).all() for each in (found, *slopes))
