"""How much of what is trained on comes from each of several sources."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icf.errors import WrongUse

#: Shares that people write as 0.33 three times are all of it.
_ROUNDING = 1e-6


def resolved_shares(
    stated: Sequence[float | None], counts: ArrayLike
) -> NDArray[np.float64]:
    """Return the share of every source; they add up to 1.

    Sources without a stated share divide what is left in proportion to their counts.
    If all are stated, they are scaled to 1. A source with nothing in it has the share
    0, and the others divide what it was to have.

    Args:
        stated: for each source the part it is to have, above 0 and at most 1; None:
            not stated.
        counts: for each source, how many examples it has.

    Raises:
        WrongUse: the stated shares are more than all, or leave nothing for the others.

    Example:
        >>> resolved_shares([0.5, None, None], [10, 30, 10]).tolist()
        [0.5, 0.375, 0.125]
    """
    sizes = np.asarray(counts, np.float64)
    shares = np.array([np.nan if s is None else s for s in stated], np.float64)
    is_stated = ~np.isnan(shares)
    total = float(shares[is_stated].sum())
    if total > 1 + _ROUNDING:
        raise WrongUse(f"the shares of --data add up to {total:g}, which is above 1")
    others = float(sizes[~is_stated].sum())
    if others > 0 and total > 1 - _ROUNDING:
        raise WrongUse(
            "the shares of --data add up to 1, so nothing is left for the sources "
            "without one; lower them, or leave those sources out"
        )
    if others > 0:
        shares[~is_stated] = (1 - total) * sizes[~is_stated] / others
    shares[sizes == 0] = 0
    shares = np.nan_to_num(shares)
    return np.divide(shares, shares.sum() or 1.0)
