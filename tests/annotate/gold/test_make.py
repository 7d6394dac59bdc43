from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf.annotate.gold import make
from icf.annotate.gold.lookalikes import plantable
from icf.annotate.gold.make import (
    CONFIRMED,
    PLANTED,
    Known,
    add,
    of_labels,
    retire,
    retire_unfounded,
)
from icf.annotate.votes import VotesRule
from icf.catalogue.annotation.schema import gold
from icf.catalogue.schema import character, question, review
from icf.codes import Choice
from tests.annotate.gold.place import add_gold
from tests.annotate.pairs.asked import ask_all
from tests.annotate.place import EMBEDDER, Place
from tests.annotate.posterior.answers import calibrate, decide, say

T, F, U = Choice.TRUE, Choice.FALSE, Choice.UNSURE


def made(place: Place, number: int = 20) -> list[Known]:
    with place.workspace.catalogue.read() as connection:
        return of_labels(connection, place.workspace.vectors, number)


def confirm(
    place: Place, faces: Mapping[int, tuple[Choice, ...]], needed: int = 1
) -> dict[int, int]:
    """Ask about all faces, and let as many people answer; the question of each."""
    ask_all(place)
    query = sa.select(question.c.id, question.c.face_id)
    with place.workspace.catalogue.read() as connection:
        of_face = {row.face_id: row.id for row in connection.execute(query)}
    said = {
        of_face[face_id]: [(f"person {n}", each) for n, each in enumerate(choices)]
        for face_id, choices in faces.items()
    }
    say(place, said, VotesRule(needed))
    return of_face


def test_only_what_two_agree_on_or_an_expert_says_is_known(place: Place) -> None:
    ann = place.add_character()
    two, alone, against, no, expert = (place.add_face(ann, 0.5) for _ in range(5))
    of_face = confirm(place, {two: (T, T, U), against: (T, T, F), no: (F, F)}, 2)
    decide(place, of_face[expert], "eve", T)
    say(place, {of_face[each]: [("ann", T)] for each in (alone, expert)}, VotesRule(1))
    assert sorted(place.labels().values()) == ["different"] + ["same"] * 4
    found = {each.face_id: each for each in made(place)}
    assert set(found) == {two, no, expert}
    assert (found[two].same, found[no].same) == (True, False)
    assert {each.made_by for each in found.values()} == {CONFIRMED}


def test_what_a_calibrated_model_doubts_is_not_known(place: Place) -> None:
    ann = place.add_character()
    sure, doubtful = place.add_face(ann, 0.97), place.add_face(ann, 0.4)
    confirm(place, {sure: (T, T), doubtful: (T, T)})
    assert {each.face_id for each in made(place)} == {sure, doubtful}
    calibrate(place.workspace.catalogue, place.workspace.begin_run("test"))
    assert {each.face_id for each in made(place)} == {sure}


def test_the_likest_faces_of_the_album_are_planted_first(place: Place) -> None:
    ann = place.add_character("Ann", "Tales")
    with place.workspace.catalogue.read() as connection:
        query = sa.select(character.c.album_id).where(character.c.id == ann)
        album_id = connection.execute(query).scalar_one()
    bea, eve = place.add_character("Bea"), place.add_character("Eve")
    with place.workspace.catalogue.write() as connection:
        # Bea is of the same album, Eve of another.
        update = sa.update(character).where(character.c.id == bea)
        connection.execute(update.values(album_id=album_id))
    own = place.add_face(ann, 0.5)
    like, unlike, far = (place.add_face(each, 0.5) for each in (bea, bea, eve))
    vectors = {
        place.reference(ann): [1.0, 0.0],
        own: [1.0, 0.0],
        like: [0.8, 0.6],
        unlike: [0.0, 1.0],
        far: [1.0, 0.0],
    }
    place.workspace.vectors.append(
        EMBEDDER,
        np.array(list(vectors), np.int64),
        np.array(list(vectors.values()), np.float32),
    )
    confirm(place, {each: (T, T) for each in (own, like, unlike, far)})
    planted = [each for each in made(place) if each.made_by == PLANTED]
    against_ann = [each.face_id for each in planted if each.character_id == ann]
    assert against_ann == [like, unlike]
    assert not any(each.same for each in planted)
    assert all(
        each.reference_face_id == place.reference(each.character_id) for each in planted
    )


