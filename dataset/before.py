"""What an earlier release had in which part (`icf.dataset.release.before` reads it)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from icf.dataset.contents import Contents
from icf.dataset.splits.parts import Part
from icf.models.overlap import matched

Corners = tuple[float, float, float, float]
Face = tuple[str, Corners]
Name = tuple[str, str]
#: A face that is cut out, and where the upper left corner of its crop was.
Cut = tuple[Face, tuple[int, int]]

#: A face is a known one from this intersection over union on.
SAME = 0.5


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
        cut: the faces that the release has cut out, by the SHA-256 of the crop.
    """

    inputs: str
    faces: Mapping[Face, Part]
    names: Mapping[Name, frozenset[Part]]
    labels: Mapping[Name, int]
    detection: Mapping[str, Part]
    rows: Contents
    left: frozenset[Face] = frozenset()
    left_detection: frozenset[str] = frozenset()
    cut: Mapping[str, Cut] = field(default_factory=dict)

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

    def known(
        self, pictures: Sequence[str], corners: npt.NDArray[np.float64]
    ) -> list[Face | None]:
        """Return by what faces are among `faces`, each of these once.

        A face is one with the same corners, or else the one that it overlaps most, by
        half or more: formats that a release comes back from have whole pixels, or
        another box of the same face.

        Args:
            pictures: the SHA-256 of the picture of each face.
            corners: shape (n, 4), in the upright picture.
        """
        rows = zip(pictures, corners.tolist(), strict=True)
        found = [
            face if (face := (sha256, (x1, y1, x2, y2))) in self.faces else None
            for sha256, (x1, y1, x2, y2) in rows
        ]
        taken = set(found)
        rest: dict[str, list[int]] = defaultdict(list)
        for row, sha256 in enumerate(pictures):
            if found[row] is None and sha256 in self._of_picture:
                rest[sha256].append(row)
        for sha256, some in rest.items():
            old = [each for each in self._of_picture[sha256] if each[0] not in taken]
            here = np.array([box for _, box in old], np.float32).reshape(-1, 4)
            for one, other in matched(corners[some].astype(np.float32), here, SAME):
                found[some[one]] = old[other][0]
        return found

    @cached_property
    def _of_picture(self) -> Mapping[str, Sequence[tuple[Face, Corners]]]:
        """The faces of each picture or crop, with their corners in it."""
        found: dict[str, list[tuple[Face, Corners]]] = defaultdict(list)
        for face in self.faces:
            found[face[0]].append((face, face[1]))
        for sha256, (face, (x, y)) in self.cut.items():
            x1, y1, x2, y2 = face[1]
            found[sha256].append((face, (x1 - x, y1 - y, x2 - x, y2 - y)))
        return found

    @cached_property
    def trained(self) -> frozenset[str]:
        """The SHA-256 of all pictures in train, whatever they were for."""
        return self._pictures(Part.TRAIN)

    @cached_property
    def tested(self) -> frozenset[str]:
        """Those of all pictures in the test."""
        return self._pictures(Part.PROBE, Part.DISTRACTOR, Part.TEST)

    def _pictures(self, *parts: Part) -> frozenset[str]:
        of_faces = {sha256 for (sha256, _), part in self.faces.items() if part in parts}
        return frozenset(of_faces).union(
            (sha256 for sha256, part in self.detection.items() if part in parts),
            (each for each, (face, _) in self.cut.items() if self.faces[face] in parts),
        )
