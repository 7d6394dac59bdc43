"""Pictures whose boxes people differ about: a reviewer settles them.

The reviewer sees what each person drew, in an order that says nothing of who it was,
and begins with the boxes that more than half of them drew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import sqlalchemy as sa

from icf.annotate.boxes.merge import canonical, in_order, match_boxes
from icf.annotate.boxes.opinion import FloatArray, Opinion, as_boxes, stored_opinion
from icf.annotate.boxes.source import SOURCE
from icf.annotate.boxes.task import lock_leasing, payload
from icf.annotate.people.people import Person, Role
from icf.annotate.tasks import leases
from icf.annotate.tasks.base import Task
from icf.annotate.tasks.leases import Leasing
from icf.catalogue.annotation.pauses import boxes_count
from icf.catalogue.annotation.schema import box_answer, box_task
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import by_ids, count_rows
from icf.catalogue.schema import image
from icf.codes import BoxStatus, ImageReason


@dataclass(frozen=True, eq=False)
class BoxReviewTask:
    """Disputed pictures, for reviewers.

    Attributes:
        catalogue: of the workspace.
        leasing: how long a picture is held.
        iou: from which two boxes are one.
    """

    catalogue: Catalogue
    leasing: Leasing
    iou: float

    name: ClassVar[str] = "box-review"
    role: ClassVar[Role] = Role.REVIEWER

    def take(self, person: Person, count: int) -> list[Task]:
        """Lease up to ``count`` disputed pictures; fewer where fewer are left."""
        with self.catalogue.write() as connection:
            lock_leasing(connection)
            # One query: what is settled between two is neither held nor disputed.
            held = sa.exists().where(leases.holding(SOURCE, box_task.c.image_id))
            query = disputed_pictures().where(~held).limit(count)
            chosen = connection.execute(query).all()
            said = read_said(connection, [row.image_id for row in chosen])
            subjects = [(SOURCE, row.image_id) for row in chosen]
            issued = self.leasing.issue(connection, person, self.name, subjects)
            return [
                Task(
                    lease.handle,
                    review_payload(lease.handle, row, said[row.image_id], self.iou),
                )
                for lease, row in zip(issued, chosen, strict=True)
            ]

    def waiting(self, person: Person) -> int:
        """Count the disputed pictures; they are the same for each reviewer."""
        del person
        with self.catalogue.read() as connection:
            return count_rows(connection, disputed_pictures())


def disputed_pictures() -> sa.Select[Any]:
    """Select the pictures that wait for a reviewer, with their sizes, by id."""
    return (
        sa.select(box_task.c.image_id, image.c.width, image.c.height)
        .join(image, image.c.id == box_task.c.image_id)
        .where(
            box_task.c.status == BoxStatus.DISPUTED.value,
            image.c.reason != ImageReason.TAKEN_DOWN.value,
        )
        .order_by(box_task.c.image_id)
    )


def read_said(
    connection: sa.Connection, images: Sequence[int]
) -> dict[int, list[Opinion]]:
    """Read what people say of pictures, in an order that does not tell who it was."""
    query = sa.select(
        box_answer.c.image_id, box_answer.c.verdict, box_answer.c.boxes
    ).where(boxes_count())
    found: dict[int, list[Opinion]] = {key: [] for key in images}
    for row in by_ids(connection, query, box_answer.c.image_id, images):
        opinion = stored_opinion(row.verdict, row.boxes)
        found[row.image_id].append(in_order(opinion))
    return {key: sorted(said, key=canonical) for key, said in found.items()}


def review_payload(
    handle: str, row: sa.Row[Any], said: Sequence[Opinion], least: float
) -> dict[str, Any]:
    """What the browser needs to show a disputed picture.

    Args:
        handle: of the lease.
        row: of `disputed_pictures`.
        said: what people say of it.
        least: IoU from which two boxes are one.
    """
    drawn = [each.boxes for each in said if each.boxes is not None]
    return {
        **payload(handle, row, common_boxes(drawn, least)),
        "people": [each.round(2).tolist() for each in drawn],
        "cannot_tell": len(said) - len(drawn),
    }


def common_boxes(drawn: Sequence[FloatArray], least: float) -> FloatArray:
    """The boxes that more than half of some people drew, each as the first drew it.

    Args:
        drawn: shape (n, 4) each, a person each.
        least: IoU from which two boxes are one.

    Returns:
        Shape (m, 4).

    >>> one, other = as_boxes([[0, 0, 9, 9], [20, 0, 29, 9]]), as_boxes([[0, 0, 9, 9]])
    >>> common_boxes([one, other], 0.7).tolist()
    [[0.0, 0.0, 9.0, 9.0]]
    """
    found = as_boxes([])
    for place, boxes in enumerate(drawn):
        votes = np.ones(len(boxes), np.int64)
        for other in (*drawn[:place], *drawn[place + 1 :]):
            for mine, _ in match_boxes(boxes, other, least):
                votes[mine] += 1
        often = boxes[2 * votes > len(drawn)]
        known = {mine for mine, _ in match_boxes(often, found, least)}
        new = [each for each in range(len(often)) if each not in known]
        found = np.concatenate([found, often[new]])
    return found
