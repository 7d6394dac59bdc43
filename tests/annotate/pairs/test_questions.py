from __future__ import annotations

import threading
import time

import sqlalchemy as sa

from icf.annotate.pairs.questions import QuestionSource, store_answer
from icf.annotate.people.people import Person
from icf.annotate.tasks import leases
from icf.catalogue.annotation.schema import lease as lease_table
from icf.catalogue.schema import answer, question
from icf.codes import Choice, Label
from tests.annotate.pairs.asked import (
    ask_about,
    count_answers,
    current,
    given,
    lease_of,
    person,
    send,
    sent,
)
from tests.annotate.place import Place

SOURCE = QuestionSource()


def taken(
    place: Place, someone: Person, count: int = 10, overlap: int = 1
) -> list[int]:
    with place.workspace.catalogue.read() as connection:
        return QuestionSource(overlap).take(connection, someone, count)


def relabel(place: Place, key: int, label: Label) -> None:
    with place.workspace.catalogue.write() as connection:
        update = sa.update(question).where(question.c.id == key)
        connection.execute(update.values(label=label.value))


def let_follow(place: Place) -> None:
    """As if labels had followed from all answers, and every question were open."""
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(answer).values(waits=None))


def test_a_stored_answer_waits_until_its_label_follows(place: Place) -> None:
    [one] = ask_about(place, 1)
    ann = person(place)
    lease = lease_of(place, ann, one)
    [receipt] = send(place, SOURCE, ann, [sent(lease.handle, "false", at=100.0)])
    assert receipt.refused is None
    with place.workspace.catalogue.read() as connection:
        row = connection.execute(sa.select(answer)).one()
    assert (row.question_id, row.annotator, row.choice) == (one, "ann", "false")
    assert (row.answered_at, row.seconds, row.waits) == (100.0, 1.5, True)
    assert (row.file, row.file_sha256, row.line) == ("page", "", 0)
    assert place.labels() == {one: "open"}


def test_an_answer_that_is_sent_twice_is_stored_once(place: Place) -> None:
    [one] = ask_about(place, 1)
    ann = person(place)
    again = sent(lease_of(place, ann, one).handle)
    for _ in range(2):
        [receipt] = send(place, SOURCE, ann, [again])
        assert receipt.refused is None
    assert count_answers(place) == 1


def test_a_later_answer_replaces_the_earlier_one(place: Place) -> None:
    [one] = ask_about(place, 1)
    ann = person(place)
    handle = lease_of(place, ann, one).handle
    send(place, SOURCE, ann, [sent(handle, "true", 10.0), sent(handle, "false", 20.0)])
    assert current(place) == [(one, "ann", "false")]
    assert count_answers(place) == 2


def test_an_answer_that_arrives_after_a_later_one_does_not_count(place: Place) -> None:
    [one] = ask_about(place, 1)
    ann = person(place)
    handle = lease_of(place, ann, one).handle
    send(place, SOURCE, ann, [sent(handle, "true", 20.0), sent(handle, "false", 10.0)])
    assert current(place) == [(one, "ann", "true")]
    assert count_answers(place) == 2


def test_of_two_answers_of_one_time_the_one_that_came_last_counts(place: Place) -> None:
    [one] = ask_about(place, 1)
    ann = person(place)
    handle = lease_of(place, ann, one).handle
    send(place, SOURCE, ann, [sent(handle, "true", 10.0), sent(handle, "false", 10.0)])
    assert current(place) == [(one, "ann", "false")]


def test_the_id_of_another_answer_is_refused(place: Place) -> None:
    one, two = ask_about(place, 2)
    ann = person(place)
    first, second = (lease_of(place, ann, key).handle for key in (one, two))
    receipts = send(
        place,
        SOURCE,
        ann,
        [sent(first, client_id="same"), sent(second, client_id="same")],
    )
    assert [each.refused for each in receipts] == [
        None,
        "its id is that of another answer",
    ]
    assert current(place) == [(one, "ann", "true")]


