from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from icf.models.training.losses.margins import angle, margin_cosine, staircase_cosine

MARGINS = [
    (1.0, 0.0, 0.0),
    (1.0, 0.5, 0.0),
    (1.0, 0.0, 0.35),
    (1.35, 0.0, 0.0),
    (1.2, 0.3, 0.2),
    (4.0, 0.0, 0.0),
]


def scalar(cosine: float, m1: float, m2: float, m3: float) -> float:
    """The margin of one cosine, as the papers have it, on Python's numbers."""
    theta = m1 * math.acos(cosine) + m2
    if theta <= math.pi:
        return math.cos(theta) - m3
    return -1 - (theta - math.pi) - m3


@pytest.mark.parametrize("margins", MARGINS)
@given(cosine=st.floats(-1, 1))
def test_the_margin_is_the_papers_formula(
    margins: tuple[float, float, float], cosine: float
) -> None:
    value = torch.tensor([cosine], dtype=torch.float64)
    [found] = margin_cosine(value, *margins).tolist()
    assert found == pytest.approx(scalar(cosine, *margins), abs=1e-10)


@pytest.mark.parametrize("margins", MARGINS)
@pytest.mark.parametrize("cosine", [-1.0, 1.0, -0.99, 0.0, 1.0000001])
def test_value_and_slope_are_finite_at_every_angle(
    margins: tuple[float, float, float], cosine: float
) -> None:
    for curve in (
        lambda c: margin_cosine(c, *margins),
        lambda c: staircase_cosine(c, margins[0]),
        angle,
    ):
        value = torch.tensor([cosine], requires_grad=True)
        out = curve(value)
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
    assert (staircase_cosine(cosines, margins[0]).diff() >= -1e-12).all()


@pytest.mark.parametrize("margins", MARGINS)
def test_the_exact_gradient_is_the_slope_of_the_value(
    margins: tuple[float, float, float],
) -> None:
    # -0.95 with m2 = 0.5 lies beyond pi, where the curve is a line in the angle.
    cosines = torch.tensor([-0.95, -0.3, 0.4, 0.9], dtype=torch.float64)
    cosines.requires_grad_()
    assert torch.autograd.gradcheck(lambda c: margin_cosine(c, *margins), [cosines])
    assert torch.autograd.gradcheck(
        lambda c: staircase_cosine(c, margins[0]), [cosines]
    )


@given(m=st.sampled_from([1.0, 1.35, 2.0, 3.0, 4.0]), theta=st.floats(0.0, math.pi))
def test_the_staircase_is_a_softmaxs_psi(m: float, theta: float) -> None:
    k = min(int(m * theta / math.pi), math.ceil(m) - 1)
    psi = (-1) ** k * math.cos(m * theta) - 2 * k
    value = torch.tensor([math.cos(theta)], dtype=torch.float64)
    assert staircase_cosine(value, m).item() == pytest.approx(psi, abs=1e-6)
    # At the start and the end of the paper's range.
    ends = staircase_cosine(torch.tensor([1.0, -1.0], dtype=torch.float64), 4.0)
    assert ends.tolist() == pytest.approx([1.0, -7.0])
