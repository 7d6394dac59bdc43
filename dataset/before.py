"""What an earlier release had in which part (`icf.dataset.release.before` reads it)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icf.dataset.splits.parts import Part

Corners = tuple[float, float, float, float]
Face = tuple[str, Corners]
Name = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Before:
    """The parts of an earlier release.

    Attributes:
        inputs: the release's id, of ``release.json``.
        faces: the part of each face, by the SHA-256 of its picture and its corners.
        names: the parts of the faces of each identity, by album and character.
        labels: the numbers of identities.
        detection: the part of detection pictures, by SHA-256.
        whole: corners are whole pixels, as iCartoonFace's lists have them.
    """

    inputs: str
    faces: Mapping[Face, Part]
    names: Mapping[Name, frozenset[Part]]
    labels: Mapping[Name, int]
    detection: Mapping[str, Part]
    whole: bool = False

    def part_of(
        self, sha256: str, corners: npt.NDArray[np.float64], size: tuple[int, int]
    ) -> Part:
        """Return where a face was.

        Args:
            sha256: of its picture.
            corners: in the upright picture.
            size: its width and height.
        """
        if self.whole:
            corners = np.clip(np.rint(corners), 0, (*size, *size))
        x1, y1, x2, y2 = corners.tolist()
        return self.faces.get((sha256, (x1, y1, x2, y2)), Part.NONE)
