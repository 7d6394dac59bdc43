"""Boxes that came with a published set, and were not found by a detector.

``face.detector`` says it. What that means for a picture as a whole depends on the set:
a recognition set has a box of one face of each picture, a detection set boxes of all.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from icf.catalogue.labels.confirmed import is_there
from icf.catalogue.schema import face

#: One face of the picture; nothing is known of the others.
GIVEN = "given"
#: All faces of the picture have such boxes.
GIVEN_ALL = "given: all faces"

#: What they are called where a model has a name.
NAMES = {
    GIVEN: "boxes of a published set, one face of each picture",
    GIVEN_ALL: "boxes of a published set, all faces of each picture",
}


def is_settled(detector: str, *, confirmed: bool) -> bool:
    """Whether a drawn face leaves its picture complete.

    A picture is complete if each of its drawn faces does: then the rest of it is
    background.

    Args:
        detector: that found the face, or one of the names above.
        confirmed: whether people confirmed the face as somebody.
    """
    if detector == GIVEN_ALL:
        return True
    return confirmed and detector != GIVEN


def given_whole() -> sa.Select[Any]:
    """Select the pictures that came with boxes of all their faces."""
    whole = sa.select(face.c.image_id).where(face.c.detector == GIVEN_ALL, is_there())
    return whole.distinct()
