"""Two who do the same at once end as one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from icf.annotate.answers import Vote
from icf.annotate.audit.checks import Check, RefusedCheck, store_check
from icf.annotate.audit.exchange import Taken, export, import_checks
from icf.annotate.audit.source import AuditSource
from icf.annotate.exchange.earlier import Source
from icf.annotate.gold.make import CONFIRMED, Known, add
from icf.annotate.import_answers import AnnotatorNames
from icf.annotate.pairs.questions import QuestionSource
from icf.annotate.people.people import Role
from icf.annotate.people.sessions import make_browse_link, make_invite
from icf.annotate.people.tokens import SecretKey
from icf.annotate.posterior.skills import NEW, write_skills
from icf.annotate.record import Recorded, Recorder
from icf.annotate.tasks.store import Receipt
from icf.annotate.votes import VotesRule
from icf.catalogue.annotation.schema import (
    gold,
    label_audit_answer,
    label_audit_item,
    lease,
    person,
    skill,
)
from icf.catalogue.rows import count_rows, lock, lock_table
from icf.catalogue.schema import decision
from icf.codes import Choice
from tests.annotate.audit.audited import (
    DIFFERS,
    add_labels,
    fill_in,
    items,
    planned,
)
from tests.annotate.audit.audited import (
    said as checked,
)
from tests.annotate.pairs.asked import (
    ask_about,
    count_answers,
    current,
    lease_of,
    send,
    sent,
)
from tests.annotate.pairs.asked import (
    person as invited,
)
from tests.annotate.place import Place
from tests.catalogues import wait_until_waited_for

KEY = SecretKey(b"k" * 32)

Work = Callable[[sa.Connection], object]
A = TypeVar("A")
B = TypeVar("B")


def twice_at_once(place: Place, work: Work) -> None:
    """Do the same in two transactions; the second begins before the first ends."""
    catalogue = place.workspace.catalogue

    def second() -> None:
        with catalogue.write() as connection:
            work(connection)

    with ThreadPoolExecutor(1) as threads:
        with catalogue.write() as connection:
            work(connection)
            other = threads.submit(second)
            wait_until_waited_for(connection, other)
        other.result()


def test_known_pairs_are_added_once(place: Place) -> None:
    ann = place.add_character()
    faces = [place.add_face(ann, 0.5) for _ in range(3)]
    known = [Known(each, ann, faces[0], True, CONFIRMED) for each in faces[1:]]
    twice_at_once(place, lambda connection: add(connection, known))
    with place.workspace.catalogue.read() as connection:
        assert count_rows(connection, gold) == len(known)


def test_skills_are_those_of_one_fit(place: Place) -> None:
    twice_at_once(place, lambda connection: write_skills(connection, {"ann": NEW}))
    with place.workspace.catalogue.read() as connection:
        assert count_rows(connection, skill) == 1


@pytest.mark.parametrize(
    "work",
    [
        lambda connection: make_invite(connection, KEY, "Ann", Role.ANNOTATOR, 1),
        lambda connection: make_browse_link(connection, KEY, "Ann", 1),
    ],
    ids=["invite", "browse"],
)
def test_a_person_is_added_once(place: Place, work: Work) -> None:
    twice_at_once(place, work)
    with place.workspace.catalogue.read() as connection:
        assert count_rows(connection, person) == 1


def one_before_the_other(
    place: Place, hold: Work, first: Callable[[], A], second: Callable[[], B]
) -> tuple[A, B]:
    """Do two things, the second after the first has stored something, and not ended.

    Args:
        place: where; SQLite lets nobody write meanwhile.
        hold: locks what the first needs at its end.
        first, second: each with transactions of its own.
    """
    catalogue = place.workspace.catalogue
    if catalogue.dialect == "sqlite":
        return first(), second()
    with ThreadPoolExecutor(2) as threads:
        with catalogue.write() as connection:
            hold(connection)
            one = threads.submit(first)
            wait_for_locks(connection, 1, one)
            other = threads.submit(second)
            wait_for_locks(connection, 2, other)
        return one.result(), other.result()


def wait_for_locks(connection: sa.Connection, count: int, last: Future[Any]) -> None:
    """Return when so many wait for a lock, or the last one has ended."""
    query = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while not last.done() and connection.execute(query).scalar_one() < count:
        time.sleep(0.01)


def ledger_of_import(connection: sa.Connection) -> None:
    """Lock what an import writes after its answers."""
    lock_table(connection, decision)


def lease_of_page(connection: sa.Connection) -> None:
    """Lock what the page writes after an answer."""
    lock(connection, lease, sa.true())


@pytest.mark.parametrize("before", [False, True], ids=["", "answered before"])
@pytest.mark.parametrize("at", [None, 7.0], ids=["undated", "at the same instant"])
@pytest.mark.parametrize("page_first", [False, True], ids=["import", "page"])
def test_of_one_persons_two_answers_the_second_knows_the_first(
    place: Place, page_first: bool, at: float | None, before: bool
) -> None:
    ann = invited(place)
    [key, *_] = ask_about(place, 1)
    handle = lease_of(place, ann, key).handle

    def imported(at: float | None = at, choice: Choice = Choice.TRUE) -> Recorded:
        source = Source(f"{at}.csv", f"{at}".zfill(64))
        run_id = place.workspace.begin_run("test")
        recorder = Recorder(place.workspace.catalogue, run_id, source, VotesRule(1, 3))
        return recorder.record([Vote(2, key, "ann", choice, at)])

    def answered() -> Receipt:
        at_seven = sent(handle, "false", 7.0)
        return send(place, QuestionSource(), ann, [at_seven])[0]

    if before:
        imported(1.0, Choice.UNSURE)
    if page_first:
        stored, taken = one_before_the_other(place, lease_of_page, answered, imported)
        # What has no later time is no later answer.
        is_known = at is not None
        assert (taken.known, taken.revised) == (is_known, not is_known)
        assert current(place) == [(key, "ann", "false" if is_known else "true")]
        assert count_answers(place) == 1 + before + (not is_known)
    else:
        taken, stored = one_before_the_other(
            place, ledger_of_import, imported, answered
        )
        assert (taken.taken, taken.revised) == (not before, before)
        assert current(place) == [(key, "ann", "false")]
        assert count_answers(place) == 2 + before
    assert stored.refused is None


@pytest.mark.parametrize("page_first", [False, True], ids=["import", "page"])
def test_of_one_persons_two_checks_the_second_knows_the_first(
    place: Place, tmp_path: Path, page_first: bool
) -> None:
    add_labels(place, same=8, different=6)
    audit, bob = planned(place), invited(place, "bob")
    sample = items(place, audit)
    export(place.workspace, tmp_path / "out")
    said = {each.id: Choice.FALSE for each in sample}
    path = fill_in(tmp_path / "out" / "questions.csv", said, "bob")
    shown = lease_of(place, bob, sample[0].id, "audit")

    def imported() -> Taken:
        names = AnnotatorNames({})
        return import_checks(place.workspace, path, names, decides=False)

    def answered() -> Receipt:
        return send(place, AuditSource(), bob, [sent(shown.handle, "true")])[0]

    def last_item(connection: sa.Connection) -> None:
        query = sa.select(label_audit_item.c.id)
        last = label_audit_item.c.id == sample[-1].id
        connection.execute(query.where(last).with_for_update())

    if page_first:
        stored, taken = one_before_the_other(place, lease_of_page, answered, imported)
    else:
        taken, stored = one_before_the_other(place, last_item, imported, answered)
    assert (stored.refused, taken.taken) == (None, len(sample))
    with place.workspace.catalogue.read() as connection:
        now = label_audit_answer.c.replaced_at.is_(None)
        assert count_rows(connection, label_audit_answer, now) == len(sample)
        assert count_rows(connection, label_audit_answer) == len(sample) + 1


def test_of_two_reviewers_decisions_the_second_is_refused(place: Place) -> None:
    add_labels(place, same=8, different=6)
    item, *_ = items(place, planned(place))
    checked(place, item, DIFFERS[item.label])
    names = iter(["rita", "rob"])

    def decide(connection: sa.Connection) -> None:
        store_check(connection, Check(item.id, next(names), Choice.TRUE, decides=True))

    with pytest.raises(RefusedCheck, match="another reviewer decided"):
        twice_at_once(place, decide)
    with place.workspace.catalogue.read() as connection:
        decides = label_audit_answer.c.decides.is_(sa.true())
        assert count_rows(connection, label_audit_answer, decides) == 1
