"""Confirmed faces that a release cannot contain, each with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.catalogue.rows import by_ids
from icf.catalogue.schema import album, character, image
from icf.codes import FaceReason, Unused

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
class Excluded:
    """Faces as columns, k rows each, in the order of `sha256` and `corners`.

    Attributes:
        sha256: of the picture.
        corners: shape (k, 4), in the upright picture.
        character, album: whom it was confirmed as; empty: two characters.
        reason: of `icf.codes.Unused` or `icf.codes.FaceReason`.
    """

    sha256: npt.NDArray[np.bytes_]
    corners: npt.NDArray[np.float64]
    character: tuple[str, ...]
    album: tuple[str, ...]
    reason: tuple[str, ...]

    @classmethod
    def nothing(cls) -> Excluded:
        """Return no faces."""
        return cls(np.empty(0, "S64"), np.empty((0, 4)), (), (), ())

    @property
    def counts(self) -> dict[str, int]:
        """The number of faces by reason, in the order of reasons."""
        return dict(sorted(Counter(self.reason).items()))


def why_not(
    row: sa.Row[Any],
    owners: Collection[int],
    known: Collection[int],
    allowed: Collection[int],
    embedder: str,
) -> str | None:
    """Return why a confirmed face cannot be in a release; None: it can.

    Args:
        row: with ``id``, ``image_id``, ``reason`` and ``embedder``.
        owners: faces that a release may contain.
        known: faces whose character is known.
        allowed: pictures under an allowed licence.
        embedder: of the release.
    """
    if row.id not in known:
        return str(Unused.CONFIRMED_FOR_TWO)
    if row.id not in owners:
        return str(Unused.UNASKED_REFERENCE)
    if row.image_id not in allowed:
        return str(Unused.OTHER_LICENCE)
    if row.reason in NO_LONGER:
        return str(row.reason)
    if row.embedder != embedder:
        return str(Unused.WITHOUT_EMBEDDING)
    return None


def make_excluded(
    connection: sa.Connection,
    found: Sequence[tuple[sa.Row[Any], str]],
    owners: Mapping[int, int],
) -> Excluded:
    """Name the pictures and characters of faces.

    Args:
        connection: to the catalogue.
        found: faces with ``id``, ``image_id`` and corners, and their reasons.
        owners: the character of each face that has one.
    """
    if not found:
        return Excluded.nothing()
    ids = sorted({row.image_id for row, _ in found})
    pictures = sa.select(image.c.id, image.c.sha256)
    images = {
        row.id: row.sha256 for row in by_ids(connection, pictures, image.c.id, ids)
    }
    shown = sorted({owners[row.id] for row, _ in found if row.id in owners})
    names = {
        row.id: (row.name, row.album)
        for row in by_ids(connection, _NAMES, character.c.id, shown)
    }
    rows = sorted(
        (images[row.image_id], row.x1, row.y1, row.x2, row.y2, row.id, why)
        for row, why in found
    )
    who = [names.get(owners.get(each[5], -1), ("", "")) for each in rows]
    return Excluded(
        np.array([each[0] for each in rows], "S64"),
        np.array([each[1:5] for each in rows], np.float64).reshape(-1, 4),
        tuple(name for name, _ in who),
        tuple(name for _, name in who),
        tuple(each[6] for each in rows),
    )


_NAMES = sa.select(character.c.id, character.c.name, album.c.name.label("album")).join(
    album, album.c.id == character.c.album_id
)
