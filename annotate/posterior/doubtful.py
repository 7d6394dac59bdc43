"""Settled questions whose face a training found far from others of its character.

What `icf-train embedder` with the loss `subcenter-arcface` finds is asked about again,
as suspects are: under the same limit, and never what measures a model. Those that no
calibrated model knows are asked about too: it is the training that doubts them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from icf.annotate.posterior.suspects import Suspect, evidence, room
from icf.annotate.priors import chosen_for_their_faces
from icf.catalogue.labels.doubtful import Box, DoubtfulFace, written_box
from icf.catalogue.labels.verified_boxes import read_verified
from icf.catalogue.merges import survivor
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import album, character, face, image, question
from icf.catalogue.tombstones import full_name
from icf.codes import Label

#: Why a question of the file stays as it is.
ASKED_BEFORE, BY_EXPERT = "asked_before", "expert_decided"
NOT_CHOSEN, NO_ROOM = "not_chosen_for_its_face", "over_the_limit"

_Row = sa.Row[Any]


@dataclass(frozen=True)
class Doubted:
    """What a file of doubtful faces has to do with the questions here.

    Attributes:
        suspects: the questions to open, the farthest face first.
        elsewhere: how many lines are about no settled question here.
        left_out: how many questions stay as they are, by why.
    """

    suspects: Sequence[Suspect]
    elsewhere: int
    left_out: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return what ``icf-annotate labels --json`` prints of it."""
        return {
            "opened": len(self.suspects),
            "no_settled_question": self.elsewhere,
            "left_out": dict(self.left_out),
        }


def find_doubted(connection: sa.Connection, faces: Sequence[DoubtfulFace]) -> Doubted:
    """Find the questions with the label "same" that are about doubtful faces.

    Args:
        connection: to the catalogue.
        faces: of the file.
    """
    about, meant = _questions(connection, faces), _meant(connection)
    found: dict[int, tuple[_Row, float]] = {}
    elsewhere = 0
    for each in sorted(faces, key=lambda each: -each.degrees):
        rows = about.get((each.picture, each.box), ())
        here = [row for row in rows if row.shown in meant.get(each.identity, ())]
        elsewhere += not here
        for row in here:
            found.setdefault(row.id, (row, each.degrees))
    why = _left_out(connection, [row for row, _ in found.values()])
    suspects = [
        Suspect(key, degrees, "a training found its face far from others")
        for key, (_, degrees) in found.items()
        if key not in why
    ]
    free = max(0, room(connection))
    left_out = Counter(why.values())
    left_out[NO_ROOM] = len(suspects[free:])
    return Doubted(suspects[:free], elsewhere, +left_out)


def _left_out(connection: sa.Connection, rows: Iterable[_Row]) -> dict[int, str]:
    """Why a question is not asked again, of those that are not."""
    before = {row.id: row.doubted_at is not None for row in rows}
    answered = evidence(connection, list(before), {})
    chosen = chosen_for_their_faces(connection, list(before))
    why = {key: NOT_CHOSEN for key in before if key not in chosen}
    why |= {key: BY_EXPERT for key in before if key not in answered}
    return why | {key: ASKED_BEFORE for key, doubted in before.items() if doubted}


def _questions(
    connection: sa.Connection, faces: Sequence[DoubtfulFace]
) -> Mapping[tuple[str, Box | None], Sequence[_Row]]:
    """Questions that are settled so, or were, by picture and box of their face."""
    corners = (face.c.x1, face.c.y1, face.c.x2, face.c.y2)
    query = (
        sa.select(
            question.c.id,
            question.c.face_id,
            question.c.doubted_at,
            survivor().label("shown"),
            image.c.sha256,
            *corners,
        )
        .join(face, face.c.id == question.c.face_id)
        .join(image, image.c.id == face.c.image_id)
        .join(character, character.c.id == question.c.character_id)
        .where(
            sa.or_(
                question.c.label == Label.SAME.value,
                question.c.doubted_at.is_not(None),
            )
        )
        .order_by(question.c.id)
    )
    # Of a picture whose boxes people verified, a training has theirs.
    verified = {
        box.face_id: box.corners
        for boxes in read_verified(connection).values()
        for box in boxes
    }
    found: dict[tuple[str, Box | None], list[_Row]] = defaultdict(list)
    pictures = sorted({each.picture for each in faces})
    for row in by_ids(connection, query, image.c.sha256, pictures):
        own = tuple(row[-len(corners) :])
        for box in {written_box(own), written_box(verified.get(row.face_id, own))}:
            found[row.sha256, box].append(row)
    return found


def _meant(connection: sa.Connection) -> Mapping[str, set[int]]:
    """By the name of an identity, the character that it is now."""
    query = sa.select(
        character.c.id, survivor().label("shown"), character.c.name, album.c.name
    ).join(album, album.c.id == character.c.album_id)
    found: dict[str, set[int]] = defaultdict(set)
    for key, shown, own, of_album in connection.execute(query):
        name = full_name(of_album, own)
        # Where slashes make two names equal, an identity has the number too.
        for each in (name, f"{name} (character:{key})"):
            found[each].add(shown)
    return found
