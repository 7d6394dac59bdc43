"""Features as vectors of length 1, checked: the cosine is all that scores look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icf.errors import BadInput

FloatArray = npt.NDArray[np.float64]
Features = npt.NDArray[np.floating[Any]]

#: Two cosines nearer than this are a tie. In float64 equal pictures can differ by some
#: 1e-16, depending on which routine multiplied them; real pictures differ by far more.
TIE = 1e-12

_ROWS_AT_ONCE = 4096


def check_features(
    files: Sequence[str | None], features: Features, where: Path | str = "features"
) -> None:
    """Raise BadInput if features do not fit, naming the first bad row.

    Args:
        files: The pictures, in the order of the rows.
        features: Shape (n, d).
        where: The file that they are from.

    Raises:
        BadInput: There is not one row per picture, or a row holds a NaN, an infinity or
            nothing but zeros.
    """
    if features.ndim != 2 or len(features) != len(files):
        raise BadInput(
            f"expected features of shape ({len(files)}, d), one row per picture, "
            f"found {features.shape}"
        )
    for start in range(0, len(features), _ROWS_AT_ONCE):
        block = features[start : start + _ROWS_AT_ONCE]
        finite = np.asarray(np.isfinite(block).all(axis=1))
        bad = np.logical_not(finite & (block != 0).any(axis=1))
        if bad.any():
            row = start + int(bad.argmax())
            found = "only zeros" if finite[row - start] else "NaN or infinity"
            raise BadInput(
                f"{where}, row {row + 1} ({files[row]}): expected finite numbers "
                f"that are not all zero, found {found}"
            )


def unit(block: Features) -> FloatArray:
    """Normalise rows to length 1, float64, without overflow.

    Args:
        block: Shape (n, d), finite, no row of zeros.

    Returns:
        Shape (n, d).

    Example:
        >>> unit(np.array([[3e300, 4e300]])).tolist()
        [[0.6, 0.8]]
    """
    rows = np.array(block, np.float64)
    rows /= np.abs(rows).max(axis=1, keepdims=True)
    rows /= np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return rows
