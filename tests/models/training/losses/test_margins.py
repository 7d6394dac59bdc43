from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from icf.models.training.losses.margins import Gradient, MarginLoss, margin_cosine

MARGINS = [
    (1.0, 0.0, 0.0),
    (1.0, 0.5, 0.0),
    (1.0, 0.0, 0.35),
    (1.35, 0.0, 0.0),
    (1.2, 0.3, 0.2),
]


def scalar(cosine: float, m1: float, m2: float, m3: float) -> float:
    """The margin of one cosine, as the papers have it, on Python's numbers."""
    angle = m1 * math.acos(cosine) + m2
    if angle <= math.pi:
        return math.cos(angle) - m3
    return -1 - (angle - math.pi) - m3


def scalar_loss(
    embeddings: list[list[float]],
    weights: list[list[float]],
    labels: list[int],
    scale: float,
    margins: tuple[float, float, float],
    focal: float,
) -> float:
    """The loss of a batch, number by number."""
    losses = []
    for embedding, label in zip(embeddings, labels, strict=True):
        logits = []
        for index, weight in enumerate(weights):
            dot = sum(a * b for a, b in zip(embedding, weight, strict=True))
            cosine = dot / math.hypot(*embedding) / math.hypot(*weight)
            logits.append(
                scale * (scalar(cosine, *margins) if index == label else cosine)
            )
        top = max(logits)
        total = sum(math.exp(logit - top) for logit in logits)
        p = math.exp(logits[label] - top) / total
        losses.append(float((1 - p) ** focal) * -math.log(p))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("margins", MARGINS)
@given(cosine=st.floats(-0.9999, 0.9999))
def test_the_margin_is_the_papers_formula(
    margins: tuple[float, float, float], cosine: float
) -> None:
    value = torch.tensor([cosine], dtype=torch.float64)
    [found] = margin_cosine(value, *margins).tolist()
    assert found == pytest.approx(scalar(cosine, *margins), abs=1e-6)


@pytest.mark.parametrize("margins", MARGINS)
@pytest.mark.parametrize("gradient", ["exact", "straight_through"])
@pytest.mark.parametrize("cosine", [-1.0, 1.0, -0.99, 0.0])
def test_value_and_slope_are_finite_at_every_angle(
    margins: tuple[float, float, float], gradient: Gradient, cosine: float
) -> None:
    value = torch.tensor([cosine], requires_grad=True)
    out = margin_cosine(value, *margins, gradient)
    torch.autograd.backward(out.sum())
    assert torch.isfinite(out).all()
    assert value.grad is not None
    assert torch.isfinite(value.grad).all()


@pytest.mark.parametrize("margins", MARGINS)
def test_a_smaller_angle_never_has_a_smaller_logit(
    margins: tuple[float, float, float],
) -> None:
    cosines = torch.linspace(-1, 1, 2001, dtype=torch.float64)
    assert (margin_cosine(cosines, *margins).diff() >= 0).all()


@pytest.mark.parametrize("margins", MARGINS)
def test_the_exact_gradient_is_the_slope_of_the_value(
    margins: tuple[float, float, float],
) -> None:
    # -0.95 with m2 = 0.5 lies beyond pi, where the curve is a line in the angle.
    cosines = torch.tensor([-0.95, -0.3, 0.4, 0.9], dtype=torch.float64)
    cosines.requires_grad_()
    assert torch.autograd.gradcheck(lambda c: margin_cosine(c, *margins), [cosines])


@pytest.mark.parametrize("margins", MARGINS)
def test_straight_through_has_the_same_value_and_the_slope_of_the_plain_cosine(
    margins: tuple[float, float, float],
) -> None:
    cosines = torch.tensor([-0.95, -0.3, 0.4, 0.9], requires_grad=True)
    exact = margin_cosine(cosines, *margins)
    straight = margin_cosine(cosines, *margins, "straight_through")
    torch.autograd.backward(straight.sum())
    assert torch.allclose(exact, straight)
    assert torch.equal(cosines.grad, torch.ones(4))  # type: ignore[arg-type]


@pytest.mark.parametrize("margins", MARGINS)
@pytest.mark.parametrize("focal", [0.0, 2.0])
def test_the_loss_is_what_counting_by_hand_gives(
    margins: tuple[float, float, float], focal: float
) -> None:
    random = np.random.default_rng(3)
    embeddings, labels = random.normal(size=(5, 7)), random.integers(0, 4, 5)
    loss = MarginLoss(7, 4, 8.0, *margins, focal).double()
    weights = random.normal(size=(4, 7))
    loss.weight.data = torch.from_numpy(weights)
    found = loss(torch.from_numpy(embeddings), torch.from_numpy(labels))
    by_hand = scalar_loss(
        embeddings.tolist(), weights.tolist(), labels.tolist(), 8.0, margins, focal
    )
    assert found.item() == pytest.approx(by_hand, rel=1e-6)


def test_the_focal_factor_is_each_samples_own() -> None:
    random = np.random.default_rng(4)
    embeddings = torch.from_numpy(random.normal(size=(6, 5)))
    labels = torch.from_numpy(random.integers(0, 3, 6))
    loss = MarginLoss(5, 3, 8.0, focal=2.0).double()
    alone = [loss(embeddings[i : i + 1], labels[i : i + 1]) for i in range(6)]
    assert torch.allclose(loss(embeddings, labels), torch.stack(alone).mean())


def test_the_length_of_an_embedding_does_not_matter() -> None:
    random = np.random.default_rng(5)
    embeddings = torch.from_numpy(random.normal(size=(6, 5)))
    labels = torch.from_numpy(random.integers(0, 3, 6))
    loss = MarginLoss(5, 3).double()
    assert torch.allclose(loss(embeddings, labels), loss(17 * embeddings, labels))


@given(seed=st.integers(0, 1000))
def test_a_margin_makes_the_loss_no_smaller(seed: int) -> None:
    random = np.random.default_rng(seed)
    embeddings = torch.from_numpy(random.normal(size=(4, 5)))
    labels = torch.from_numpy(random.integers(0, 3, 4))
    weights = torch.from_numpy(random.normal(size=(3, 5)))
    values = []
    for margins in MARGINS:
        loss = MarginLoss(5, 3, 8.0, *margins).double()
        loss.weight.data = weights
        values.append(loss(embeddings, labels).item())
    assert values[0] <= min(values) + 1e-9