def test_half_are_another_character_and_all_have_their_turn(place: Place) -> None:
    cast = [place.add_character(f"C{n}") for n in range(4)]
    faces = {place.add_face(each, 0.5): (T, T) for each in cast for _ in range(3)}
    confirm(place, faces)
    found = made(place, 8)
    assert sum(each.same for each in found) == 4
    assert {each.character_id for each in found if each.same} == set(cast)
    assert {each.character_id for each in found if not each.same} == set(cast)


def test_no_more_characters_are_looked_at_than_have_their_turn(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = [place.add_character(f"C{n}") for n in range(6)]
    confirm(place, {place.add_face(each, 0.5): (T, T) for each in cast})
    every = [each for each in made(place, 12) if not each.same]
    looked_at = []

    def noted(*values: Any) -> Iterator[Any]:
        for one, faces in plantable(*values):
            looked_at.append(one.character_id)
            yield one, faces

    monkeypatch.setattr(make, "plantable", noted)
    some = [each for each in made(place, 4) if not each.same]
    assert looked_at == cast[:2]
    assert some == every[:2]
    with place.workspace.catalogue.write() as connection:
        add(connection, some)
    looked_at.clear()
    more = [each for each in made(place, 2) if not each.same]
    assert looked_at == [each.character_id for each in more] == cast[:1]


def test_characters_that_may_be_one_are_not_planted_against_each_other(
    place: Place,
) -> None:
    ann, anna = place.add_character("Ann"), place.add_character("Anna")
    faces = [place.add_face(each, 0.5) for each in (ann, anna)]
    confirm(place, {each: (T, T) for each in faces})
    assert {each.made_by for each in made(place)} == {CONFIRMED, PLANTED}
    values = {
        "kind": "merge",
        "character_id": ann,
        "face_id": place.reference(ann),
        "other_character_id": anna,
        "other_face_id": place.reference(anna),
        "score": 0.9,
        "status": "open",
        "found_at": 0.0,
        "changed_at": 0.0,
    }
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.insert(review).values(values))
    assert {each.made_by for each in made(place)} == {CONFIRMED}


def test_the_same_pair_is_added_once_and_retired_once(place: Place) -> None:
    ann = place.add_character()
    faces = [place.add_face(ann, 0.5) for _ in range(2)]
    confirm(place, {each: (T, T) for each in faces})
    known = made(place)
    with place.workspace.catalogue.write() as connection:
        assert add(connection, [*known, known[0]]) == 2
        assert add(connection, known) == 0
        ids = list(connection.execute(sa.select(gold.c.id)).scalars())
        assert retire(connection, [ids[0], ids[0] + 99]) == 1
        assert retire(connection, [ids[0]]) == 0
    assert made(place) == []


def test_a_known_pair_goes_with_the_label_that_it_rests_on(place: Place) -> None:
    ann, bea = place.add_character("Ann"), place.add_character("Bea")
    faces = [place.add_face(each, 0.5) for each in (ann, bea)]
    of_face = confirm(place, {each: (T, T) for each in faces})
    with place.workspace.catalogue.write() as connection:
        add(connection, of_labels(connection, place.workspace.vectors, 4))
    add_gold(place, [T], ann)
    catalogue = place.workspace.catalogue
    assert retire_unfounded(catalogue) == 0
    # Two are about Ann's face: that it is Ann, and that it is not Bea.
    with catalogue.write() as connection:
        update = sa.update(question).where(question.c.id == of_face[faces[0]])
        connection.execute(update.values(label="open"))
    assert retire_unfounded(catalogue) == 2
    query = sa.select(gold.c.face_id).where(gold.c.retired_at.is_not(None))
    with catalogue.read() as connection:
        assert set(connection.execute(query).scalars()) == {faces[0]}
    assert retire_unfounded(catalogue) == 0
