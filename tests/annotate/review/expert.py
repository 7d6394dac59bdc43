"""A workspace with conflicts and suspicions, and experts who settle them."""

from __future__ import annotations

import itertools
import math
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.boxes.page_run import PageRun
from icf.annotate.people.people import Person, Role
from icf.annotate.review import task as review_task
from icf.annotate.review.audited import DecisionSource
from icf.annotate.review.sources import ConflictSource, SuspicionSource
from icf.annotate.review.task import ReviewTask
from icf.annotate.tasks.base import Lease, Source, Task
from icf.annotate.tasks.leases import Leasing, find
from icf.annotate.tasks.store import Receipt, Sent, store
from icf.annotate.waiting import apply_waiting
from icf.catalogue import reviews
from icf.catalogue.reviews import Found
from icf.catalogue.schema import answer, review
from icf.codes import Choice, Suspicion
from tests.annotate.pairs.asked import person
from tests.annotate.place import Place

_NUMBERS = itertools.count(1)


class Expert:
    """What a reviewer sees and says."""

    def __init__(self, place: Place, name: str = "eve", needed: int | None = 1) -> None:
        self.place = place
        self.person: Person = person(place, name, Role.REVIEWER)
        catalogue = place.workspace.catalogue
        self.task = ReviewTask(catalogue, Leasing(60), needed, confirmed=True)
        conflicts, suspicions = (
            ConflictSource(),
            SuspicionSource(PageRun(place.workspace)),
        )
        self.sources: Mapping[str, Source] = {
            conflicts.name: conflicts,
            suspicions.name: suspicions,
            DecisionSource.name: DecisionSource(),
        }

    def take(self, count: int = 10, part: str | None = None) -> list[Task]:
        return self.task.take_part(self.person, count, part)

    def lease(self, task: Task) -> Lease:
        with self.place.workspace.catalogue.read() as connection:
            found = find(connection, task.handle)
        assert found is not None
        return found

    def say(self, task: Task, choice: Choice, at: float = 1000.0) -> Receipt:
        value: dict[str, Any] = {"choice": choice.value}
        sent = Sent(task.handle, str(uuid.uuid4()), value, 3.0, at + next(_NUMBERS))
        catalogue = self.place.workspace.catalogue
        [made] = store(catalogue, self.sources, self.person, [sent])
        return made

    def settle(self, task: Task, choice: Choice) -> None:
        """Say something, and let labels follow."""
        assert self.say(task, choice).refused is None
        apply_waiting(self.place.workspace)


def vote(place: Place, question_id: int, *choices: Choice) -> None:
    """Answers of so many people, whose labels follow."""
    rows = [
        {
            "question_id": question_id,
            "annotator": f"person {next(_NUMBERS)}",
            "choice": choice.value,
            "answered_at": 1.0,
            "imported_at": 1.0,
            "file": "page",
            "file_sha256": "",
            "line": 0,
            "waits": True,
        }
        for choice in choices
    ]
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.insert(answer), rows)
    apply_waiting(place.workspace)


def suspect(place: Place, found: Found) -> int:
    """Suspect something; return its id."""
    with place.workspace.catalogue.write() as connection:
        reviews.add(connection, found.kind, [found])
        query = sa.select(sa.func.max(review.c.id))
        return int(connection.execute(query).scalar_one())


def status_of(place: Place, review_id: int) -> str:
    query = sa.select(review.c.status).where(review.c.id == review_id)
    with place.workspace.catalogue.read() as connection:
        return str(connection.execute(query).scalar_one())


def outlier(place: Place, character_id: int, score: float = 0.9) -> Found:
    """A face that looks unlike the others of its character."""
    face_id = place.add_face(character_id, 0.6)
    return Found(
        Suspicion.OUTLIER, character_id, face_id, place.reference(character_id), score
    )


def merge(place: Place, one: int, other: int, score: float = 0.8) -> Found:
    """Two characters that look like one."""
    return Found(
        Suspicion.MERGE, one, place.reference(one), place.reference(other), score, other
    )


def twin(place: Place, one: int, other: int, score: float = 0.7) -> Found:
    """Two faces that are nearly the same drawing, filed under two characters."""
    first, second = place.add_face(one, 0.5), place.add_face(other, 0.9)
    return Found(Suspicion.TWIN, one, first, second, score, other)


def split(place: Place, character_id: int, score: float = 0.6) -> Found:
    """A group of faces that look unlike the others of their character."""
    face_id = place.add_face(character_id, 0.6)
    return Found(
        Suspicion.SPLIT, character_id, face_id, place.reference(character_id), score
    )


def read_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read is used for some seconds; a test wants what is there now."""
    monkeypatch.setattr(review_task, "_FRESH", 0.0)
    monkeypatch.setattr(review_task, "_BUSY", math.inf)
