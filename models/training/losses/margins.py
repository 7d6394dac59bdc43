"""The curves of margins, on the cosines of the true classes.

With a class centre and an embedding of unit length and the angle theta between them,
the logit of the true class becomes

    s (cos(m1 theta + m2) - m3)

which is SphereFace's margin as a line for m1 (Liu et al. 2017, arXiv:1704.08063),
ArcFace's for m2 (Deng et al. 2019, arXiv:1801.07698, equation 3) and CosFace's for m3
(Wang et al. 2018, arXiv:1801.09414, equation 4). Equation 4 of the ArcFace paper
combines the three.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: The slope of arccos is taken at most this close to cos = +-1, where it is infinite.
_EDGE = 1e-6


def angle(cosine: Tensor) -> Tensor:
    """Return arccos, with a finite slope at +-1.

    The value is exact everywhere. The slope is exact up to 1e-6 from +-1 and 0 beyond,
    where the angle is below 0.0015: the gradient of an embedding has a factor
    sin(theta), so what is left out is small.

    Args:
        cosine: any shape, in [-1, 1] but for rounding.

    Returns:
        The same shape, in [0, pi].
    """
    smooth = torch.arccos(cosine.clamp(-1 + _EDGE, 1 - _EDGE))
    exact = torch.arccos(cosine.detach().clamp(-1, 1))
    return smooth + (exact - smooth).detach()


def falling_cosine(theta: Tensor) -> Tensor:
    """Return cos(theta) up to pi, and the line -1 - (theta - pi) beyond.

    Beyond pi the cosine would rise again; the line keeps the curve monotonic.
    """
    beyond = (theta - math.pi).clamp(min=0)
    return torch.cos(theta.clamp(max=math.pi)) - beyond


def margin_cosine(
    cosine: Tensor, m1: float = 1.0, m2: float | Tensor = 0.0, m3: float = 0.0
) -> Tensor:
    """Apply the combined margin to the cosines of the true classes.

    Args:
        cosine: shape (n,), in [-1, 1].
        m1: factor of the angle, >= 1.
        m2: added to the angle, in radians, >= 0; one for all, or one for each.
        m3: taken from the cosine, >= 0.

    Returns:
        Shape (n,).

    >>> margin_cosine(torch.tensor([0.5]), m3=0.25)
    tensor([0.2500])
    """
    if m1 == 1.0 and isinstance(m2, float) and m2 == 0.0:
        return cosine - m3
    return falling_cosine(m1 * angle(cosine) + m2) - m3


def staircase_cosine(cosine: Tensor, m: float) -> Tensor:
    """Apply the psi of A-Softmax, a staircase of cosines.

    psi(theta) = (-1)^k cos(m theta) - 2k for theta in [k pi/m, (k+1) pi/m]; Liu et al.
    2017 (arXiv:1704.08063), equation 7.

    Args:
        cosine: shape (n,), in [-1, 1].
        m: factor of the angle, >= 1.

    Returns:
        Shape (n,), falling with theta from 1 to below -1.
    """
    theta = angle(cosine)
    k = (m * theta.detach() / math.pi).floor().clamp(max=math.ceil(m) - 1)
    return (1 - 2 * (k % 2)) * torch.cos(m * theta) - 2 * k
