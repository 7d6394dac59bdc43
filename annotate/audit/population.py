"""The final labels that an audit is about, named by what they show.

A label is named by the picture's hash, the face's box, the character and the label
itself, and not by ids of the catalogue: the same pictures and answers have the same
names, the same hash and the same sample in every catalogue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from icf.catalogue.find_character import character_names
from icf.catalogue.labels.confirmed import is_there
from icf.catalogue.labels.final import read_accepts, read_rejects
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face, image
from icf.settings import Settings

Said = Literal["same", "different"]


@dataclass(frozen=True, slots=True)
class FinalLabel:
    """A face, and that it is a character, or is not.

    Attributes:
        face_id, character_id: in the catalogue.
        label: what was found.
        name: the same in every catalogue.
    """

    face_id: int
    character_id: int
    label: Said
    name: str


def read_labels(connection: sa.Connection, settings: Settings) -> list[FinalLabel]:
    """Read all final labels, by their names.

    Args:
        connection: to the catalogue.
        settings: which say what a release contains, and at which risk the model labels.
    """
    risk = settings.annotate.accepted_risk
    accepts = read_accepts(
        connection,
        unasked_references=settings.dataset.unasked_references,
        risk=risk,
        followers=settings.annotate.tracks == "follow",
    )
    same = set(accepts.owners.items())
    different = read_rejects(connection, accepts, risk)
    faces = _faces(connection, {key for key, _ in same | different})
    names = character_names(connection, (owner for _, owner in same | different))
    said: dict[Said, set[tuple[int, int]]] = {"same": same, "different": different}
    made = []
    for label, some in said.items():
        for key, owner in some:
            if key in faces:
                who = names[owner]
                name = f"{label}\t{faces[key]}\t{who.album}\t{who.name}"
                made.append(FinalLabel(key, owner, label, name))
    return sorted(made, key=lambda each: (each.name, each.face_id))


def hash_labels(labels: Collection[FinalLabel]) -> str:
    """Return the SHA-256 of labels, whatever their order."""
    lines = sorted(each.name for each in labels)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _faces(connection: sa.Connection, ids: Collection[int]) -> Mapping[int, str]:
    """The picture and the box of each face that is still there."""
    query = (
        sa.select(face.c.id, image.c.sha256, face.c.x1, face.c.y1, face.c.x2, face.c.y2)
        .join(image, image.c.id == face.c.image_id)
        .where(is_there())
    )
    return {
        row.id: f"{row.sha256}\t{row.x1:.1f} {row.y1:.1f} {row.x2:.1f} {row.y2:.1f}"
        for row in by_ids(connection, query, face.c.id, sorted(ids))
    }
