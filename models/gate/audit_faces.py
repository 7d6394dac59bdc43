"""The faces that embedders are compared on: those of the audit characters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from icf.catalogue.find_character import character_names
from icf.catalogue.labels.confirmed import (
    is_there,
    read_confirmed,
    read_refused,
    unmerged,
)
from icf.catalogue.labels.groups import picture_groups
from icf.catalogue.merges import survivor
from icf.catalogue.rounds.audit_set import set_aside
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import character, face, image
from icf.models.face_crops import FaceBox
from icf.models.gate.retrieval import Labels

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AuditFaces:
    """Faces of the audit characters, and faces that people said they are not.

    Attributes:
        boxes: of the n faces, ascending by id.
        labels: whose they are. Faces that were confirmed for a character outside of
            the audit set are an identity of their own each.
        album: shape (n,), the name of the album of each.
        names: of the audit characters, by their identity in ``labels``.
    """

    boxes: tuple[FaceBox, ...]
    labels: Labels
    album: NDArray[np.str_]
    names: tuple[str, ...]

    @property
    def ids(self) -> Ints:
        """The ids of the faces: shape (n,)."""
        return np.array([each.id for each in self.boxes], np.int64)

    @property
    def sides(self) -> NDArray[np.float64]:
        """The shorter side of each face, in pixels: shape (n,)."""
        corners = np.array([each.box for each in self.boxes], np.float64).reshape(-1, 4)
        return np.asarray((corners[:, 2:] - corners[:, :2]).min(axis=1, initial=np.inf))

    def only(self, chosen: NDArray[np.bool_]) -> AuditFaces:
        """The same with some of the faces: shape (n,)."""
        place = np.cumsum(chosen) - 1
        not_of = self.labels.not_of
        not_of = not_of[chosen[not_of[:, 0]]]
        return AuditFaces(
            tuple(b for b, wanted in zip(self.boxes, chosen, strict=True) if wanted),
            Labels(
                self.labels.identity[chosen],
                self.labels.group[chosen],
                np.stack([place[not_of[:, 0]], not_of[:, 1]], axis=1),
            ),
            self.album[chosen],
            self.names,
        )


def audit_characters(connection: sa.Connection) -> set[int]:
    """The characters that were set aside, as they are merged now."""
    query = sa.select(survivor()).where(character.c.id.in_(set_aside("character")))
    return {int(each) for each in connection.execute(query).scalars()}


def read_audit_faces(connection: sa.Connection) -> AuditFaces:
    """Read the confirmed faces of the audit characters, and those refused for them.

    Characters that people found to be another one, and that are not merged yet, are
    left out, and references that nobody was asked about.
    """
    torn = {each for pair in unmerged(connection) for each in pair}
    cast = sorted(audit_characters(connection) - torn)
    identity = {each: number for number, each in enumerate(cast)}
    owners = read_confirmed(connection).asked().owners
    own = {each: identity[who] for each, who in owners.items() if who in identity}
    refused = sorted(
        (each, identity[who])
        for each, who in read_refused(connection)
        if who in identity and own.get(each) != identity[who]
    )
    rows = _rows(connection, {*own, *(each for each, _ in refused)})
    strangers = {
        row.id: len(cast) + number
        for number, row in enumerate(rows)
        if row.id in owners and row.id not in own
    }
    whose = {**strangers, **own}
    place = {row.id: number for number, row in enumerate(rows)}
    pairs = [(place[each], who) for each, who in refused if each in place]
    groups = picture_groups(connection)
    names = character_names(connection, cast)
    return AuditFaces(
        tuple(FaceBox(r.id, r.sha256, (r.x1, r.y1, r.x2, r.y2)) for r in rows),
        Labels(
            np.array([whose.get(row.id, -1) for row in rows], np.int64),
            np.array([groups.get(r.image_id, r.image_id) for r in rows], np.int64),
            np.array(pairs, np.int64).reshape(-1, 2),
        ),
        np.array(
            [names[cast[own[r.id]]].album if r.id in own else "" for r in rows], str
        ),
        tuple(names[each].name for each in cast),
    )


def _rows(connection: sa.Connection, ids: Iterable[int]) -> list[sa.Row[tuple[int]]]:
    query = (
        sa.select(
            face.c.id,
            face.c.image_id,
            image.c.sha256,
            face.c.x1,
            face.c.y1,
            face.c.x2,
            face.c.y2,
        )
        .join(image, image.c.id == face.c.image_id)
        .where(is_there())
    )
    found = by_ids(connection, query, face.c.id, sorted(ids))
    return sorted(found, key=lambda row: int(row.id))
