"""Fit the judge of photographs: ``icf-train photo``.

The features are ImageNet's and stay fixed; only a logistic model over them is fitted,
because there are few photographs with a free licence. Some thousand examples take
minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from icf.models import photo
from icf.models.networks.photo import PhotoNet, normalised
from icf.models.training.photo import examples
from icf.models.training.photo.examples import Plan
from icf.tools.training_art.collections import Collection

Report = Callable[[str], None]

#: Examples in a batch.
_BATCH = 32


@dataclass(frozen=True)
class Recipe:
    """The settings of a fit.

    Attributes:
        seed: random seed of the examples.
        penalty: on the squared weights, in examples.
        steps: most steps of the optimiser.
    """

    seed: int = 3
    penalty: float = 3000.0
    steps: int = 200


@dataclass(frozen=True)
class Examples:
    """Examples and their features.

    Attributes:
        plans: how each was made.
        features: shape (n, d).
    """

    plans: Sequence[Plan]
    features: Tensor

    @property
    def photographs(self) -> Tensor:
        """Whether each is a photograph, shape (n,), bool."""
        return torch.tensor([plan.is_photograph for plan in self.plans])


def fit(
    recipe: Recipe, weights: Path, collections: Iterable[Collection], report: Report
) -> PhotoNet:
    """Fit a head on the collections that may be trained on."""
    net = PhotoNet.from_imagenet(weights)
    kept = [each for each in collections if not each.held_out]
    made = with_features(net, list(examples.plans(kept, recipe.seed)), report)
    centre = made.features.mean(0)
    scale = made.features.std(0) + 1e-6
    near = normalised(made.features, centre, scale)
    slope, intercept = logistic(near, made.photographs, recipe)
    net.set_head(centre, scale, slope, intercept)
    return net


def with_features(net: PhotoNet, plans: Sequence[Plan], report: Report) -> Examples:
    """Make examples and compute their features."""
    rows = []
    for start in range(0, len(plans), _BATCH):
        some = plans[start : start + _BATCH]
        pixels: NDArray[np.uint8] = np.stack(
            [photo.views(examples.make(plan)) for plan in some]
        )
        with torch.no_grad():
            rows.append(net.features(torch.from_numpy(pixels).float()))
        if start % (_BATCH * 16) == 0:
            report(f"{start:,} of {len(plans):,} examples")
    return Examples(plans, torch.cat(rows))


def logistic(
    features: Tensor, positive: Tensor, recipe: Recipe
) -> tuple[Tensor, Tensor]:
    """Fit logistic regression with a squared penalty; classes weigh the same.

    Args:
        features: shape (n, d).
        positive: shape (n,), bool.
        recipe: its ``penalty`` and ``steps``.

    Returns:
        Slope, of shape (d,), and intercept, of shape (1,).
    """
    rows, truth = features.double(), positive.double()
    weight = torch.where(positive, 0.5 / truth.sum(), 0.5 / (1 - truth).sum())
    weight = weight * len(truth)
    slope = torch.zeros(rows.shape[1], dtype=torch.float64, requires_grad=True)
    intercept = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [slope, intercept],
        max_iter=recipe.steps,
        tolerance_change=1e-10,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            rows @ slope + intercept, truth, weight, reduction="sum"
        )
        loss = loss + recipe.penalty / 2 * slope.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return slope.detach().float(), intercept.detach().float()
