"""What a source says of faces beside who they are, and write it.

Region and style are an album's, and the gender that a source states a character's. What
people said of a face is one description here, by an annotator called as the source.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from icf.codes import Gender, Region

# The catalogue's modules are imported where they are used: worker processes get what
# is described, and start in half the time without them.
if TYPE_CHECKING:
    import sqlalchemy as sa

    from icf.catalogue.labels.attributes import Description


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of a face.

    Attributes:
        region: of its album; None: not known.
        gender: of its character, as the source states it.
        said: what people said of the face itself.
        style: of its album.
    """

    region: Region | None = None
    gender: Gender | None = None
    said: Description | None = None
    style: str | None = None


def write_described(
    connection: sa.Connection,
    annotator: str,
    faces: Sequence[tuple[Described, int, int]],
) -> None:
    """Write what is not known yet; what is stays.

    Args:
        connection: a transaction that writes.
        annotator: who says so.
        faces: what is known of each, its id, and that of its character.
    """
    import sqlalchemy as sa

    from icf.catalogue.schema import album, character

    _write_said(connection, annotator, faces)
    albums: dict[tuple[str, str], set[int]] = defaultdict(set)
    genders: dict[Gender, set[int]] = defaultdict(set)
    for each, _, character_id in faces:
        if each.region is not None:
            albums["region", each.region.value].add(character_id)
        if each.style is not None:
            albums["style", each.style].add(character_id)
        if each.gender is not None:
            genders[each.gender].add(character_id)
    for (name, value), ids in albums.items():
        of = sa.select(character.c.album_id).where(character.c.id.in_(ids))
        where = album.c[name].is_(None), album.c.id.in_(of)
        connection.execute(sa.update(album).where(*where).values({name: value}))
    for gender, ids in genders.items():
        unknown = character.c.gender.is_(None), character.c.id.in_(ids)
        update = sa.update(character).where(*unknown)
        connection.execute(update.values(gender=gender.value))


def _write_said(
    connection: sa.Connection,
    annotator: str,
    faces: Iterable[tuple[Described, int, int]],
) -> None:
    import sqlalchemy as sa

    from icf.catalogue.annotation.schema import attribute_answer
    from icf.catalogue.rows import by_ids

    said = {face_id: each.said for each, face_id, _ in faces if each.said is not None}
    query = sa.select(attribute_answer.c.face_id).where(
        attribute_answer.c.annotator == annotator,
        attribute_answer.c.replaced_at.is_(None),
    )
    known = by_ids(connection, query, attribute_answer.c.face_id, list(said))
    for row in known:
        said.pop(row.face_id, None)
    now = time.time()
    rows = [
        {
            "face_id": face_id,
            "annotator": annotator,
            "gender": each.gender.value if each.gender else None,
            "yaw": each.yaw,
            "pitch": each.pitch,
            "roll": each.roll,
            "occlusion": each.occlusion.value if each.occlusion else None,
            "answered_at": now,
        }
        for face_id, each in said.items()
    ]
    if rows:
        connection.execute(sa.insert(attribute_answer), rows)
