"""What share is right, at a rate and in each group of pictures, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from icf.dataset.scores.recognition.bootstrap import (
    NONE,
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


@dataclass(frozen=True)
class AtRate:
    """A score at one rate of false ones, as FAR; None: it is not supported.

    Attributes:
        rate: That was asked for.
        needed: Observations that it needs, as impostor pairs.
        share: Of right ones, as TAR.
        bounds: Its interval; identities are drawn again, and the threshold with them.
        threshold: A cosine; what is above it is accepted.
        right: How many are accepted rightly.
        wrong: And how many wrongly.
        groups: `share` at this threshold in each group.
    """

    rate: float
    needed: int
    share: float | None = None
    bounds: Bounds = NONE
    threshold: float | None = None
    right: int | None = None
    wrong: int | None = None
    groups: Mapping[str, Mapping[str, GroupShare]] = field(default_factory=dict)


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
