from __future__ import annotations

import pytest
import torch

from icf.errors import WrongUse
from icf.models.training import losses
from icf.models.training.losses.subcenter_arcface import SubcenterArcFace


def with_centres(*centres: list[list[float]]) -> SubcenterArcFace:
    """A loss with these centres: classes x 2 x 2."""
    loss = losses.create("subcenter-arcface", 2, len(centres), centres=2)
    assert isinstance(loss, SubcenterArcFace)
    loss.weight.data = torch.tensor(centres, dtype=torch.float32)
    return loss


def test_faces_far_from_their_classs_dominant_centre_are_named_and_kept() -> None:
    loss = with_centres([[1, 0], [0, 1]], [[0, 1], [-1, 0]])
    embeddings = torch.tensor(
        [
            *([5.0, 0.5], [9.0, -1.0], [3.0, 0.0]),  # around the first centre
            [0.1, 2.0],  # near the second centre: 87 degrees from the first
            [-1.0, 0.1],  # opposite the first
            *([0.0, 1.0], [0.1, 1.0]),  # of the other class
            [-1.0, 0.0],  # of no known class
        ]
    )
    labels = torch.tensor([0, 0, 0, 0, 0, 1, 1, -1])
    before = embeddings.clone()
    found = loss.to_drop(embeddings, labels)
    assert found.rows.tolist() == [4, 3]
    assert found.degrees.tolist() == pytest.approx([174.289, 87.138], abs=1e-2)
    assert found.centre.tolist() == [1, 1]
    assert found.dominant.tolist() == [0, 0]
    assert torch.equal(embeddings, before)
    assert loss.to_drop(embeddings, labels, degrees=100).rows.tolist() == [4]


def test_flipped_labels_gather_around_another_centre_and_are_found() -> None:
    """Eight characters, a fifth of the faces under a wrong name; trained briefly."""
    generator = torch.Generator().manual_seed(2)
    means = torch.eye(8, 16)
    true = torch.arange(8).repeat(40)
    noise = 0.1 * torch.randn(320, 16, generator=generator)
    embeddings = means[true] + noise
    flipped = torch.rand(320, generator=generator) < 0.2
    labels = torch.where(flipped, (true + 1) % 8, true)
    torch.manual_seed(0)
    loss = SubcenterArcFace(16, 8, scale=16.0)
    optimiser = torch.optim.SGD(loss.parameters(), 0.5, 0.9)
    for _ in range(60):
        optimiser.zero_grad()
        torch.autograd.backward(loss(embeddings, labels))
        optimiser.step()
    found = loss.to_drop(embeddings, labels)
    right = flipped[found.rows].float().mean().item()
    assert right > 0.95
    assert len(found.rows) > 0.7 * flipped.sum()


def test_one_centre_a_class_is_refused() -> None:
    with pytest.raises(WrongUse, match="needs 2 centres a class or more, not 1"):
        losses.create("subcenter-arcface", 4, 3, centres=1)
