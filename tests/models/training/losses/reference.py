"""The losses written down a second time: face by face, class by class, in float64.

Nothing here is shared with `icf.models.training.losses`; autograd gives the gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Logits = Callable[[Tensor, Tensor, int], list[Tensor]]


def cosine(x: Tensor, w: Tensor) -> Tensor:
    return (x * w).sum() / (x * x).sum().sqrt() / (w * w).sum().sqrt()


def falling(theta: Tensor) -> Tensor:
    """Cosine, and a line beyond pi."""
    return torch.cos(theta) if theta <= math.pi else math.pi - 1 - theta


def mean_loss(
    logits: Logits,
    embeddings: Tensor,
    weight: Tensor,
    labels: Sequence[int],
    focal: float = 0.0,
) -> Tensor:
    """Cross-entropy of some logits, with a focal factor for each face."""
    losses = []
    for x, label in zip(embeddings, labels, strict=True):
        z = torch.stack(logits(x, weight, label))
        p = torch.exp(z[label] - z.max()) / torch.exp(z - z.max()).sum()
        losses.append((1 - p) ** focal * -torch.log(p))
    return torch.stack(losses).mean()


def softmax(x: Tensor, weight: Tensor, label: int) -> list[Tensor]:
    return [(x * w).sum() for w in weight]


@dataclass(frozen=True)
class Combined:
    s: float
    m1: float = 1.0
    m2: float = 0.0
    m3: float = 0.0

    def __call__(self, x: Tensor, weight: Tensor, label: int) -> list[Tensor]:
        z = [cosine(x, w) for w in weight]
        z[label] = falling(self.m1 * torch.acos(z[label]) + self.m2) - self.m3
        return [self.s * each for each in z]


@dataclass(frozen=True)
class SphereFace:
    m: float
    easy: float = 0.0

    def __call__(self, x: Tensor, weight: Tensor, label: int) -> list[Tensor]:
        z = [cosine(x, w) for w in weight]
        theta = torch.acos(z[label])
        k = next(k for k in range(9) if theta <= (k + 1) * math.pi / self.m)
        psi = (-1) ** k * torch.cos(self.m * theta) - 2 * k
        z[label] = (self.easy * z[label] + psi) / (1 + self.easy)
        return [(x * x).sum().sqrt() * each for each in z]


@dataclass(frozen=True)
class SubcenterArcFace:
    s: float
    m: float

    def __call__(self, x: Tensor, weight: Tensor, label: int) -> list[Tensor]:
        z = [
            max((cosine(x, w) for w in centres), key=Tensor.item) for centres in weight
        ]
        z[label] = falling(torch.acos(z[label]) + self.m)
        return [self.s * each for each in z]


@dataclass(frozen=True)
class AdaFace:
    s: float
    m: float
    h: float
    mean: float
    deviation: float

    def __call__(self, x: Tensor, weight: Tensor, label: int) -> list[Tensor]:
        z = [cosine(x, w) for w in weight]
        length = min(max(x.norm().item(), 0.001), 100.0)
        q = (length - self.mean) / (self.deviation + 0.001) * self.h
        q = min(max(q, -1.0), 1.0)
        theta = torch.acos(z[label]) - self.m * q
        theta = theta.clamp(0.001, math.pi - 0.001)
        z[label] = torch.cos(theta) - (self.m + self.m * q)
        return [self.s * each for each in z]


@dataclass(frozen=True)
class MagFace:
    s: float

    def __call__(self, x: Tensor, weight: Tensor, label: int) -> list[Tensor]:
        z = [cosine(x, w) for w in weight]
        a = (x * x).sum().sqrt().clamp(10, 110)
        m = 0.45 + (0.8 - 0.45) * (a - 10) / (110 - 10)
        z[label] = falling(torch.acos(z[label]) + m)
        return [self.s * each for each in z]


def magface_penalty(embeddings: Tensor) -> Tensor:
    lengths = [(x * x).sum().sqrt().clamp(10, 110) for x in embeddings]
    return 35 * torch.stack([a / 110**2 + 1 / a for a in lengths]).mean()


@dataclass(frozen=True)
class CurricularFace:
    s: float
    m: float
    t: float

    def __call__(self, x: Tensor, weight: Tensor, label: int) -> list[Tensor]:
        z = [cosine(x, w) for w in weight]
        target = falling(torch.acos(z[label]) + self.m)
        z = [c * (self.t + c) if c > target else c for c in z]
        z[label] = target
        return [self.s * each for each in z]
