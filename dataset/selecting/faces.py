"""The confirmed faces of the catalogue, and why a release cannot contain some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.catalogue.labels.confirmed import is_there
from icf.catalogue.labels.final import Accepts
from icf.catalogue.schema import face
from icf.codes import FaceReason, Unused
from icf.dataset.near_duplicates import Hashes
from icf.dataset.selecting.columns import (
    BoolArray,
    Coded,
    Codes,
    IntArray,
    Kind,
    digests,
    floats,
    ints,
    read_columns,
)
from icf.errors import WrongUse

#: Reasons of the filter that hold whatever people said of the face: the box is not as
#: the settings want it, or there is a better copy.
NO_LONGER = frozenset(
    each.value
    for each in (
        FaceReason.PICTURE_OUT,
        FaceReason.LOW_SCORE,
        FaceReason.TOO_SMALL,
        FaceReason.HUMAN,
        FaceReason.DARK,
        FaceReason.FLAT,
        FaceReason.BLURRED,
        FaceReason.LOW_RESOLUTION,
        FaceReason.EXACT_DUPLICATE,
        FaceReason.NEAR_DUPLICATE,
    )
)


@dataclass(frozen=True, eq=False)
class ConfirmedFaces:
    """Confirmed faces sorted by id; n rows each.

    Attributes:
        face: their ids.
        image: the ids of their pictures.
        owner: the ids of their characters; -1 of those confirmed for two.
        may: whether a release may contain it, by who confirmed it.
        corners: shape (n, 4).
        pixel_hash, hashes: of the crop.
        embedder, detector: the hashes of the models.
        reason: what the filter says now.
    """

    face: IntArray
    image: IntArray
    owner: IntArray
    may: BoolArray
    corners: npt.NDArray[np.float64]
    pixel_hash: npt.NDArray[np.bytes_]
    hashes: Hashes
    embedder: Coded
    detector: Coded
    reason: Coded

    def __len__(self) -> int:
        """The number of faces."""
        return len(self.face)

    def take(self, rows: BoolArray) -> ConfirmedFaces:
        """Return some of the rows."""
        return ConfirmedFaces(
            self.face[rows],
            self.image[rows],
            self.owner[rows],
            self.may[rows],
            self.corners[rows],
            self.pixel_hash[rows],
            self.hashes[rows],
            self.embedder.take(rows),
            self.detector.take(rows),
            self.reason.take(rows),
        )


def read_faces(connection: sa.Connection, accepts: Accepts) -> ConfirmedFaces:
    """Read the faces that somebody or something confirmed, but those that are gone."""
    owners, found = accepts.owners, accepts.confirmed
    # Of a reference that a release may not contain, the owner is known nevertheless.
    every = ints(sorted(found.owners.keys() | owners.keys() | found.ambiguous))
    embedder, detector, reason = Codes(), Codes(), Codes()
    kinds: list[Kind] = [
        ints,
        ints,
        *[floats] * 4,
        digests,
        ints,
        ints,
        embedder,
        detector,
        reason,
    ]
    ids, image, *rest = read_columns(connection, _FACES, face.c.id, every, kinds)
    x1, y1, x2, y2, pixel_hash, phash, dhash, *codes = rest
    listed = ids.tolist()
    return ConfirmedFaces(
        ids,
        image,
        ints([owners.get(each, found.owners.get(each, -1)) for each in listed]),
        np.array([each in owners for each in listed], np.bool_),
        np.column_stack((x1, y1, x2, y2)),
        pixel_hash,
        Hashes(phash, dhash),
        embedder.coded(codes[0]),
        detector.coded(codes[1]),
        reason.coded(codes[2]),
    )


_FACES = (
    sa.select(
        face.c.id,
        face.c.image_id,
        face.c.x1,
        face.c.y1,
        face.c.x2,
        face.c.y2,
        face.c.pixel_hash,
        face.c.phash,
        face.c.dhash,
        face.c.embedder,
        face.c.detector,
        face.c.reason,
    )
    .where(is_there())
    .order_by(face.c.id)
)


def embedder_of_most(
    faces: ConfirmedFaces, allowed: BoolArray, only_licence: Collection[str]
) -> str:
    """Return the embedder of most faces that could be in a release.

    Args:
        faces: all of them.
        allowed: shape (n,), whether its picture is under an allowed licence.
        only_licence: which these are.

    Raises:
        WrongUse: none is embedded, or no picture is under an allowed licence.
    """
    some = faces.may & allowed
    if not some.any():
        raise WrongUse(
            f"none of the {int(faces.may.sum())} confirmed faces is on a picture under "
            f"{', '.join(only_licence)}; `icf-harvest licences` counts the licences, "
            "and harvest.only_licence sets which are allowed"
        )
    passing = some & ~faces.reason.one_of(NO_LONGER)
    if not passing.any():
        raise WrongUse(
            f"the filter drops all {int(some.sum())} confirmed faces now; loosen its "
            "thresholds (`icf-filter status` counts the reasons), and run `icf-filter "
            "rethreshold`"
        )
    numbers = faces.embedder.number[passing]
    most = Counter(numbers[numbers >= 0].tolist()).most_common(1)
    if not most:
        raise WrongUse(
            f"none of the {int(passing.sum())} confirmed faces is embedded; run "
            "`icf-filter run`"
        )
    return faces.embedder.texts[most[0][0]]


def why_not(faces: ConfirmedFaces, allowed: BoolArray, embedder: str) -> Coded:
    """Say of each face why a release cannot contain it; none: it can.

    Args:
        faces: all of them.
        allowed: shape (n,), whether its picture is under an allowed licence.
        embedder: the release's.

    Returns:
        Of `icf.codes.Unused`, or of the filter's reasons.
    """
    of_filter = faces.reason.texts
    first = len(of_filter)
    reasons = (
        (Unused.CONFIRMED_FOR_TWO, faces.owner < 0),
        (Unused.UNASKED_REFERENCE, ~faces.may),
        (Unused.OTHER_LICENCE, ~allowed),
        (None, faces.reason.one_of(NO_LONGER)),
        (Unused.WITHOUT_EMBEDDING, ~faces.embedder.one_of({embedder})),
    )
    numbers = np.select(
        [holds for _, holds in reasons],
        [
            faces.reason.number if code is None else np.int64(first + place)
            for place, (code, _) in enumerate(reasons)
        ],
        default=-1,
    )
    own = [code.value if code is not None else "" for code, _ in reasons]
    return Coded(np.asarray(numbers, np.int64), (*of_filter, *own))
