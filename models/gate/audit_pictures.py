"""The pictures that detectors are compared on: audit pictures known whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from icf.catalogue.filing import filed_under
from icf.catalogue.find_character import character_names
from icf.catalogue.labels.confirmed import (
    faces_of_pictures,
    is_there,
    read_confirmed,
)
from icf.catalogue.labels.groups import picture_groups
from icf.catalogue.labels.verified_boxes import VerifiedBox, read_verified
from icf.catalogue.rounds.audit_set import set_aside
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face, image
from icf.codes import ImageReason
from icf.models.gate.audit_faces import audit_characters
from icf.models.gate.average_precision import Boxes, TrueFaces

_UNUSABLE = (ImageReason.TAKEN_DOWN.value, ImageReason.MISSING_BLOB.value)


@dataclass(frozen=True, eq=False)
class AuditPicture:
    """A picture whose drawn faces people confirmed or boxed, all of them.

    Attributes:
        sha256: of its bytes.
        faces: people's boxes, or the confirmed ones; what nobody was asked about is
            ignored.
        album: the name of the album of its first face's character, or of whom it is
            filed under.
        group: pictures of one group may show the same drawing.
        detectors: SHA-256 of the models that found the boxes; none: people drew them.
    """

    sha256: str
    faces: TrueFaces
    album: str
    group: int
    detectors: frozenset[str]


def read_audit_pictures(connection: sa.Connection) -> list[AuditPicture]:
    """Read the pictures set aside, and those of audit characters, that are known whole.

    Where people verified the boxes, these count. In the order of the pictures' hashes.
    """
    owners = read_confirmed(connection).asked().owners
    aside = set(connection.execute(set_aside("image")).scalars())
    cast = audit_characters(connection)
    shown = sorted(each for each, who in owners.items() if who in cast)
    query = sa.select(face.c.image_id).where(is_there())
    aside |= {row.image_id for row in by_ids(connection, query, face.c.id, shown)}
    faces = faces_of_pictures(connection, sorted(aside))
    verified = {
        key: boxes for key, boxes in read_verified(connection).items() if key in aside
    }
    groups = picture_groups(connection)
    filed = filed_under(connection, sorted(verified))
    names = character_names(connection, {*owners.values(), *filed.values()})
    found = []
    usable = sa.select(image.c.id, image.c.sha256).where(
        image.c.reason.not_in(_UNUSABLE)
    )
    for row in by_ids(connection, usable, image.c.id, sorted({*faces, *verified})):
        drawn = [each for each in faces[row.id] if each.is_drawn]
        if row.id in verified:
            true, owner = _boxed(faces[row.id], verified[row.id]), filed.get(row.id)
        elif drawn and all(each.id in owners for each in drawn):
            true, owner = _confirmed(faces[row.id]), owners[drawn[0].id]
        else:
            continue
        found.append(
            AuditPicture(
                row.sha256,
                true,
                "" if owner is None else names[owner].album,
                groups.get(row.id, row.id),
                frozenset(each.detector for each in drawn if row.id not in verified),
            )
        )
    return sorted(found, key=lambda each: each.sha256)


def _confirmed(faces: Sequence[sa.Row[Any]]) -> TrueFaces:
    """What people confirmed; weak and photographed faces are ignored."""
    drawn = [_corners(each) for each in faces if each.is_drawn]
    return TrueFaces(
        _array(drawn), _array([_corners(each) for each in faces if not each.is_drawn])
    )


def _boxed(faces: Sequence[sa.Row[Any]], boxes: Sequence[VerifiedBox]) -> TrueFaces:
    """What people boxed; photographed faces are ignored: nobody is asked about them."""
    linked = {each.face_id for each in boxes}
    human = [
        _corners(each)
        for each in faces
        if each.kind == "human" and each.id not in linked
    ]
    return TrueFaces(_array([each.corners for each in boxes]), _array(human))


def _corners(row: sa.Row[Any]) -> tuple[float, float, float, float]:
    return row.x1, row.y1, row.x2, row.y2


def _array(corners: Sequence[tuple[float, float, float, float]]) -> Boxes:
    return np.array(corners, np.float32).reshape(-1, 4)
