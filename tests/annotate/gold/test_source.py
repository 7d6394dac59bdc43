from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf.annotate.gold.source import GoldSource
from icf.annotate.pairs.mix import Mix
from icf.annotate.pairs.questions import QuestionSource
from icf.annotate.pairs.task import PairsTask
from icf.annotate.people.people import Person
from icf.annotate.tasks.base import Source
from icf.annotate.tasks.leases import Leasing
from icf.catalogue.annotation.schema import gold, gold_answer, lease
from icf.catalogue.schema import face
from icf.codes import Choice
from tests.annotate.audit.audited import add_labels, items, planned, said
from tests.annotate.gold.place import add_gold, answer_gold
from tests.annotate.pairs.asked import ask_about, lease_of, person, send, sent
from tests.annotate.place import Place
from tests.annotate.posterior.answers import say

T, F = Choice.TRUE, Choice.FALSE

SOURCE = GoldSource(random.Random(1))


def taken(
    place: Place, someone: Person, count: int = 99, source: GoldSource = SOURCE
) -> list[int]:
    with place.workspace.catalogue.read() as connection:
        return source.take(connection, someone, count)


def test_nobody_gets_one_twice_nor_one_that_is_on_the_page(place: Place) -> None:
    keys = add_gold(place, [T, F, T], place.add_character())
    ann, bob = person(place), person(place, "bob")
    assert sorted(taken(place, ann)) == keys
    lease_of(place, ann, keys[0], "gold")
    answer_gold(place, "ann", [(keys[1], T)])
    assert taken(place, ann) == [keys[2]]
    assert sorted(taken(place, bob)) == keys
    assert len(taken(place, bob, 2)) == 2


def test_nobody_gets_what_he_answered_as_a_question(place: Place) -> None:
    [asked] = ask_about(place, 1)
    ann, bob = person(place), person(place, "bob")
    say(place, {asked: [("ann", T)]})
    with place.workspace.catalogue.read() as connection:
        [pair] = QuestionSource().pairs(connection, [asked]).values()
    values = {**vars(pair), "truth": "true", "made_by": "confirmed", "made_at": 0.0}
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.insert(gold).values(values))
    assert taken(place, ann) == []
    assert len(taken(place, bob)) == 1


def test_nobody_gets_what_he_checked_in_an_audit(place: Place) -> None:
    add_labels(place, same=8, different=0)
    audit = planned(place)
    one = next(e for e in items(place, audit) if e.face_id != e.reference_face_id)
    ann, bob = person(place), person(place, "bob")
    said(place, one, T, "bob")
    with place.workspace.catalogue.write() as connection:
        values = {
            "face_id": one.face_id,
            "character_id": one.character_id,
            "reference_face_id": one.reference_face_id,
            **{"truth": "true", "made_by": "hand", "made_at": 0.0},
        }
        connection.execute(sa.insert(gold).values(values))
    assert taken(place, bob) == []
    assert taken(place, person(place, "eve")) != []
    # It was a question that made the label.
    assert taken(place, ann) == []


def test_a_persons_answers_are_not_read_whole_for_every_pair(plain: Place) -> None:
    ann = person(plain)
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, text: str, values: Any, *_: Any) -> None:
        sent.append((text, values))

    engine = plain.workspace.catalogue.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    taken(plain, ann)
    sa.event.remove(engine, "before_cursor_execute", note)
    text, values = next(each for each in sent if "gold_answer" in each[0])
    with plain.workspace.catalogue.read() as connection:
        explained = f"EXPLAIN QUERY PLAN {text}"
        plan_of = connection.exec_driver_sql(explained, values).all()
    steps = {row[0]: row[3] for row in plan_of}
    parents = [steps[row[1]] for row in plan_of if "label_audit" in row[3]]
    assert parents
    assert all(each.startswith("LIST SUBQUERY") for each in parents)
    assert any(
        "SEARCH answer USING INDEX ix_answer_question_id" in e for e in steps.values()
    )
    assert not any("ix_answer_annotator" in each for each in steps.values())


@pytest.mark.parametrize("why", ["retired", "another reference", "taken down"])
def test_what_can_be_shown_no_more_is_not_taken(place: Place, why: str) -> None:
    character = place.add_character()
    [key] = add_gold(place, [T], character)
    ann = person(place)
    if why == "another reference":
        place.set_reference(character, place.add_face(character, 0.9))
    update = sa.update(gold).values(retired_at=1.0)
    if why == "taken down":
        update = sa.update(face).values(reason="taken_down")
    if why != "another reference":
        with place.workspace.catalogue.write() as connection:
            connection.execute(update)
    assert taken(place, ann) == []
    assert key


