"""The page that asks people for boxes: who gets which picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

from icf.annotate.boxes.asker import Asker
from icf.annotate.boxes.choose import Asking
from icf.annotate.boxes.merge import Rule
from icf.annotate.boxes.opinion import FloatArray
from icf.annotate.boxes.page_run import PageRun
from icf.annotate.boxes.proposals import NONE, read_proposals
from icf.annotate.boxes.source import PICTURE, SOURCE
from icf.annotate.people.people import Person, Role
from icf.annotate.tasks import leases
from icf.annotate.tasks.addresses import picture_url
from icf.annotate.tasks.base import Task
from icf.annotate.tasks.leases import Leasing
from icf.catalogue.annotation.pauses import boxes_count
from icf.catalogue.annotation.schema import box_answer, box_task, lease
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import image
from icf.codes import BoxStatus, ImageReason
from icf.workspace import Workspace

#: Open pictures that are looked at in one query.
_LOOK = 200
#: Where counting what is left for a person ends.
_COUNTED = 1000


@dataclass(frozen=True, eq=False)
class BoxTask:
    """Pictures of which a person is asked whether every drawn face is boxed.

    Attributes:
        catalogue: of the workspace.
        leasing: how long a picture is held.
        asker: asks about more pictures.
        rule: how many people each needs.
    """

    catalogue: Catalogue
    leasing: Leasing
    asker: Asker
    rule: Rule

    name: ClassVar[str] = "boxes"
    role: ClassVar[Role] = Role.ANNOTATOR

    @classmethod
    def of(cls, workspace: Workspace, leasing: Leasing, run: PageRun) -> BoxTask:
        """Make the task of a workspace, as its settings say."""
        asking = Asking(workspace.settings.annotate.box_hidden)
        asker = Asker(workspace.catalogue, asking, run)
        return cls(workspace.catalogue, leasing, asker, rule_of(workspace))

    def take(self, person: Person, count: int) -> list[Task]:
        """Lease up to ``count`` pictures to a person; fewer where fewer are left."""
        taken = self._take(person, count)
        if len(taken) < count and self.asker.ask():
            taken += self._take(person, count - len(taken))
        return taken

    def waiting(self, person: Person) -> int:
        """Count what is left for a person, up to 1,000."""
        query = _open_for(person).with_only_columns(box_task.c.image_id)
        with self.catalogue.read() as connection:
            found = count_rows(connection, query.limit(_COUNTED))
        return found or int(self.asker.is_left())

    def _take(self, person: Person, count: int) -> list[Task]:
        with self.catalogue.write() as connection:
            lock_leasing(connection)
            chosen = self._choose(connection, person, count)
            subjects = [(SOURCE, row.image_id) for row in chosen]
            issued = self.leasing.issue(connection, person, self.name, subjects)
            shown = [row.image_id for row in chosen if not row.hidden]
            proposals = read_proposals(connection, shown)
        return [
            Task(
                lease.handle,
                payload(lease.handle, row, proposals.get(row.image_id, NONE).boxes),
            )
            for lease, row in zip(issued, chosen, strict=True)
        ]

    def _choose(
        self, connection: sa.Connection, person: Person, count: int
    ) -> list[sa.Row[Any]]:
        chosen: list[sa.Row[Any]] = []
        for rows in _pages(connection, person):
            for row in rows:
                if row.held < max(self.rule.people - row.given, 1):
                    chosen.append(row)
                    if len(chosen) == count:
                        return chosen
        return chosen


def rule_of(workspace: Workspace) -> Rule:
    """When people agree, as a workspace's settings say."""
    settings = workspace.settings.annotate
    return Rule(settings.box_people, settings.box_iou, settings.max_votes)


def payload(handle: str, row: sa.Row[Any], proposals: FloatArray) -> dict[str, Any]:
    """What the browser needs to show a picture.

    It does not say whether there are no proposals or whether they are hidden.

    Args:
        handle: of the lease.
        row: with the picture's ``width`` and ``height``.
        proposals: boxes to begin with, shape (n, 4).
    """
    return {
        "kind": "boxes",
        "picture": picture_url(handle, PICTURE),
        "width": row.width,
        "height": row.height,
        "proposals": proposals.round(2).tolist(),
    }


def _pages(connection: sa.Connection, person: Person) -> Iterator[list[sa.Row[Any]]]:
    """Yield the open pictures that a person neither answered nor holds, by id.

    One query reads how many people answered and how many hold each, so that an answer
    that comes meanwhile, and ends its lease, is not missed in both.
    """
    holders = leases.holding(SOURCE, box_task.c.image_id)
    held = sa.select(sa.func.count()).select_from(lease).where(holders)
    query = (
        _open_for(person)
        .add_columns(held.scalar_subquery().label("held"))
        .where(~sa.exists().where(holders, lease.c.person_id == person.id))
        .order_by(box_task.c.image_id)
        .limit(_LOOK)
    )
    last = -1
    while rows := list(connection.execute(query.where(box_task.c.image_id > last))):
        yield rows
        last = rows[-1].image_id


def _open_for(person: Person) -> sa.Select[Any]:
    """Select the open pictures that a person did not answer."""
    of_picture = sa.and_(
        box_answer.c.image_id == box_task.c.image_id,
        box_answer.c.replaced_at.is_(None),
    )
    given = sa.select(sa.func.count()).where(of_picture, boxes_count())
    return (
        sa.select(
            box_task.c.image_id,
            box_task.c.hidden,
            image.c.width,
            image.c.height,
            given.scalar_subquery().label("given"),
        )
        .join(image, image.c.id == box_task.c.image_id)
        .where(
            box_task.c.status == BoxStatus.OPEN.value,
            image.c.reason != ImageReason.TAKEN_DOWN.value,
            ~sa.exists().where(of_picture, box_answer.c.annotator == person.name),
        )
    )


def lock_leasing(connection: sa.Connection) -> None:
    """Let nobody else lease pictures until the transaction ends."""
    if connection.dialect.name == "postgresql":
        # Two people would get a picture that one is enough for. Answers go on.
        connection.execute(
            sa.text("LOCK TABLE box_task IN SHARE UPDATE EXCLUSIVE MODE")
        )
