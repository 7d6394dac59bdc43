"""The faces of the data set as columns: what figure 4 and the examples are made of."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.merges import survivor
from icf.codes import Label, Verdict

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

#: Rows that the database hands over at once.
_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces of identities, by ascending id; each array has one row a face.

    Attributes:
        confirmed: whether people confirmed them; else the filter kept them.
        face, image, identity: ids.
        side: the box's shorter side in pixels.
        score: of the detector.
        sharpness: Laplacian variance at the face's own size, as in the paper; NaN
            where it was not measured.
        brightness: mean grey value, 0 to 255; NaN likewise.
        embedder: the number of the model in `embedders`; -1 without a vector.
        embedders: hashes of models.
    """

    confirmed: bool
    face: IntArray
    image: IntArray
    identity: IntArray
    side: FloatArray
    score: FloatArray
    sharpness: FloatArray
    brightness: FloatArray
    embedder: IntArray
    embedders: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many there are."""
        return len(self.face)

    def take(self, rows: npt.NDArray[Any]) -> Faces:
        """The same with these rows alone, by index or by mask."""
        columns = {
            each.name: getattr(self, each.name)[rows]
            for each in fields(self)
            if isinstance(getattr(self, each.name), np.ndarray)
        }
        return Faces(**columns, confirmed=self.confirmed, embedders=self.embedders)

    def per_identity(self) -> IntArray:
        """How many faces each identity has, most first."""
        return np.sort(np.unique(self.identity, return_counts=True)[1])[::-1]


def read_faces(connection: sa.Connection) -> Faces:
    """Read the confirmed faces; where there are none, those that the filter kept.

    A face that is confirmed for two characters belongs to neither.
    """
    face, question, character = schema.face, schema.question, schema.character
    confirmed = (
        _query(survivor())
        .select_from(question)
        .join(face, face.c.id == question.c.face_id)
        .join(character, character.c.id == question.c.character_id)
        .where(question.c.label == Label.SAME.value)
    )
    found = _read(connection, confirmed, confirmed=True)
    if len(found):
        return found
    kept = (
        _query(face.c.character_id)
        .select_from(face)
        .where(face.c.verdict == Verdict.KEPT.value, face.c.character_id.is_not(None))
    )
    return _read(connection, kept, confirmed=False)


def _query(identity: sa.ColumnElement[Any]) -> sa.Select[Any]:
    face = schema.face.c
    wide, tall = face.x2 - face.x1, face.y2 - face.y1
    return sa.select(
        face.id,
        face.image_id,
        identity,
        sa.case((wide < tall, wide), else_=tall),
        face.score,
        sa.func.coalesce(face.sharpness_paper, face.sharpness),
        face.brightness,
        face.embedder,
    )


def _read(
    connection: sa.Connection, query: sa.Select[Any], *, confirmed: bool
) -> Faces:
    numbers: dict[str | None, int] = {None: -1}
    parts: list[tuple[npt.NDArray[Any], ...]] = []
    rows = connection.execute(query.execution_options(yield_per=_ROWS))
    for page in rows.partitions(_ROWS):
        *columns, embedders = zip(*page, strict=True)
        known = [numbers.setdefault(each, len(numbers) - 1) for each in embedders]
        whole = [np.array(each, np.int64) for each in columns[:3]]
        real = [np.array(each, np.float64) for each in columns[3:]]
        parts.append((*whole, *real, np.array(known, np.int64)))
    if not parts:
        none, nothing = np.empty(0, np.int64), np.empty(0)
        parts = [(none, none, none, nothing, nothing, nothing, nothing, none)]
    joined = [np.concatenate(each) for each in zip(*parts, strict=True)]
    order = np.lexsort((joined[2], joined[0]))
    face, image, identity, side, score, sharpness, brightness, embedder = (
        each[order] for each in joined
    )
    found = Faces(
        confirmed,
        face,
        image,
        identity,
        side,
        score,
        sharpness,
        brightness,
        embedder,
        tuple(each for each in numbers if each is not None),
    )
    return found.take(_of_one(found))


def _of_one(found: Faces) -> IntArray:
    """The first row of each face that has one identity."""
    if not len(found):
        return np.empty(0, np.int64)
    first = np.flatnonzero(np.diff(found.face, prepend=-1))
    last = np.append(first[1:], len(found)) - 1
    return np.asarray(first[found.identity[first] == found.identity[last]], np.int64)
