"""Which pictures of two domains are in the batch of a step.

A batch has two halves, one for each domain's classifier. A quarter of each half is
pictures of the other domain, without their labels (section 4.2: "taking 1/4 human face
data as unlabeled data and 3/4 of x_c as known ones").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from icf.errors import WrongUse

#: z of the paper: whether a picture is of a human or of a cartoon face.
HUMAN, CARTOON = 0, 1
#: Share of a half that is of the other domain.
UNLABELLED = 0.25


@dataclass(frozen=True)
class TwoDomainBatch:
    """The pictures of a batch, n.

    Attributes:
        pictures: n, int64, the number of each picture within its domain.
        domains: n, int64, `HUMAN` or `CARTOON`.
        labelled: n, bool; False: the picture goes to the other domain's classifier,
            which does not know its identity.
    """

    pictures: NDArray[np.int64]
    domains: NDArray[np.int64]
    labelled: NDArray[np.bool_]


def compose(
    step: int,
    seed: int,
    humans: int,
    cartoons: int,
    batch: int,
    unlabelled: float = UNLABELLED,
) -> TwoDomainBatch:
    """Return the batch of a step, which depends on the arguments alone.

    Each domain's pictures are drawn in a random order, and once each before any a
    second time.

    Args:
        step: number of the batch, from 0.
        seed: of the orders.
        humans: number of human pictures.
        cartoons: number of cartoon pictures.
        batch: pictures of both halves; even.
        unlabelled: share of each half that is of the other domain, in [0, 1).

    Raises:
        WrongUse: a domain has no pictures, or the batch cannot be divided so.
    """
    if min(humans, cartoons) < 1:
        raise WrongUse(
            f"two domains need pictures of both; there are {humans} human and "
            f"{cartoons} cartoon ones"
        )
    if batch < 2 or batch % 2 or not 0 <= unlabelled < 1:
        raise WrongUse(
            f"a batch of two domains has an even number of pictures and a share of "
            f"unlabelled ones below 1, not {batch} and {unlabelled}"
        )
    half = batch // 2
    other = min(round(half * unlabelled), half - 1)
    # Of each domain: the labelled ones of its half, then the others' unlabelled ones.
    labelled = np.arange(half) < half - other
    pictures = [
        _stream(step * half, half, seed, domain, count)
        for domain, count in ((HUMAN, humans), (CARTOON, cartoons))
    ]
    return TwoDomainBatch(
        np.concatenate(pictures),
        np.repeat(np.array([HUMAN, CARTOON], np.int64), half),
        np.tile(labelled, 2),
    )


def _stream(
    first: int, number: int, seed: int, domain: int, count: int
) -> NDArray[np.int64]:
    """Return some of an endless sequence of a domain's pictures."""
    places = np.arange(first, first + number)
    found = np.empty(number, np.int64)
    for epoch in range(places[0] // count, places[-1] // count + 1):
        of_epoch = places // count == epoch
        found[of_epoch] = _order(seed, domain, epoch, count)[places[of_epoch] % count]
    return found


@lru_cache(maxsize=4)
def _order(seed: int, domain: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Return the order of a domain's pictures in an epoch."""
    order = np.random.default_rng((seed, domain, epoch)).permutation(count)
    order.flags.writeable = False
    return order
