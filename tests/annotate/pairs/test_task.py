from __future__ import annotations

import re

from icf.annotate.page.desk import open_desk
from icf.annotate.pairs.task import PairsTask
from tests.annotate.pairs.asked import ask_about, ask_all, current, person, send, sent
from tests.annotate.place import Place

KEYS = {"kind", "character", "album", "alone", "candidate", "references", "context"}


def pairs_of(place: Place) -> PairsTask:
    task = open_desk(place.workspace, ["pairs"]).tasks["pairs"]
    assert isinstance(task, PairsTask)
    return task


def test_a_pair_says_nothing_but_what_is_shown(place: Place) -> None:
    ask_about(place, 1)
    [task] = pairs_of(place).take(person(place), 5)
    shown = task.as_json()
    assert shown.keys() == {"id", *KEYS}
    assert (shown["kind"], shown["character"], shown["alone"]) == ("pair", "Ann", False)
    assert re.fullmatch("[0-9a-f]{32}", task.handle)
    assert shown["candidate"] == f"/picture/{task.handle}/candidate.jpg"
    assert shown["references"] == [f"/picture/{task.handle}/reference.jpg"]
    assert shown["context"] == f"/picture/{task.handle}/context.jpg"


def test_a_question_about_a_reference_shows_it_alone(place: Place) -> None:
    ann = place.add_character()
    place.set_reference(ann, place.reference(ann), by="typical")
    ask_all(place)
    [task] = pairs_of(place).take(person(place), 5)
    assert (task.payload["alone"], task.payload["references"]) == (True, [])


def test_two_people_never_get_the_same_at_a_time(place: Place) -> None:
    ask_about(place, 7)
    pairs = pairs_of(place)
    ann, bob = person(place), person(place, "bob")
    taken = [pairs.take(someone, 4) for someone in (ann, bob, ann)]
    assert [len(each) for each in taken] == [4, 3, 0]
    assert len({task.handle for each in taken for task in each}) == 7


def test_who_gets_less_than_he_asked_for_makes_the_server_ask_more(
    place: Place,
) -> None:
    ask_about(place, 3)
    starved: list[bool] = []
    made = pairs_of(place)
    pairs = PairsTask(
        made.catalogue,
        made.leasing,
        made.sources,
        made.mix,
        lambda: starved.append(True),
    )
    pairs.take(person(place), 3)
    assert starved == []
    pairs.take(person(place), 1)
    assert starved == [True]


def test_what_waits_is_counted_for_each_person(place: Place) -> None:
    ask_about(place, 3)
    pairs = pairs_of(place)
    ann = person(place)
    assert pairs.waiting(ann) == 3
    [task] = pairs.take(ann, 1)
    assert pairs.waiting(ann) == 2
    [receipt] = send(
        place, pairs.sources["question"], ann, [sent(task.handle, "unsure")]
    )
    assert receipt.refused is None
    assert [choice for _, _, choice in current(place)] == ["unsure"]
