"""A batch of questions, as stored in the catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.rows import by_ids, count_rows
from icf.catalogue.schema import album, batch, character, question

#: Folder of the pictures inside a batch.
PICTURE_FOLDER = "pictures"

#: The end of an address that `picture_path` made.
_PICTURED = re.compile(
    rf"(?:^|/){PICTURE_FOLDER}/face-([0-9]{{1,18}})\.jpg(?:[?#].*)?$"
)

#: What the names of batches of audits begin with.
OF_AUDIT = "audit-"


@dataclass(frozen=True)
class Batch:
    """Questions that were exported together.

    Attributes:
        id: its name.
        format: the name of its format, e.g. ``"csv"``.
        path: its folder, relative to the workspace where it is inside.
        questions: how many there are.
    """

    id: str
    format: str
    path: str
    questions: int


@dataclass(frozen=True)
class Question:
    """Is this face the same character as the reference?

    If the face is the reference: is it a good picture of the character?
    """

    id: int
    batch_id: str
    album: str
    character: str
    face_id: int
    reference_face_id: int

    @property
    def asks_about_reference(self) -> bool:
        """Whether it asks if the reference itself is right."""
        return self.face_id == self.reference_face_id

    @property
    def text(self) -> str:
        """The question in words."""
        if self.asks_about_reference:
            return f"Is this a good picture of {self.character} of {self.album}?"
        return "Is this the same character as in the reference picture?"


@dataclass(frozen=True)
class Asked:
    """What an answer is held against.

    Attributes:
        batch: the name of the question's batch.
        faces: ids of the two faces that it shows.
    """

    batch: str
    faces: frozenset[int] = frozenset()


def picture_path(face_id: int) -> str:
    """The crop of a face, relative to its batch's folder.

    >>> picture_path(7)
    'pictures/face-7.jpg'
    """
    return f"{PICTURE_FOLDER}/face-{face_id}.jpg"


def pictured(*addresses: object) -> frozenset[int]:
    """The faces whose crops are at addresses, as far as these say so.

    >>> sorted(pictured("https://a.example/b/pictures/face-7.jpg", "7.jpg", None))
    [7]
    """
    found = (_PICTURED.search(each) for each in addresses if isinstance(each, str))
    return frozenset(int(each[1]) for each in found if each)


def find_batch(connection: sa.Connection, path: str) -> Batch | None:
    """The batch that was exported to ``path``, if any."""
    query = sa.select(batch.c.id, batch.c.format, batch.c.path, batch.c.questions)
    row = connection.execute(query.where(batch.c.path == path)).first()
    return Batch(*row) if row else None


def count_references(connection: sa.Connection, batch_id: str) -> int:
    """How many questions of a batch are about references."""
    return count_rows(
        connection,
        question,
        question.c.batch_id == batch_id,
        question.c.face_id == question.c.reference_face_id,
    )


def read_questions(connection: sa.Connection, batch_id: str) -> list[Question]:
    """The questions of a batch, in the order in which they were asked."""
    query = (
        sa.select(
            question.c.id,
            question.c.batch_id,
            album.c.name,
            character.c.name,
            question.c.face_id,
            question.c.reference_face_id,
        )
        .select_from(question)
        .join(character, character.c.id == question.c.character_id)
        .join(album, album.c.id == character.c.album_id)
        .where(question.c.batch_id == batch_id)
        .order_by(question.c.id)
    )
    return [Question(*row) for row in connection.execute(query)]


def read_asked(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Asked]:
    """What the questions with some ids ask; those that do not exist are left out."""
    columns = (question.c.batch_id, question.c.face_id, question.c.reference_face_id)
    rows = by_ids(connection, sa.select(question.c.id, *columns), question.c.id, ids)
    return {
        row.id: Asked(row.batch_id, frozenset({row.face_id, row.reference_face_id}))
        for row in rows
    }
