"""The pictures that detectors are compared on: audit pictures confirmed whole."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from icf.catalogue.labels.confirmed import is_drawn, is_there, read_confirmed
from icf.catalogue.labels.groups import picture_groups
from icf.catalogue.rounds.audit_set import set_aside
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import album, character, face, image
from icf.codes import FaceReason, ImageReason
from icf.models.gate.audit_faces import audit_characters
from icf.models.gate.average_precision import TrueFaces

_UNUSABLE = (ImageReason.TAKEN_DOWN.value, ImageReason.MISSING_BLOB.value)


@dataclass(frozen=True, eq=False)
class AuditPicture:
    """A picture whose drawn faces people confirmed, all of them.

    Attributes:
        sha256: of its bytes.
        faces: the confirmed boxes; what nobody was asked about is ignored.
        album: the name of the album of its first face's character.
        group: pictures of one group may show the same drawing.
        detectors: SHA-256 of the models that found the boxes.
    """

    sha256: str
    faces: TrueFaces
    album: str
    group: int
    detectors: frozenset[str]


def read_audit_pictures(connection: sa.Connection) -> list[AuditPicture]:
    """Read the pictures set aside, and those of audit characters, confirmed whole.

    In the order of their hashes.
    """
    owners = read_confirmed(connection).asked().owners
    aside = set(connection.execute(set_aside("image")).scalars())
    cast = audit_characters(connection)
    shown = sorted(each for each, who in owners.items() if who in cast)
    query = sa.select(face.c.image_id).where(is_there())
    aside |= {row.image_id for row in by_ids(connection, query, face.c.id, shown)}
    faces = _faces(connection, sorted(aside))
    groups = picture_groups(connection)
    albums = dict(
        connection.execute(
            sa.select(character.c.id, album.c.name).join(
                album, album.c.id == character.c.album_id
            )
        ).all()
    )
    found = []
    usable = sa.select(image.c.id, image.c.sha256).where(
        image.c.reason.not_in(_UNUSABLE)
    )
    for row in by_ids(connection, usable, image.c.id, sorted(faces)):
        drawn = [each for each in faces[row.id] if each.is_drawn]
        if not drawn or any(each.id not in owners for each in drawn):
            continue
        others = [each for each in faces[row.id] if not each.is_drawn]
        found.append(
            AuditPicture(
                row.sha256,
                TrueFaces(_boxes(drawn), _boxes(others)),
                albums[owners[drawn[0].id]],
                groups.get(row.id, row.id),
                frozenset(each.detector for each in drawn),
            )
        )
    return sorted(found, key=lambda each: each.sha256)


def _faces(
    connection: sa.Connection, ids: list[int]
) -> dict[int, list[sa.Row[tuple[int]]]]:
    """The faces of pictures, but those that people say are none."""
    query = (
        sa.select(
            face.c.id,
            face.c.image_id,
            face.c.x1,
            face.c.y1,
            face.c.x2,
            face.c.y2,
            face.c.detector,
            sa.case((is_drawn(), 1), else_=0).label("is_drawn"),
        )
        .where(face.c.reason != FaceReason.NOT_A_FACE.value)
        .order_by(face.c.id)
    )
    found: dict[int, list[sa.Row[tuple[int]]]] = defaultdict(list)
    for row in by_ids(connection, query, face.c.image_id, ids):
        found[row.image_id].append(row)
    return found


def _boxes(
    rows: list[sa.Row[tuple[int]]],
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array([(r.x1, r.y1, r.x2, r.y2) for r in rows], np.float32).reshape(-1, 4)
