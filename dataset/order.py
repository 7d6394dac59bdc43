"""The order of what a release has: by what things are, not by when they were found.

Ids differ from harvest to harvest, and from a workspace to one that imported its
release. Numbers of identities and of files follow this order, so that they do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icf.dataset.selection import Selection

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Order:
    """The place of everything that a release can contain.

    Attributes:
        identities: the place of each character by its id: by album, then by name.
        faces: shape (n,): by the bytes of their picture, then by their corners.
        pictures: shape (m,): by their bytes.
    """

    identities: dict[int, int]
    faces: IntArray
    pictures: IntArray

    @classmethod
    def of(cls, selection: Selection) -> Order:
        """Find the places by content alone."""
        known = sorted(
            selection.identities.values(), key=lambda each: (each.album, each.character)
        )
        _, pictures = np.unique(selection.pictures.sha256, return_inverse=True)
        faces = selection.faces
        x1, y1, x2, y2 = faces.corners.T
        order = np.lexsort((y2, x2, y1, x1, pictures[faces.picture]))
        return cls(
            {each.character_id: place for place, each in enumerate(known)},
            np.argsort(order, kind="stable"),
            np.asarray(pictures, np.int64).reshape(-1),
        )

    def by_identity(self, ids: IntArray) -> list[int]:
        """Return the ids of characters, each once, in this order."""
        return sorted(np.unique(ids).tolist(), key=self.identities.__getitem__)
