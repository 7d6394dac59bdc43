"""Write the faces of given pictures, and the labels of those that show somebody.

What is published counts as answered by an annotator called as its publisher, to the
question whether each face, shown alone, is the character; file and line of the answer
are those of the list. So everything that reads answers reads these.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import sqlalchemy as sa

from icf.app.importing.described import write_described
from icf.app.importing.given import Owner, Publisher
from icf.app.importing.overlapping import same_as
from icf.app.importing.rows import MeasuredFace, MeasuredPicture, insert_ids
from icf.catalogue import ledger, row_state
from icf.catalogue.bulk_insert import among
from icf.catalogue.labels.given_boxes import GIVEN, GIVEN_ALL
from icf.catalogue.merges import survivor
from icf.catalogue.references import LABEL
from icf.catalogue.row_state import RowState
from icf.catalogue.rows import by_ids, lock
from icf.catalogue.schema import answer, batch, character, face, question
from icf.codes import Choice, FaceReason, Label, Verdict
from icf.models.data.base import Box
from icf.models.overlap import matched

#: A given box is that of a known face from this intersection over union on.
SAME_FACE = 0.5


@dataclass(frozen=True)
class _KnownFace:
    """A face that the catalogue has."""

    id: int
    box: Box
    detector: str
    reason: str


#: A face with the picture that it is in.
_Given = tuple[MeasuredPicture, MeasuredFace]

#: Such a face, and the known one that it is.
_Same = tuple[_Given, _KnownFace]


@dataclass
class _Matched:
    """Faces of pictures, matched with those that the catalogue has.

    Attributes:
        new: it has none of these.
        again: those that are a new face too, by its place in `new`.
        same: those that it has.
    """

    new: list[_Given] = field(default_factory=list)
    again: list[tuple[_Given, int]] = field(default_factory=list)
    same: list[_Same] = field(default_factory=list)

    def add(self, picture: MeasuredPicture, others: Sequence[_KnownFace]) -> None:
        """Add the faces of a picture, of which ``others`` are known."""
        pairs = dict(_same_faces(picture.faces, others))
        first = same_as(picture.faces, SAME_FACE)
        known = {first[number]: others[place] for number, place in pairs.items()}
        made: dict[int, int] = {}
        for number, each in enumerate(picture.faces):
            if number in pairs:
                self.same.append(((picture, each), others[pairs[number]]))
            elif first[number] in known:
                self.same.append(((picture, each), known[first[number]]))
            elif first[number] in made:
                self.again.append(((picture, each), made[first[number]]))
            else:
                made[first[number]] = len(self.new)
                self.new.append((picture, each))


@dataclass
class FaceWriter:
    """Writes faces in one transaction.

    Attributes:
        connection: the transaction.
        run_id: the run to charge it to.
        publisher: who says it.
        step: the first step of faces in the filter's chain.
        shown: the ids of characters; that of nobody by None.
        new: how many faces it has entered.
        labels: how many faces it has confirmed.
        two_names: those of them that are confirmed as another character, too.
    """

    connection: sa.Connection
    run_id: int
    publisher: Publisher
    step: str | None
    shown: Mapping[Owner | None, int]
    new: int = 0
    labels: int = 0
    two_names: set[int] = field(default_factory=set)

    def write(
        self, pictures: Sequence[MeasuredPicture], images: Mapping[str, int]
    ) -> None:
        """Write new faces; of a face that is known, what is new about it."""
        known = self._known(list(images.values()))
        found = _Matched()
        for picture in pictures:
            found.add(picture, known[images[picture.sha256]])
        keys = self._insert(found.new, images)
        same = found.same
        self._lock(same)
        self._revive([each for each in same if _is_revived(*each)])
        self._complete([each[1].id for each in same if _is_completed(*each)])
        faces = [
            *zip(found.new, keys, strict=True),
            *((given, keys[place]) for given, place in found.again),
            *((given, old.id) for given, old in same),
        ]
        self._label(faces)
        described = [
            (each.given.described, face_id, self.shown[each.given.owner])
            for (_, each), face_id in faces
            if each.given.described
        ]
        write_described(self.connection, self.publisher.name, described)
        self.new += len(found.new)

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

    def _insert(self, new: Sequence[_Given], images: Mapping[str, int]) -> list[int]:
        now = time.time()
        rows = []
        for picture, each in new:
            owner = each.given.owner
            x1, y1, x2, y2 = each.new.box
            given = GIVEN_ALL if picture.given.all_faces else GIVEN
            rows.append(
                {
                    **{k: v for k, v in vars(each.new).items() if k != "box"},
                    **{"x1": x1, "y1": y1, "x2": x2, "y2": y2},
                    "image_id": images[picture.sha256],
                    "detector": each.given.found_by or given,
                    "filed_under_id": self.shown[owner],
                    "awaits": self.step if owner else None,
                    "verdict": (Verdict.PENDING if owner else Verdict.DROPPED).value,
                    "reason": (FaceReason.OK if owner else FaceReason.NOBODY).value,
                    "found_at": now,
                }
            )
        keys = insert_ids(self.connection, face, rows)
        unnamed = [
            ledger.Decision(
                "face",
                key,
                self.publisher.command,
                Verdict.DROPPED.value,
                FaceReason.NOBODY.value,
                message=picture.given.origin(),
            )
            for (picture, each), key in zip(new, keys, strict=True)
            if each.given.owner is None
        ]
        ledger.append(self.connection, self.run_id, unnamed)
        return keys

    def _lock(self, same: Iterable[_Same]) -> None:
        """Lock the known faces that change."""
        changing = [
            each[1].id for each in same if _is_revived(*each) or _is_completed(*each)
        ]
        if changing:
            lock(self.connection, face, among(self.connection, face.c.id, changing))

    def _revive(self, named: Iterable[_Same]) -> None:
        """Let faces into the chain that had a box alone, and show somebody now."""
        states = {
            old.id: RowState(
                ledger.Decision(
                    "face",
                    old.id,
                    self.publisher.command,
                    Verdict.PENDING.value,
                    FaceReason.OK.value,
                    message=picture.given.origin(),
                ),
                self.step,
                {"filed_under_id": self.shown[each.given.owner]},
            )
            for (picture, each), old in named
        }
        row_state.write(self.connection, self.run_id, states.values())

    def _complete(self, ids: Sequence[int]) -> None:
        """Note that the pictures of some given faces have boxes of all faces."""
        if ids:
            update = sa.update(face).where(face.c.id.in_(ids))
            self.connection.execute(update.values(detector=GIVEN_ALL))

    def _label(self, faces: Sequence[tuple[_Given, int]]) -> None:
        """Confirm the faces that show somebody, as the source says.

        Args:
            faces: each with its id.
        """
        asked = self._not_asked(faces)
        now = time.time()
        keys = insert_ids(
            self.connection,
            question,
            [
                {
                    "face_id": face_id,
                    "character_id": character_id,
                    "reference_face_id": face_id,
                    "batch_id": self.publisher.name,
                    "label": Label.SAME.value,
                    "asked_at": now,
                }
                for face_id, character_id in asked
            ],
        )
        answers, decisions = [], []
        for key, (picture, each) in zip(keys, asked.values(), strict=True):
            source = picture.given.source
            answers.append(
                {
                    "question_id": key,
                    "annotator": self.publisher.name,
                    "choice": Choice.TRUE.value,
                    "imported_at": now,
                    "file": source.path.name,
                    "line": each.given.line,
                    "file_sha256": source.sha256,
                }
            )
            same = Label.SAME.value
            where = picture.given.origin(each.given.line)
            decisions.append(
                ledger.Decision("question", key, LABEL, same, same, message=where)
            )
        if answers:
            self.connection.execute(sa.insert(answer), answers)
            asked_now = batch.c.questions + len(answers)
            update = sa.update(batch).where(batch.c.id == self.publisher.name)
            self.connection.execute(update.values(questions=asked_now))
        ledger.append(self.connection, self.run_id, decisions)
        self.labels += len(answers)
        self.two_names |= self._named_twice({face_id for face_id, _ in asked})

    def _not_asked(
        self, faces: Sequence[tuple[_Given, int]]
    ) -> dict[tuple[int, int], _Given]:
        """Those that show somebody, without a question yet, by face and character."""
        asked = {
            (face_id, self.shown[each.given.owner]): (picture, each)
            for (picture, each), face_id in faces
            if each.given.owner and each.given.labelled
        }
        query = sa.select(
            question.c.face_id, question.c.character_id, question.c.reference_face_id
        )
        ids = [face_id for face_id, _ in asked]
        for row in by_ids(self.connection, query, question.c.face_id, ids):
            if row.face_id == row.reference_face_id:
                asked.pop((row.face_id, row.character_id), None)
        return asked

    def _named_twice(self, faces: Collection[int]) -> set[int]:
        """Those of some faces that are confirmed as several characters."""
        columns = question.c.face_id, question.c.label, survivor().label("owner")
        query = sa.select(*columns).join(
            character, character.c.id == question.c.character_id
        )
        # Not by the label: SQLite would read all questions that have it.
        rows = by_ids(self.connection, query, question.c.face_id, sorted(faces))
        named = {
            (row.face_id, row.owner) for row in rows if row.label == Label.SAME.value
        }
        count = Counter(face_id for face_id, _ in named)
        return {face_id for face_id, names in count.items() if names > 1}


def _is_revived(of: _Given, old: _KnownFace) -> bool:
    """Whether a face that nobody was named for shows somebody now."""
    return bool(of[1].given.owner) and old.reason == FaceReason.NOBODY.value


def _is_completed(of: _Given, old: _KnownFace) -> bool:
    """Whether a given face is in a picture with boxes of all faces now."""
    return of[0].given.all_faces and old.detector == GIVEN


def _same_faces(
    some: Sequence[MeasuredFace], known: Sequence[_KnownFace]
) -> list[tuple[int, int]]:
    """Pairs of a given face and the known face that it is."""
    boxes = [each.new.box for each in some], [each.box for each in known]
    given, found = (np.array(each, np.float32).reshape(-1, 4) for each in boxes)
    return matched(given, found, SAME_FACE)
