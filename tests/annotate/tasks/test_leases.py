"""Leases of page servers whose clocks differ, on one database."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from icf.annotate.audit.checks import SOURCE
from icf.annotate.audit.source import AuditSource
from icf.annotate.page.desk import open_desk
from icf.annotate.pairs.questions import askable
from icf.annotate.people.people import Person
from icf.annotate.tasks import leases
from icf.annotate.tasks.leases import Leasing
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import question
from tests.annotate.audit.audited import add_labels, planned
from tests.annotate.pairs.asked import ask_about, person
from tests.annotate.place import Place

pytestmark = pytest.mark.slow

#: What the second server's clock is ahead, in seconds; the first one's is right.
CLOCKS = pytest.mark.parametrize("ahead", [-3600.0, 3600.0])


@pytest.fixture
def catalogue(postgres_catalogue: Catalogue) -> Catalogue:
    """What several servers share; `place` is a workspace on it."""
    return postgres_catalogue


@pytest.fixture
def people(place: Place) -> list[Person]:
    """Three people; the second one is at the other server."""
    return [person(place, name) for name in ("ann", "bob", "eve")]


@pytest.fixture
def at_other(monkeypatch: pytest.MonkeyPatch, ahead: float) -> Callable[[int], None]:
    """Goes to the server of a person: the second one's has the other clock."""
    true = time.time

    def go(number: int) -> None:
        off = ahead if number == 1 else 0.0
        monkeypatch.setattr(time, "time", lambda: true() + off)

    return go


@CLOCKS
def test_no_two_people_get_the_same_pair(
    place: Place, people: list[Person], at_other: Callable[[int], None]
) -> None:
    ask_about(place, 6)
    taken = []
    for number, each in enumerate(people):
        at_other(number)
        task = open_desk(place.workspace, ["pairs"]).tasks["pairs"]
        assert task.waiting(each) == 6 - 2 * number
        taken += [one.handle for one in task.take(each, 2)]
    with place.workspace.catalogue.read() as connection:
        found = [leases.find(connection, handle) for handle in taken]
    assert len({each.subject_id for each in found if each is not None}) == 6


@CLOCKS
def test_no_two_people_get_the_same_label_to_check(
    place: Place, people: list[Person], at_other: Callable[[int], None]
) -> None:
    add_labels(place, 6, 6)
    planned(place)
    taken: list[int] = []
    for number, each in enumerate(people[1:], 1):
        at_other(number)
        with place.workspace.catalogue.write() as connection:
            chosen = AuditSource().take(connection, each, 2)
            subjects = [(SOURCE, key) for key in chosen]
            Leasing(60).issue(connection, each, "pairs", subjects)
        taken += chosen
    assert len(set(taken)) == 4


@CLOCKS
def test_what_is_held_is_held_on_every_server_and_ends_in_time(
    place: Place, people: list[Person], at_other: Callable[[int], None]
) -> None:
    ann, bob, _ = people
    catalogue = place.workspace.catalogue

    def held() -> list[tuple[int, int]]:
        with catalogue.read() as connection:
            return sorted(leases.held(connection, "boxes", [1, 2, 3]))

    for number, each in enumerate((ann, bob)):
        at_other(number)
        subject = "boxes", number + 1
        with catalogue.write() as connection:
            [lease] = Leasing(60).issue(connection, each, "boxes", [subject])
            Leasing(90).prolong(connection, each, [lease.handle])
            Leasing(0).issue(connection, each, "boxes", [("boxes", 3)])
        for server in (0, 1):
            at_other(server)
            assert held() == [(1, ann.id), (2, bob.id)][: number + 1]
    with catalogue.write() as connection:
        assert leases.sweep(connection) == 2


def test_answers_go_on_while_somebody_is_given_the_next_pairs(
    place: Place, people: list[Person]
) -> None:
    ann, bob, _ = people
    catalogue = place.workspace.catalogue
    with catalogue.write() as connection:
        [lease] = Leasing(60).issue(connection, ann, "pairs", [("question", 1)])
    with catalogue.write() as giving:
        leases.lock_leases(giving)
        with catalogue.write() as connection:
            # Does not wait: what would have to is an error.
            connection.execute(sa.text("LOCK lease IN ROW EXCLUSIVE MODE NOWAIT"))
            leases.end(connection, ann, [lease.handle])
            Leasing(60).prolong(connection, bob, [lease.handle])
        with catalogue.engine.connect() as connection:
            alone = sa.text("LOCK lease IN SHARE UPDATE EXCLUSIVE MODE NOWAIT")
            with pytest.raises(sa.exc.OperationalError, match="could not obtain lock"):
                connection.execute(alone)


def test_the_next_pairs_are_found_without_reading_all_answers(
    place: Place, people: list[Person]
) -> None:
    *settled, _, _ = ask_about(place, 40)
    query = askable(people[0], 1).order_by(question.c.id).limit(4)
    with place.workspace.catalogue.write() as connection:
        connection.execute(
            sa.update(question).where(question.c.id.in_(settled)).values(label="same")
        )
        made = f"""
            INSERT INTO answer (question_id, annotator, choice, imported_at, file, line)
            SELECT {settled[0]} + mod(each, {len(settled)}), 'eve ' || each,
                'true', 0, 'a', each
            FROM generate_series(1, 20000) AS each"""
        connection.exec_driver_sql(made)
        connection.exec_driver_sql("ANALYZE")
        text = query.compile(connection.engine, compile_kwargs={"literal_binds": True})
        plan = str(connection.exec_driver_sql(f"EXPLAIN {text}").all())
    assert "ix_answer_question_id" in plan
    assert "Seq Scan on answer" not in plan