def test_the_order_is_random(place: Place) -> None:
    keys = add_gold(place, [T] * 12, place.add_character())
    ann = person(place)
    orders = {
        tuple(taken(place, ann, source=GoldSource(random.Random(seed))))
        for seed in range(20)
    }
    assert len(orders) == 20
    assert {order[0] for order in orders} > {keys[0]}


def test_an_answer_is_stored_once_and_a_later_one_replaces_it(place: Place) -> None:
    [key] = add_gold(place, [T], place.add_character())
    ann = person(place)
    handle = lease_of(place, ann, key, "gold").handle
    first = sent(handle, "true", 10.0)
    for each in (first, first, sent(handle, "false", 20.0), sent(handle, "true", 5.0)):
        [receipt] = send(place, SOURCE, ann, [each])
        assert receipt.refused is None
    query = sa.select(gold_answer.c.choice, gold_answer.c.replaced_at.is_(None))
    with place.workspace.catalogue.read() as connection:
        rows = list(map(tuple, connection.execute(query.order_by(gold_answer.c.id))))
    assert rows == [("true", False), ("false", True), ("true", False)]


def test_an_answer_that_is_none_is_refused(place: Place) -> None:
    [key] = add_gold(place, [T], place.add_character())
    ann = person(place)
    handle = lease_of(place, ann, key, "gold").handle
    [receipt] = send(place, SOURCE, ann, [sent(handle, "?")])
    assert receipt.refused == (
        "an answer to a pair is one of true, false, unsure, not_a_face, wrong_reference"
    )


@contextmanager
def statements(place: Place) -> Iterator[list[str]]:
    """Collect the kinds of SQL statements that run meanwhile."""
    found: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        found.append(statement.split()[0])

    engine = sa.Engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def mixed(place: Place, share: float) -> PairsTask:
    sources: dict[str, Source] = {"question": QuestionSource(), "gold": SOURCE}
    mix = Mix(gold_first=0, gold_share=share, draw=random.Random(3).random)
    return PairsTask(place.workspace.catalogue, Leasing(60), sources, mix)


def test_nobody_can_tell_a_known_pair_from_a_question(place: Place) -> None:
    """Same payload, same handles, same work in the catalogue."""
    ask_about(place, 8)
    add_gold(place, [T, F] * 4, place.add_character())
    ann = person(place)
    task = mixed(place, 0.5)
    shown = task.take(ann, 8)
    query = sa.select(lease.c.handle, lease.c.source)
    with place.workspace.catalogue.read() as connection:
        source_of = {row.handle: row.source for row in connection.execute(query)}
    by_source = {"question": [], "gold": []}  # type: dict[str, list[object]]
    work: dict[str, list[list[str]]] = {"question": [], "gold": []}
    for each in shown:
        found = each.as_json()
        assert re.fullmatch("[0-9a-f]{32}", each.handle)
        no_names = {**found, "character": "", "album": ""}
        by_source[source_of[each.handle]].append(
            repr(no_names).replace(each.handle, "HANDLE")
        )
        with statements(place) as run:
            [receipt] = send(
                place, task.sources[source_of[each.handle]], ann, [sent(each.handle)]
            )
        assert receipt.refused is None
        work[source_of[each.handle]].append(run)
    assert len(by_source["question"]) > 1 < len(by_source["gold"])
    alike = [each for some in by_source.values() for each in some]
    assert len(set(alike)) == 1
    kinds = {tuple(each) for some in work.values() for each in some}
    assert len(kinds) == 1


def test_a_known_pair_comes_at_any_place_whoever_is_asked(place: Place) -> None:
    """Its place follows no period, and is another one for everybody."""
    ask_about(place, 60)
    add_gold(place, [T, F] * 20, place.add_character())
    places = []
    task = mixed(place, 0.5)
    for name in ("ann", "bob", "cat"):
        someone = person(place, name)
        handles = [each.handle for each in task.take(someone, 20)]
        query = sa.select(lease.c.handle, lease.c.source)
        with place.workspace.catalogue.read() as connection:
            source_of = {row.handle: row.source for row in connection.execute(query)}
        places.append(
            tuple(n for n, each in enumerate(handles) if source_of[each] == "gold")
        )
    assert len(set(places)) == 3
    for each in places:
        steps = set(np.diff(each))
        assert len(steps) > 1, places
