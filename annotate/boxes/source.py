"""Pictures to box, as the page knows them: what is shown, how answers are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from icf.annotate.boxes.merge import Rule
from icf.annotate.boxes.opinion import read_opinion
from icf.annotate.boxes.page_run import PageRun
from icf.annotate.boxes.record import (
    BoxAnswer,
    Stored,
    follow,
    insert_answer,
    lock_tasks,
)
from icf.annotate.tasks.base import Given, Lease, RefusedAnswer, Shown, check_reviewer
from icf.catalogue.annotation.schema import box_answer
from icf.catalogue.schema import image
from icf.codes import ImageReason

SOURCE = "boxes"
#: Pages on which a reviewer settles what people disagree about.
REVIEW_TASKS = ("review", "box-review")
#: The picture in a task's payload.
PICTURE = "picture"
#: Maximum side of the picture that is sent. Boxes are in pixels of the stored one.
SIDE = 2000


@dataclass(frozen=True, eq=False)
class BoxSource:
    """Pictures of which people say where all drawn faces are.

    Attributes:
        rule: when people agree.
        run: what decisions are charged to.
    """

    rule: Rule
    run: PageRun

    name: ClassVar[str] = SOURCE

    def store(self, connection: sa.Connection, given: Given) -> None:
        """Store one answer, and settle its picture if people agree.

        Raises:
            RefusedAnswer: the boxes are none that can be stored, the picture was taken
                down, or whoever settles a dispute is no reviewer any more.
        """
        image_id, annotator = given.lease.subject_id, given.lease.person.name
        width, height = _size(connection, image_id)
        opinion = read_opinion(given.value, width, height)
        hidden = lock_tasks(connection, [image_id]).get(image_id)
        if hidden is None:
            raise RefusedAnswer("this picture was taken down")
        if _is_known(connection, given):
            return
        reviews = given.lease.task in REVIEW_TASKS
        if reviews:
            check_reviewer(given)
        stored = insert_answer(
            connection,
            BoxAnswer(
                image_id,
                annotator,
                opinion,
                shown=not hidden and not reviews,
                answered_at=given.answered_at,
                decides=reviews,
                seconds=given.seconds,
                client_id=given.client_id,
            ),
        )
        if stored is not Stored.KNOWN:
            follow(connection, self.run.id(connection), [image_id], self.rule)

    def picture(self, connection: sa.Connection, lease: Lease, name: str) -> Shown:
        """The whole picture, without boxes.

        Raises:
            KeyError: another name.
        """
        del connection
        if name != PICTURE:
            raise KeyError(name)
        return Shown(image_id=lease.subject_id, side=SIDE)


def _size(connection: sa.Connection, image_id: int) -> tuple[int, int]:
    query = sa.select(image.c.width, image.c.height).where(
        image.c.id == image_id, image.c.reason != ImageReason.TAKEN_DOWN.value
    )
    row = connection.execute(query).first()
    if row is None or row.width is None or row.height is None:
        raise RefusedAnswer("this picture was taken down")
    return row.width, row.height


def _is_known(connection: sa.Connection, given: Given) -> bool:
    """Whether this very answer was stored before, because it was sent twice."""
    query = sa.select(box_answer.c.image_id, box_answer.c.annotator).where(
        box_answer.c.client_id == given.client_id
    )
    row = connection.execute(query).first()
    if row is None:
        return False
    if tuple(row) != (given.lease.subject_id, given.lease.person.name):
        raise RefusedAnswer("another answer has the same id")
    return True
