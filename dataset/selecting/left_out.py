"""Confirmed faces that a release cannot contain, with whom they show."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from icf.catalogue.find_character import character_names
from icf.catalogue.schema import image
from icf.dataset.excluded import Excluded
from icf.dataset.selecting.columns import Coded, digests, ints, read_columns
from icf.dataset.selecting.faces import ConfirmedFaces


def name_excluded(
    connection: sa.Connection, faces: ConfirmedFaces, why: Coded
) -> Excluded:
    """Name the pictures and characters of faces, and sort them by these.

    Args:
        connection: to the catalogue.
        faces: those that are left out.
        why: shape (n,), the reasons.
    """
    if not len(faces):
        return Excluded.nothing()
    pictures = sa.select(image.c.id, image.c.sha256).order_by(image.c.id)
    ids, sha256 = read_columns(
        connection, pictures, image.c.id, np.unique(faces.image), (ints, digests)
    )
    sha256 = sha256[np.searchsorted(ids, faces.image)]
    x1, y1, x2, y2 = faces.corners.T
    order = np.lexsort((faces.face, y2, x2, y1, x1, sha256))
    owners = faces.owner[order].tolist()
    names = character_names(connection, {*owners} - {-1})
    who = [names.get(each, ("", "")) for each in owners]
    return Excluded(
        sha256[order],
        faces.corners[order],
        tuple(name for name, _ in who),
        tuple(name for _, name in who),
        tuple(each or "" for each in why.take(order).tolist()),
        faces.pixel_hash[order],
    )
