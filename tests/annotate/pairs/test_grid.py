from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import sqlalchemy as sa

from icf.annotate.page.desk import open_desk
from icf.annotate.pairs.grid import GridTask
from icf.annotate.people.people import Person
from icf.annotate.tasks import leases
from icf.annotate.tasks.store import Receipt, Sent, store
from icf.catalogue.annotation.schema import gold_answer
from icf.catalogue.annotation.schema import lease as lease_table
from icf.codes import Choice
from tests.annotate.gold.place import add_gold
from tests.annotate.pairs.asked import ask_about, ask_all, current, person, sent
from tests.annotate.place import Place


class _Always(random.Random):
    """Chooses the last of what there is."""

    def choice(self, seq):  # type: ignore[no-untyped-def]
        return seq[-1]


def grids_of(place: Place) -> GridTask:
    task = open_desk(place.workspace, ["grid"]).tasks["grid"]
    assert isinstance(task, GridTask)
    return task


def likely(place: Place, *faces: int) -> None:
    """Ask about so many likely faces of as many characters."""
    for number in faces:
        character = place.add_character()
        for _ in range(number):
            place.add_face(character, 0.95)
    ask_all(place)


def sources_of(place: Place, handles: list[str]) -> list[str]:
    query = sa.select(lease_table.c.handle, lease_table.c.source)
    with place.workspace.catalogue.read() as connection:
        found = {row.handle: row.source for row in connection.execute(query)}
    return [found[each] for each in handles]


def plant(place: Place, count: int) -> None:
    """Known pairs with another face, against the first character's reference."""
    add_gold(place, [Choice.FALSE] * count, 1)


def test_a_grid_has_sixteen_likely_faces_of_one_character(place: Place) -> None:
    likely(place, 3, 20)
    [grid] = grids_of(place).take(person(place), 1)
    assert grid.payload.keys() == {
        "kind",
        "character",
        "album",
        "references",
        "tiles",
    }
    tiles = grid.payload["tiles"]
    assert len(tiles) == 16
    assert all(each.keys() == {"id", "candidate", "context"} for each in tiles)
    assert len({each["id"] for each in tiles}) == 16
    with place.workspace.catalogue.read() as connection:
        found = [leases.find(connection, each["id"]) for each in tiles]
    assert len({each.grid for each in found if each}) == 1
    assert {each.task for each in found if each} == {"grid"}


def test_where_no_character_has_sixteen_the_largest_group_is_shown(
    place: Place,
) -> None:
    likely(place, 5, 7, 3)
    grids = grids_of(place).take(person(place), 3)
    assert [len(each.payload["tiles"]) for each in grids] == [7, 5]


def test_unlikely_faces_are_not_shown_in_grids(place: Place) -> None:
    ask_about(place, 10, probability=0.6)
    grids = grids_of(place)
    ann = person(place)
    assert (grids.take(ann, 1), grids.waiting(ann)) == ([], 0)


def test_what_waits_is_what_grids_can_be_made_of(place: Place) -> None:
    likely(place, 3, 3, 3, 1)
    grids = grids_of(place)
    ann = person(place)
    assert (grids.take(ann, 1), grids.waiting(ann)) == ([], 0)
    likely(place, *[2] * 5, 5)
    assert grids.waiting(ann) == 5
    [grid] = grids.take(ann, 9)
    assert len(grid.payload["tiles"]) == 5
    assert grids.waiting(ann) == 0


def test_nobody_gets_a_tile_that_somebody_holds(place: Place) -> None:
    likely(place, 20)
    grids = grids_of(place)
    [first] = grids.take(person(place), 1)
    [second] = grids.take(person(place, "bob"), 1)
    assert (len(first.payload["tiles"]), len(second.payload["tiles"])) == (16, 4)


def test_intruders_are_planted_and_look_like_any_tile(place: Place) -> None:
    likely(place, 20)
    plant(place, 5)
    grids = replace(grids_of(place), chance=_Always(3))
    [grid] = grids.take(person(place), 1)
    tiles = grid.payload["tiles"]
    sources = sources_of(place, [each["id"] for each in tiles])
    assert (len(sources), sources.count("gold")) == (16, 2)
    for each in tiles:
        assert each["candidate"] == f"/picture/{each['id']}/candidate.jpg"


def test_no_intruder_comes_twice(place: Place) -> None:
    likely(place, 40)
    plant(place, 3)
    grids = replace(grids_of(place), chance=_Always(3))
    ann = person(place)
    shown = [
        sources_of(place, [tile["id"] for tile in grid.payload["tiles"]]).count("gold")
        for grid in grids.take(ann, 2)
    ]
    assert shown == [2, 1]


def answer_all(
    place: Place, someone: Person, grids: GridTask, choose: Callable[[int], str]
) -> list[Receipt]:
    [grid] = grids.take(someone, 1)
    answers: list[Sent] = [
        sent(tile["id"], choose(number))
        for number, tile in enumerate(grid.payload["tiles"])
    ]
    return store(place.workspace.catalogue, grids.sources, someone, answers)


def test_one_request_stores_all_tiles(place: Place) -> None:
    likely(place, 20)
    plant(place, 1)
    grids = replace(grids_of(place), chance=_Always(3))
    ann = person(place)
    receipts = answer_all(place, ann, grids, lambda n: "true" if n else "false")
    assert [each.refused for each in receipts] == [None] * 16
    with place.workspace.catalogue.read() as connection:
        count = sa.select(sa.func.count()).select_from(gold_answer)
        known = connection.execute(count).scalar_one()
    assert (len(current(place)), known) == (15, 1)
