"""The loss that compares the crops of a batch."""

from __future__ import annotations

import math

import pytest
import torch

from icf.models.training.drawn.contrast import contrast


def test_it_is_the_cross_entropy_of_finding_the_other_crop() -> None:
    torch.manual_seed(0)
    embeddings = torch.randn(6, 5, dtype=torch.float64)
    labels = torch.tensor([4, 4, 9, 9, 1, 1])
    near = torch.nn.functional.normalize(embeddings)
    losses = []
    for row, other in enumerate([1, 0, 3, 2, 5, 4]):
        cosines = [float(near[row] @ near[column]) for column in range(6)]
        below = sum(
            math.exp(7 * cosines[column]) for column in range(6) if column != row
        )
        losses.append(math.log(below) - 7 * cosines[other])
    found = float(contrast(embeddings, labels, 7.0))
    assert found == pytest.approx(sum(losses) / 6, rel=1e-9)


def test_all_other_crops_of_an_identity_count_alike() -> None:
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    labels = torch.tensor([0, 0, 0, 1])
    below = math.log(2 * math.exp(2) + 1)
    apart = math.log(3)
    first = (below - 2 + below) / 2
    assert float(contrast(embeddings, labels, 2.0)) == pytest.approx(
        (2 * first + apart) / 3, rel=1e-5
    )


def test_identities_with_one_crop_only_push_others_away() -> None:
    embeddings = torch.randn(3, 4, requires_grad=True)
    loss = contrast(embeddings, torch.tensor([0, 1, 2]), 16.0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()


@pytest.mark.parametrize("length", [1e-9, 1.0, 1e4])
def test_lengths_do_not_matter_and_gradients_are_finite(length: float) -> None:
    torch.manual_seed(1)
    embeddings = (length * torch.randn(4, 3)).requires_grad_()
    loss = contrast(embeddings, torch.tensor([0, 0, 1, 1]), 16.0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()
