"""Confirmed faces that a release cannot contain, each with the reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Excluded:
    """Faces as columns, k rows each, in the order of `sha256` and `corners`.

    Attributes:
        sha256: of the picture.
        corners: shape (k, 4), in the upright picture.
        character, album: whom it was confirmed as; empty: two characters.
        reason: of `icf.codes.Unused` or `icf.codes.FaceReason`.
        pixel_hash: of the crop; empty: it was never measured.
    """

    sha256: npt.NDArray[np.bytes_]
    corners: npt.NDArray[np.float64]
    character: tuple[str, ...]
    album: tuple[str, ...]
    reason: tuple[str, ...]
    pixel_hash: npt.NDArray[np.bytes_]

    @classmethod
    def nothing(cls) -> Excluded:
        """Return no faces."""
        nothing = np.empty(0, "S64")
        return cls(nothing, np.empty((0, 4)), (), (), (), nothing)

    @property
    def counts(self) -> dict[str, int]:
        """The number of faces by reason, in the order of reasons."""
        return dict(sorted(Counter(self.reason).items()))
