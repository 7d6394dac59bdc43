"""What an earlier release had in which part (`icf.dataset.release.before` reads it)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from icf.dataset.contents import Contents
from icf.dataset.splits.parts import Part

Corners = tuple[float, float, float, float]
Face = tuple[str, Corners]
Name = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Before:
    """The parts of an earlier release, and of those that it came after itself.

    Attributes:
        inputs: the release's id, of ``release.json``.
        faces: the part of each face, by the SHA-256 of its picture and its corners.
        names: the parts of the faces of each identity, by album and character.
        labels: the numbers of identities.
        detection: the part of detection pictures, by SHA-256.
        rows: all of it as contents.
        left: those of the faces that the release has not, only ones before it.
        left_detection: the same of detection pictures.
        whole: corners are whole pixels, as iCartoonFace's lists have them.
    """

    inputs: str
    faces: Mapping[Face, Part]
    names: Mapping[Name, frozenset[Part]]
    labels: Mapping[Name, int]
    detection: Mapping[str, Part]
    rows: Contents
    left: frozenset[Face] = frozenset()
    left_detection: frozenset[str] = frozenset()
    whole: bool = False

    def own(self) -> Before:
        """Return what the release itself has."""
        faces = {
            face: part for face, part in self.faces.items() if face not in self.left
        }
        detection = {
            name: part
            for name, part in self.detection.items()
            if name not in self.left_detection
        }
        return replace(self, faces=faces, detection=detection, left=frozenset())

    def part_of(
        self, sha256: str, corners: npt.NDArray[np.float64], size: tuple[int, int]
    ) -> Part:
        """Return where a face was.

        Args:
            sha256: of its picture.
            corners: in the upright picture.
            size: its width and height.
        """
        known = self.known(sha256, corners, size)
        return Part.NONE if known is None else self.faces[known]

    def known(
        self, sha256: str, corners: npt.NDArray[np.float64], size: tuple[int, int]
    ) -> Face | None:
        """Return by what a face is among `faces`; the arguments are as above."""
        x1, y1, x2, y2 = corners.tolist()
        if not self.whole and (exact := (sha256, (x1, y1, x2, y2))) in self.faces:
            return exact
        if not self.whole and not self.left:
            return None
        x1, y1, x2, y2 = np.clip(np.rint(corners), 0, (*size, *size)).tolist()
        # A release before this one may be of an earlier version.
        rounded = sha256, (x1, y1, x2, y2)
        return rounded if rounded in (self.faces if self.whole else self.left) else None
