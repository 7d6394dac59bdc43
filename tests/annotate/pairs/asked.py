"""A workspace with open questions, and people who answer them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from icf.annotate.ask import ask
from icf.annotate.people.people import Person, Role, find_person
from icf.annotate.people.sessions import make_invite
from icf.annotate.people.tokens import read_key
from icf.annotate.tasks.base import Given, Lease, Source
from icf.annotate.tasks.leases import Leasing
from icf.annotate.tasks.store import Receipt, Sent, store
from icf.catalogue.schema import answer
from tests.annotate.place import Place


def ask_about(place: Place, faces: int, probability: float = 0.5) -> list[int]:
    """Ask about so many faces of a new character whose reference is chosen by hand."""
    ann = place.add_character()
    for _ in range(faces):
        place.add_face(ann, probability)
    return ask_all(place)


def ask_all(place: Place, limit: int = 1000) -> list[int]:
    """Ask a batch; return the ids of all questions."""
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        ask(connection, run_id, "page", f"page/{uuid.uuid4()}", limit)
    return place.question_ids()


def person(place: Place, name: str = "ann", role: Role = Role.ANNOTATOR) -> Person:
    """Somebody who was invited."""
    key = read_key(place.workspace.root)
    with place.workspace.catalogue.write() as connection:
        make_invite(connection, key, name, role, 1)
        found = find_person(connection, name)
    assert found is not None
    return found


def lease_of(place: Place, holder: Person, key: int, source: str = "question") -> Lease:
    """Lease one thing to somebody."""
    with place.workspace.catalogue.write() as connection:
        [made] = Leasing(60).issue(connection, holder, "pairs", [(source, key)])
    return made


def sent(
    handle: str,
    choice: str = "true",
    at: float | None = None,
    client_id: str | None = None,
) -> Sent:
    """An answer of a browser."""
    at = time.time() if at is None else at
    return Sent(handle, client_id or str(uuid.uuid4()), {"choice": choice}, 1.5, at)


def send(
    place: Place, source: Source, holder: Person, answers: Sequence[Sent]
) -> list[Receipt]:
    """Store answers, as the server does."""
    return store(place.workspace.catalogue, {source.name: source}, holder, answers)


def given(lease: Lease, choice: str, at: float, client_id: str) -> Given:
    """An answer to a lease."""
    return Given(lease, client_id, {"choice": choice}, 1.0, at)


def current(place: Place) -> list[tuple[int, str, str]]:
    """The answers that count: question, annotator and choice."""
    query = (
        sa.select(answer.c.question_id, answer.c.annotator, answer.c.choice)
        .where(answer.c.replaced_at.is_(None))
        .order_by(answer.c.question_id, answer.c.annotator)
    )
    with place.workspace.catalogue.read() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def count_answers(place: Place) -> int:
    """The number of answers, replaced ones too."""
    with place.workspace.catalogue.read() as connection:
        query = sa.select(sa.func.count()).select_from(answer)
        return int(connection.execute(query).scalar_one())