def test_what_cannot_be_stored_is_refused_in_words(place: Place) -> None:
    one, two, three = ask_about(place, 3)
    ann = person(place)
    handles = [lease_of(place, ann, key).handle for key in (one, two, three, three + 9)]
    relabel(place, two, Label.WITHDRAWN)
    receipts = send(
        place,
        SOURCE,
        ann,
        [
            sent(handles[0], "maybe"),
            sent(handles[1]),
            sent(handles[2], "not_a_face"),
            sent(handles[3]),
        ],
    )
    refused = [each.refused or "" for each in receipts]
    assert "one of true, false" in refused[0]
    assert "withdrawn" in refused[1]
    assert refused[2] == ""
    assert "taken down" in refused[3]
    assert current(place) == [(three, "ann", "not_a_face")]


def test_one_person_can_not_answer_what_was_shown_to_another(place: Place) -> None:
    [one] = ask_about(place, 1)
    handle = lease_of(place, person(place), one).handle
    [receipt] = send(place, SOURCE, person(place, "bob"), [sent(handle)])
    assert receipt.refused == "this was not shown to you"
    assert count_answers(place) == 0


def test_an_answer_to_a_lease_that_ran_out_is_taken(place: Place) -> None:
    [one] = ask_about(place, 1)
    ann = person(place)
    handle = lease_of(place, ann, one).handle
    with place.workspace.catalogue.write() as connection:
        leases.end(connection, ann, [handle])
    [receipt] = send(place, SOURCE, ann, [sent(handle)])
    assert receipt.refused is None


def test_an_expert_s_answer_decides(place: Place) -> None:
    [one] = ask_about(place, 1)
    lease = lease_of(place, person(place), one)
    with place.workspace.catalogue.write() as connection:
        said = given(lease, "true", 1.0, "c")
        store_answer(connection, said, Choice.TRUE, decides=True)
    with place.workspace.catalogue.read() as connection:
        assert connection.execute(sa.select(answer.c.decides)).scalar_one() is True


def test_what_was_asked_first_comes_first(place: Place) -> None:
    ids = ask_about(place, 4)
    assert taken(place, person(place), 3) == ids[:3]


def test_nobody_gets_what_somebody_holds_or_what_he_answered(place: Place) -> None:
    ids = ask_about(place, 4)
    ann, bob = person(place), person(place, "bob")
    send(place, SOURCE, ann, [sent(lease_of(place, ann, ids[0]).handle)])
    lease_of(place, bob, ids[1])
    # An answer that waits may settle the first question, so nobody is asked it now.
    assert taken(place, ann) == taken(place, bob) == ids[2:]
    let_follow(place)
    assert taken(place, bob) == [ids[0], *ids[2:]]
    assert taken(place, ann) == ids[2:]


def test_with_overlap_two_people_may_hold_the_same(place: Place) -> None:
    [one] = ask_about(place, 1)
    ann, bob, cat = (person(place, name) for name in ("ann", "bob", "cat"))
    lease_of(place, ann, one)
    assert taken(place, bob, overlap=2) == [one]
    assert taken(place, ann, overlap=2) == []
    lease_of(place, bob, one)
    assert taken(place, cat, overlap=2) == []


def test_what_was_given_back_or_ran_out_is_asked_again(place: Place) -> None:
    one, two = ask_about(place, 2)
    ann, bob = person(place), person(place, "bob")
    first = lease_of(place, ann, one)
    lease_of(place, ann, two)
    with place.workspace.catalogue.write() as connection:
        leases.end(connection, ann, [first.handle])
    assert taken(place, bob) == [one]
    with place.workspace.catalogue.write() as connection:
        past = sa.update(lease_table).values(until=time.time() - 1)
        connection.execute(past)
        assert leases.sweep(connection) == 1
    assert taken(place, bob) == [one, two]


def test_settled_and_withdrawn_questions_are_not_asked(place: Place) -> None:
    one, two, three = ask_about(place, 3)
    relabel(place, one, Label.SAME)
    relabel(place, two, Label.WITHDRAWN)
    assert taken(place, person(place)) == [three]


def test_answers_of_two_tabs_at_once_replace_each_other(place: Place) -> None:
    [one] = ask_about(place, 1)
    ann = person(place)
    handle = lease_of(place, ann, one).handle
    receipts = []

    def tab(number: int) -> None:
        for each in range(5):
            at = float(each)
            receipts.extend(send(place, SOURCE, ann, [sent(handle, at=at + number)]))

    tabs = [threading.Thread(target=tab, args=(number,)) for number in range(3)]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join()
    assert [each.refused for each in receipts] == [None] * 15
    assert (count_answers(place), len(current(place))) == (15, 1)
