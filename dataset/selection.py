"""What a release can contain: confirmed faces, and their pictures.

`icf.dataset.selecting` reads it from the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from icf.dataset.boxes import Box
from icf.dataset.excluded import Excluded
from icf.dataset.near_duplicates import Hashes
from icf.dataset.origins import Origins

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Identity:
    """A character and its album."""

    character_id: int
    character: str
    album_id: int
    album: str


@dataclass(frozen=True, eq=False)
class SelectedFaces:
    """Confirmed faces sorted by id; n rows each."""

    face: IntArray
    identity: IntArray
    album: IntArray
    #: Rows of `Pictures`.
    picture: IntArray
    #: Shape (n, 4), float64.
    corners: npt.NDArray[np.float64]
    pixel_hash: npt.NDArray[np.bytes_]
    hashes: Hashes


@dataclass(frozen=True, eq=False)
class Pictures:
    """The pictures of the confirmed faces, and those given whole, sorted by id."""

    image: IntArray
    sha256: npt.NDArray[np.bytes_]
    pixel_hash: npt.NDArray[np.bytes_]
    hashes: Hashes
    #: The detected file format of each, and its size: shape (m, 2), width and height.
    format: tuple[str, ...]
    size: IntArray
    #: The drawn faces of each that is complete: the truth of the detection set.
    boxes: Sequence[tuple[Box, ...]]
    #: Whether `boxes` has all its drawn faces (`icf.dataset.selecting.true_boxes`).
    complete: npt.NDArray[np.bool_]
    #: What the detector found in each.
    detected: Sequence[tuple[Box, ...]]


@dataclass(frozen=True)
class Nature:
    """What is known of a character besides its name; empty: nothing."""

    gender: str
    region: str
    style: str = ""


@dataclass(frozen=True, eq=False)
class Selection:
    """What a release can contain.

    Attributes:
        faces: the confirmed faces.
        pictures: their pictures.
        identities: the characters, by id.
        embedder: the model hash of the vectors that every face has.
        detectors: the hashes of the models that found the boxes.
        models: the names of models, by hash.
        given: number of pictures that came with boxes of all their faces.
        verified: number of pictures whose boxes people verified; None: the boxes are
            the detector's.
        unasked: the faces among them that are references nobody was asked about.
        accepted: the faces among them that nobody was asked about, because the model is
            sure of them.
        followers: the faces among them that nobody was asked about, because another
            face of their track was confirmed.
        left_out: number of confirmed faces that cannot be used, by reason.
        excluded: these faces, and those that the filter drops now.
        origins: what frames and pages came from.
        may_be_one: pairs of characters that may be one, the smaller id first: nobody
            has settled it.
        named_apart: those of them that one imported data set names as two, and that
            only the filter suspects: nobody was asked.
        natures: gender, region and style of the characters, by id.
        filed: shape (k, 2), a picture's image and an album that it was filed under;
            empty unless a protocol asks for it.
    """

    faces: SelectedFaces
    pictures: Pictures
    identities: Mapping[int, Identity]
    embedder: str
    detectors: tuple[str, ...]
    models: Mapping[str, str]
    left_out: Mapping[str, int]
    unasked: frozenset[int] = frozenset()
    accepted: frozenset[int] = frozenset()
    followers: frozenset[int] = frozenset()
    given: int = 0
    verified: int | None = None
    excluded: Excluded = field(default_factory=Excluded.nothing)
    origins: Origins | None = None
    may_be_one: tuple[tuple[int, int], ...] = ()
    named_apart: tuple[tuple[int, int], ...] = ()
    natures: Mapping[int, Nature] = field(default_factory=dict)
    filed: IntArray = field(default_factory=lambda: np.empty((0, 2), np.int64))

    @property
    def by_people(self) -> npt.NDArray[np.bool_]:
        """Whether people or the source labelled each face itself."""
        others = sorted(self.accepted | self.followers)
        return ~np.isin(self.faces.face, others)
