"""Write the faces of listed pictures, and the labels of those that show somebody.

What is published counts as answered by an annotator called iCartoonFace, to the
question whether each face, shown alone, is the character; file and line of the answer
are those of the list. So everything that reads answers reads these.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from icf.app.import_icartoonface.measure import STEP
from icf.app.import_icartoonface.rows import MeasuredPicture, insert_ids
from icf.catalogue import ledger, row_state
from icf.catalogue.labels.given_boxes import GIVEN, GIVEN_ALL
from icf.catalogue.references import LABEL
from icf.catalogue.row_state import RowState
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import answer, batch, face, question
from icf.codes import Choice, FaceReason, Label, Verdict
from icf.engine.step import NewFace
from icf.models.data.base import Box
from icf.models.overlap import matched

ANNOTATOR = "iCartoonFace"
BATCH = "iCartoonFace"

#: A given box is that of a known face from this intersection over union on.
SAME_FACE = 0.5


@dataclass(frozen=True)
class _KnownFace:
    """A face that the catalogue has."""

    id: int
    box: Box
    detector: str
    reason: str


@dataclass
class FaceWriter:
    """Writes faces in one transaction.

    Attributes:
        connection: the transaction.
        run_id: the run to charge it to.
        step: the first step of faces in the filter's chain.
        shown: the ids of characters, by name; that of nobody by None.
        new: how many faces it has entered.
        labels: how many faces it has confirmed.
    """

    connection: sa.Connection
    run_id: int
    step: str | None
    shown: Mapping[str | None, int]
    new: int = 0
    labels: int = 0

    def write(
        self, pictures: Sequence[MeasuredPicture], images: Mapping[str, int]
    ) -> None:
        """Write new faces; of a face that is known, what is new about it."""
        known = self._known(list(images.values()))
        new: list[tuple[MeasuredPicture, NewFace]] = []
        same: list[tuple[MeasuredPicture, NewFace, _KnownFace]] = []
        for picture in pictures:
            others = known[images[picture.sha256]]
            pairs = dict(_same_faces(picture.faces, others))
            for number, each in enumerate(picture.faces):
                if number in pairs:
                    same.append((picture, each, others[pairs[number]]))
                else:
                    new.append((picture, each))
        keys = self._insert(new, images)
        self._revive([(p, old) for p, _, old in same if p.listed.character])
        self._complete([old for p, _, old in same if p.listed.all_faces])
        self._label(
            [
                *(
                    (p, p.line_of(f), key)
                    for (p, f), key in zip(new, keys, strict=True)
                ),
                *((p, p.line_of(f), old.id) for p, f, old in same),
            ]
        )
        self.new += len(new)

    def _known(self, images: Sequence[int]) -> Mapping[int, list[_KnownFace]]:
        query = sa.select(
            face.c.image_id,
            face.c.id,
            face.c.x1,
            face.c.y1,
            face.c.x2,
            face.c.y2,
            face.c.detector,
            face.c.reason,
        ).order_by(face.c.id)
        found: dict[int, list[_KnownFace]] = defaultdict(list)
        for row in by_ids(self.connection, query, face.c.image_id, images):
            box = row.x1, row.y1, row.x2, row.y2
            known = _KnownFace(row.id, box, row.detector, row.reason)
            found[row.image_id].append(known)
        return found

    def _insert(
        self,
        new: Sequence[tuple[MeasuredPicture, NewFace]],
        images: Mapping[str, int],
    ) -> list[int]:
        now = time.time()
        rows = []
        for picture, each in new:
            named = picture.listed.character is not None
            x1, y1, x2, y2 = each.box
            rows.append(
                {
                    **{k: v for k, v in vars(each).items() if k != "box"},
                    **{"x1": x1, "y1": y1, "x2": x2, "y2": y2},
                    "image_id": images[picture.sha256],
                    "detector": GIVEN_ALL if picture.listed.all_faces else GIVEN,
                    "filed_under_id": self.shown[picture.listed.character],
                    "awaits": self.step if named else None,
                    "verdict": (Verdict.PENDING if named else Verdict.DROPPED).value,
                    "reason": (FaceReason.OK if named else FaceReason.NOBODY).value,
                    "found_at": now,
                }
            )
        keys = insert_ids(self.connection, face, rows)
        unnamed = [
            ledger.Decision(
                "face",
                key,
                STEP,
                Verdict.DROPPED.value,
                FaceReason.NOBODY.value,
                message=picture.listed.origin,
            )
            for (picture, _), key in zip(new, keys, strict=True)
            if picture.listed.character is None
        ]
        ledger.append(self.connection, self.run_id, unnamed)
        return keys

    def _revive(self, named: Iterable[tuple[MeasuredPicture, _KnownFace]]) -> None:
        """Let faces into the chain that had a box alone, and show somebody now."""
        states = {
            old.id: RowState(
                ledger.Decision(
                    "face",
                    old.id,
                    STEP,
                    Verdict.PENDING.value,
                    FaceReason.OK.value,
                    message=picture.listed.origin,
                ),
                self.step,
                {"filed_under_id": self.shown[picture.listed.character]},
            )
            for picture, old in named
            if old.reason == FaceReason.NOBODY.value
        }
        row_state.write(self.connection, self.run_id, states.values())

    def _complete(self, same: Sequence[_KnownFace]) -> None:
        """Note that the pictures of some given faces have boxes of all faces."""
        ids = [each.id for each in same if each.detector == GIVEN]
        if ids:
            update = sa.update(face).where(face.c.id.in_(ids))
            self.connection.execute(update.values(detector=GIVEN_ALL))

    def _label(self, faces: Sequence[tuple[MeasuredPicture, int, int]]) -> None:
        """Confirm the faces that show somebody.

        Args:
            faces: the picture of each, the line of the list, and its id.
        """
        asked = {
            (face_id, self.shown[picture.listed.character]): (picture, line)
            for picture, line, face_id in faces
            if picture.listed.character
        }
        query = sa.select(
            question.c.face_id, question.c.character_id, question.c.reference_face_id
        )
        ids = [face_id for face_id, _ in asked]
        for row in by_ids(self.connection, query, question.c.face_id, ids):
            if row.face_id == row.reference_face_id:
                asked.pop((row.face_id, row.character_id), None)
        now = time.time()
        keys = insert_ids(
            self.connection,
            question,
            [
                {
                    "face_id": face_id,
                    "character_id": character_id,
                    "reference_face_id": face_id,
                    "batch_id": BATCH,
                    "label": Label.SAME.value,
                    "asked_at": now,
                }
                for face_id, character_id in asked
            ],
        )
        answers, decisions = [], []
        for key, (picture, line) in zip(keys, asked.values(), strict=True):
            source = picture.listed.source
            answers.append(
                {
                    "question_id": key,
                    "annotator": ANNOTATOR,
                    "choice": Choice.TRUE.value,
                    "imported_at": now,
                    "file": source.path.name,
                    "line": line,
                    "file_sha256": source.sha256,
                }
            )
            same = Label.SAME.value
            where = f"{source.path.name}, line {line}"
            decisions.append(
                ledger.Decision("question", key, LABEL, same, same, message=where)
            )
        if answers:
            self.connection.execute(sa.insert(answer), answers)
            asked_now = batch.c.questions + len(answers)
            self.connection.execute(
                sa.update(batch).where(batch.c.id == BATCH).values(questions=asked_now)
            )
        ledger.append(self.connection, self.run_id, decisions)
        self.labels += len(answers)


def _same_faces(
    some: Sequence[NewFace], known: Sequence[_KnownFace]
) -> list[tuple[int, int]]:
    """Pairs of a given face and the known face that it is."""
    given, found = (
        np.array([each.box for each in faces], np.float32).reshape(-1, 4)
        for faces in (some, known)
    )
    return matched(given, found, SAME_FACE)
