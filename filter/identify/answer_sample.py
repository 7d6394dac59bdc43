"""Which answers a curve is fitted to where all of them do not fit in memory.

Each question has a term for each face of the galleries of its albums, so a large album
with many answers has more terms than memory holds. Then the curve is fitted to a part
that is drawn at random, always the same of the same answers, half of it from the
questions that a batch drew at random: these say most of the other faces, and are few.
Each answer of the part stands for all those that are left out.
"""

from __future__ import annotations

import numpy as np

from icf.catalogue.sampling import Mask
from icf.filter.identify.posterior import FloatArray, IntArray

#: Maximum number of terms; they take some 100 bytes each while a curve is fitted.
MAX_TERMS = 20_000_000


def draw(terms: IntArray, random: Mask) -> FloatArray:
    """How many answers each stands for: 0 for those that are left out.

    Args:
        terms: shape (n,), how many terms each question has.
        random: shape (n,), whether a batch drew it at random.

    Returns:
        Shape (n,); ones if all questions fit. The sums over the random ones and over
        the others are how many there are, if one of them at least is drawn.
    """
    count = len(terms)
    if terms.sum() <= MAX_TERMS:
        return np.ones(count)
    order = np.random.default_rng(0).permutation(count)
    place = np.empty(count, np.int64)
    for kind in (random, ~random):
        some = order[kind[order]]
        place[some] = np.arange(len(some))
    # One of each kind by turns, until there are no more of one.
    order = order[np.argsort(place[order], kind="stable")]
    # A question that does not fit alone would leave no room for any behind it.
    order = order[terms[order] <= MAX_TERMS]
    drawn = np.zeros(count, bool)
    drawn[order[np.cumsum(terms[order]) <= MAX_TERMS]] = True
    made = np.zeros(count)
    for kind in (random, ~random):
        if (kind & drawn).any():
            made[kind & drawn] = kind.sum() / (kind & drawn).sum()
    return made
