from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from icf.models.training.adaptation.unknown_identity import (
    Form,
    unknown_identity_losses,
)

FORMS: list[Form] = ["mean", "sum", "authors"]
CLASSES = 5013


def sure(dtype: torch.dtype = torch.float64) -> Tensor:
    """Eight faces that a classifier of 5,013 classes, s = 64, is sure of.

    Each has a cosine of 0.484 with one class, and none with the others.
    """
    logits = torch.zeros(8, CLASSES, dtype=dtype)
    logits[torch.arange(8), torch.arange(8) * 7] = 64 * 0.48425
    return logits.requires_grad_()


def value_and_slope(form: Form) -> tuple[float, float]:
    """Mean over the faces, and its largest gradient for a logit."""
    logits = sure()
    mean = unknown_identity_losses(logits, form).mean()
    [slope] = torch.autograd.grad(mean, logits)
    return mean.item(), slope.abs().max().item()


def test_as_printed_value_and_gradient_are_enormous() -> None:
    value, slope = value_and_slope("sum")
    assert value == pytest.approx(155_331, abs=10)
    assert slope == pytest.approx(627, abs=1)


def test_the_mean_is_kl_and_its_gradient_an_eighth_for_eight_faces() -> None:
    value, slope = value_and_slope("mean")
    assert value == pytest.approx(22.5, abs=0.05)
    assert slope == pytest.approx(0.125, abs=1e-4)


def test_softmax_of_softmax_ends_at_0_718_without_a_gradient() -> None:
    value, slope = value_and_slope("authors")
    assert value == pytest.approx(math.e - 2, abs=1e-3)
    assert value == pytest.approx(0.718, abs=1e-3)
    assert slope < 1e-9


@pytest.mark.parametrize("form", FORMS)
def test_the_losses_are_the_formulas(form: Form) -> None:
    generator = torch.Generator().manual_seed(2)
    logits = 3 * torch.randn(4, 9, generator=generator, dtype=torch.float64)
    logits.requires_grad_()
    rows = []
    for row in logits:
        p = torch.exp(row) / torch.exp(row).sum()
        if form == "mean":
            uniform = torch.full_like(p, 1 / 9)
            rows.append((uniform * (uniform / p).log()).sum())
        elif form == "sum":
            rows.append(-torch.log(p).sum())
        else:
            again = torch.exp(p) / torch.exp(p).sum()
            rows.append(-torch.log(again).sum() - 9 * math.log(9))
    wanted, found = torch.stack(rows), unknown_identity_losses(logits, form)
    assert torch.allclose(found, wanted, rtol=1e-10, atol=1e-12)
    [slope] = torch.autograd.grad(found.sum(), logits)
    [expected] = torch.autograd.grad(wanted.sum(), logits)
    assert torch.allclose(slope, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("form", ["mean", "authors"])
@pytest.mark.parametrize("shift", [0.0, 64.0, -64.0])
def test_an_even_distribution_has_no_loss(form: Form, shift: float) -> None:
    logits = torch.full((2, CLASSES), shift)
    assert unknown_identity_losses(logits, form).abs().max() < 2e-3


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_logits_of_64_either_way_give_finite_losses(
    form: Form, dtype: torch.dtype
) -> None:
    logits = torch.full((3, CLASSES), -64.0)
    logits[0, 5] = logits[1, :9] = 64.0
    logits[2, ::2] = 64.0
    logits = logits.to(dtype).requires_grad_()
    found = unknown_identity_losses(logits, form)
    assert torch.isfinite(found).all()
    [slope] = torch.autograd.grad(found.sum(), logits)
    assert torch.isfinite(slope).all()
