"""Pictures to box, in a workspace after the filter; and people who box them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from icf.annotate.boxes.asker import Asker
from icf.annotate.boxes.choose import Asking
from icf.annotate.boxes.merge import Rule
from icf.annotate.boxes.opinion import Opinion, as_boxes
from icf.annotate.boxes.page_run import PageRun
from icf.annotate.boxes.source import BoxSource
from icf.annotate.boxes.task import BoxTask
from icf.annotate.people.people import Person, Role, find_person
from icf.annotate.people.sessions import make_invite
from icf.annotate.people.tokens import read_key
from icf.annotate.tasks.base import Task
from icf.annotate.tasks.leases import Leasing
from icf.annotate.tasks.store import Receipt, Sent, store
from icf.catalogue.annotation.schema import box_task, verified_box
from icf.catalogue.schema import batch, decision, face, image, question
from icf.codes import FaceReason, Label, Verdict
from tests.annotate.place import EMBEDDER, Place, picture

Corners = tuple[float, float, float, float]

#: Width and height.
SIDE = 160
A: Corners = (10.0, 10.0, 60.0, 60.0)
B: Corners = (80.0, 20.0, 130.0, 90.0)
RULE = Rule(people=2, iou=0.7, most=7)


def drew(*boxes: Corners) -> Opinion:
    """Somebody's boxes."""
    return Opinion(as_boxes(boxes))


def boxed(*boxes: Corners) -> dict[str, Any]:
    """The same as the page sends it."""
    return {"verdict": "boxed", "boxes": [list(each) for each in boxes]}


class Pictures:
    """A workspace with pictures and people."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.catalogue = place.workspace.catalogue
        self.run = PageRun(place.workspace)
        self.source = BoxSource(RULE, self.run)
        self._numbers = itertools.count(1000)
        self._character = place.add_character()

    def task(self, hidden: float = 0.0, page: int = 50, at_random: int = 10) -> BoxTask:
        """The page that asks about them."""
        asker = Asker(self.catalogue, Asking(hidden, page, at_random), self.run)
        return BoxTask(self.catalogue, Leasing(60), asker, RULE)

    def person(self, name: str = "ann", role: Role = Role.ANNOTATOR) -> Person:
        """Somebody who was invited."""
        key = read_key(self.place.workspace.root)
        with self.catalogue.write() as connection:
            make_invite(connection, key, name, role, 1)
            found = find_person(connection, name)
        assert found is not None
        return found

    def add(self, *boxes: Corners, confirmed: bool = False, **columns: Any) -> int:
        """A picture in which the detector found some faces; return its id."""
        sha256 = self.place.workspace.blobs.put(picture(next(self._numbers), SIDE))
        values = {"sha256": sha256, "bytes": 1, "width": SIDE, "height": SIDE}
        values |= {"awaits": None, "verdict": Verdict.KEPT.value, "stored_at": 0.0}
        values |= {"reason": "ok" if boxes else "no_face"}
        image_id = self._insert(image, {**values, **columns})
        for box in boxes:
            face_id = self.add_face(image_id, box)
            if confirmed:
                self.confirm(face_id)
        return image_id

    def add_face(self, image_id: int, box: Corners, **columns: Any) -> int:
        """A face that the detector found; return its id."""
        number = next(self._numbers)
        values = dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)) | {
            "image_id": image_id,
            "kind": "cartoon",
            "score": 0.9,
            "detector": "d" * 64,
            "sharpness": 500.0,
            "pixel_hash": f"{number:064x}",
            "phash": number,
            "dhash": number,
            "embedder": EMBEDDER,
            "filed_under_id": self._character,
            "character_id": self._character,
            "probability": 0.5,
            "verdict": Verdict.KEPT.value,
            "reason": FaceReason.OK.value,
            "found_at": 0.0,
        }
        return self._insert(face, {**values, **columns})

    def confirm(self, face_id: int) -> None:
        """People say that a face is its character."""
        values = {
            "face_id": face_id,
            "character_id": self._character,
            "reference_face_id": self.place.reference(self._character),
            "batch_id": f"b{face_id}",
            "label": Label.SAME.value,
            "asked_at": 0.0,
        }
        row = {"id": f"b{face_id}", "format": "csv", "path": f"b{face_id}"}
        with self.catalogue.write() as connection:
            made = sa.insert(batch).values(**row, questions=1, created_at=0.0)
            connection.execute(made)
        self._insert(question, values)

    def answer(
        self,
        person: Person,
        task: Task,
        value: dict[str, Any],
        client_id: str | None = None,
        at: float = 1.0,
    ) -> Receipt:
        """Send an answer."""
        client_id = client_id or f"client-{next(self._numbers)}"
        sent = Sent(task.handle, client_id, value, 3.0, at)
        sources = {"boxes": self.source}
        return store(self.catalogue, sources, person, [sent])[0]

    @contextmanager
    def after_a_look(self, happen: Callable[[], object]) -> Iterator[None]:
        """Let something happen once, after the first query for pictures to show."""
        waiting = [happen]

        def look(_: object, __: object, statement: str, *___: object) -> None:
            if waiting and statement.startswith("SELECT box_task"):
                waiting.pop()()

        engine = self.catalogue.engine
        sa.event.listen(engine, "after_cursor_execute", look)
        try:
            yield
        finally:
            sa.event.remove(engine, "after_cursor_execute", look)
        assert not waiting

    def tasks(self) -> dict[int, tuple[str, bool]]:
        """The status of each picture that was asked about, and what it hides."""
        query = sa.select(box_task.c.image_id, box_task.c.status, box_task.c.hidden)
        with self.catalogue.read() as connection:
            return {row[0]: (row[1], row[2]) for row in connection.execute(query)}

    def status(self, image_id: int) -> str:
        """What people say of a picture."""
        return self.tasks()[image_id][0]

    def verified(self, image_id: int) -> list[tuple[Corners, int | None]]:
        """The merged boxes of a picture, and the faces that they are."""
        query = sa.select(verified_box).where(verified_box.c.image_id == image_id)
        with self.catalogue.read() as connection:
            rows = connection.execute(query.order_by(verified_box.c.id)).all()
        return [((r.x1, r.y1, r.x2, r.y2), r.face_id) for r in rows]

    def decisions(self, image_id: int) -> list[str]:
        """What the ledger says of the boxes of a picture, oldest first."""
        query = sa.select(decision.c.verdict).where(
            decision.c.subject == "image",
            decision.c.subject_id == image_id,
            decision.c.step == "boxes",
        )
        with self.catalogue.read() as connection:
            rows = connection.execute(query.order_by(decision.c.id))
            return list(rows.scalars())

    def _insert(self, table: sa.Table, values: dict[str, Any]) -> int:
        made = sa.insert(table).values(**values).returning(table.c.id)
        with self.catalogue.write() as connection:
            return int(connection.execute(made).scalar_one())
