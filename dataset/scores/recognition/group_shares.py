"""What share is right in each group of pictures, with intervals by identity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icf.dataset.scores.recognition.bootstrap import (
    Bounds,
    draw_weights,
    ratio_bounds,
)
from icf.dataset.scores.recognition.groups import Grouping
from icf.icartoonface.recognition import IntArray


@dataclass(frozen=True)
class GroupShare:
    """A share of some observations, as pairs or probes.

    Attributes:
        share: From 0 to 1.
        bounds: Its interval; identities are drawn again.
        count: How many observations.
    """

    share: float
    bounds: Bounds
    count: int


def group_shares(
    right: npt.NDArray[np.bool_], owners: IntArray, groups: Grouping, seed: int
) -> dict[str, GroupShare]:
    """Count what is right in each group.

    Args:
        right: Shape (n,): which observations are.
        owners: Shape (n,): the identity of each.
        groups: Of the n observations.
        seed: Of the drawings of identities.

    Example:
        >>> by = Grouping(("a", "b"), np.array([0, 0, 1, -1]))
        >>> right = np.array([True, False, True, True])
        >>> found = group_shares(right, np.array([0, 1, 1, 2]), by, seed=0)
        >>> {name: (each.share, each.count) for name, each in found.items()}
        {'a': (0.5, 2), 'b': (1.0, 1)}
    """
    known, owner = np.unique(owners, return_inverse=True)
    weights = draw_weights(len(known), seed)
    made = {}
    for name, rows in groups.rows(np.arange(len(right))):
        wholes = np.bincount(owner[rows], minlength=len(known)).astype(np.float64)
        parts = np.zeros((len(known), 1))
        np.add.at(parts[:, 0], owner[rows], right[rows])
        [bounds] = ratio_bounds(parts, wholes, weights)
        made[name] = GroupShare(float(right[rows].mean()), bounds, len(rows))
    return made
