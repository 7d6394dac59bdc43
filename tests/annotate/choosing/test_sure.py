"""Faces of which the model is sure, and faces that were set aside to compare models."""

from __future__ import annotations

from collections import Counter

import pytest
import sqlalchemy as sa

from icf.annotate.choosing.choose import choose
from icf.annotate.choosing.proposals import Proposal
from icf.annotate.choosing.shares import Shares
from icf.annotate.choosing.unasked import count_unasked
from icf.annotate.export import batch_shares
from icf.annotate.status import count
from icf.catalogue import merges, reviews
from icf.catalogue.annotation.schema import box_task
from icf.catalogue.labels import sure_faces
from icf.catalogue.labels.checked import Checked
from icf.catalogue.reviews import Found
from icf.catalogue.rounds import audit_set
from icf.catalogue.rounds.audit_set import (
    draw,
    freeze,
    set_aside,
    set_verified_aside,
)
from icf.catalogue.schema import batch, face, question
from icf.codes import Chosen, FaceReason, Label, Suspicion, Verdict
from tests.annotate.place import Place
from tests.annotate.test_ask import ask_in

RISK = Shares(risk=0.05)


def chosen(place: Place, limit: int, shares: Shares = RISK) -> list[Proposal]:
    with place.workspace.catalogue.read() as connection:
        return choose(connection, limit, shares)


def accepted(place: Place, risk: float = 0.05) -> dict[int, int]:
    with place.workspace.catalogue.read() as connection:
        return sure_faces.accepted(connection, risk)


def test_a_sure_face_is_accepted_and_not_chosen(calibrated: Place) -> None:
    ann = calibrated.add_character()
    unsure = [calibrated.add_face(ann, p) for p in (0.5, 0.9, 0.94)]
    sure = [calibrated.add_face(ann, p) for p in (0.95, 0.99)]
    no = calibrated.add_face(ann, 0.04)
    assert accepted(calibrated) == dict.fromkeys(sure, ann)
    assert accepted(calibrated, 0.0) == {}
    found = chosen(calibrated, 100, Shares(random=0, risk=0.05))
    assert [each.face_id for each in found] == unsure
    with calibrated.workspace.catalogue.read() as connection:
        unasked = count_unasked(connection, RISK)
        assert (unasked.faces, unasked.sure) == (3, 3)
        assert count_unasked(connection).faces == 6
        assert count(connection, 0.05).accepted == 2
        assert count(connection).accepted == 0
    everything = {each.face_id for each in chosen(calibrated, 100, Shares())}
    assert everything == {*unsure, *sure, no}


@pytest.mark.parametrize("lacking", ["curve", "reference", "suspicion", "twin"])
def test_what_the_probability_rests_on_must_be_known(
    place: Place, request: pytest.FixtureRequest, lacking: str
) -> None:
    if lacking != "curve":
        request.getfixturevalue("calibrated")
    ann, bob = place.add_character(), place.add_character("Bob")
    sure = place.add_face(ann, 0.99)
    other = place.add_face(bob, 0.99)
    if lacking == "reference":
        place.set_reference(ann, place.reference(ann), "medoid")
    one, two = (sure, place.reference(ann)), (other, sure)
    kinds = {
        "suspicion": Found(Suspicion.OUTLIER, ann, *one, 0.9),
        "twin": Found(Suspicion.TWIN, bob, *two, 0.9, other_character_id=ann),
    }
    if lacking in kinds:
        with place.workspace.catalogue.write() as connection:
            reviews.add(connection, kinds[lacking].kind, [kinds[lacking]])
    assert sure not in accepted(place)


def test_the_random_part_is_drawn_from_all_and_grows_with_what_is_chosen(
    calibrated: Place,
) -> None:
    ann = calibrated.add_character()
    for _ in range(14):
        calibrated.add_face(ann, 0.5)
    sure = {calibrated.add_face(ann, 0.99) for _ in range(40)}
    found = chosen(calibrated, 20)
    by = Counter(each.chosen for each in found)
    assert by == {Chosen.UNCERTAIN: 14, Chosen.RANDOM: 6}
    drawn = [each for each in found if each.chosen == Chosen.RANDOM]
    assert {each.face_id for each in drawn} <= sure
    assert {each.inclusion for each in drawn} == {6 / 40}
    # Half as many to choose need half as many to check.
    assert len(chosen(calibrated, 40)) == 14 + 6


def test_nothing_is_asked_when_every_face_is_sure(calibrated: Place) -> None:
    ann = calibrated.add_character()
    for _ in range(9):
        calibrated.add_face(ann, 0.99)
    assert chosen(calibrated, 20) == []
    assert len(chosen(calibrated, 20, Shares())) == 9


def test_answers_to_drawn_sure_faces_tell_how_many_are_wrong(
    calibrated: Place,
) -> None:
    ann = calibrated.add_character()
    for _ in range(14):
        calibrated.add_face(ann, 0.5)
    for _ in range(40):
        calibrated.add_face(ann, 0.99)
    made = ask_in(calibrated, 20, shares=RISK)
    assert made is not None
    catalogue = calibrated.workspace.catalogue
    drawn = sa.select(question.c.id).where(question.c.chosen == Chosen.RANDOM.value)
    with catalogue.write() as connection:
        first, *others = connection.execute(drawn.order_by(question.c.id)).scalars()
        for key, label in ((first, "different"), *((each, "same") for each in others)):
            connection.execute(
                sa.update(question).where(question.c.id == key).values(label=label)
            )
        assert sure_faces.checked(connection, 0.05) == Checked(6, 1)


def set_aside_ids(place: Place, kind: audit_set.Kind) -> set[int]:
    with place.workspace.catalogue.read() as connection:
        return set(connection.execute(set_aside(kind)).scalars())


def cast_of(place: Place, number: int, faces: int = 6) -> dict[int, list[int]]:
    """Characters of two albums with faces, each on a picture of its own."""
    made: dict[int, list[int]] = {}
    for each in range(number):
        who = place.add_character(f"Character {each}")
        made[who] = [place.add_face(who, 0.5) for _ in range(faces)]
    return made


def freeze_in(place: Place, share: float, least: int = 0) -> audit_set.AuditSet:
    with place.workspace.catalogue.write() as connection:
        return freeze(connection, share, least, seed=1)


def test_characters_are_set_aside_once_and_followed_through_merges(
    place: Place,
) -> None:
    cast = cast_of(place, 8)
    assert freeze_in(place, 0.25).characters == 2
    audit = set_aside_ids(place, "character")
    assert len(audit) == 2
    cast |= cast_of(place, 8)
    assert freeze_in(place, 0.5) == audit_set.AuditSet(2, 0, 0)
    assert set_aside_ids(place, "character") == audit
    one, two = sorted(audit)
    free = sorted(set(cast) - audit)
    run_id = place.workspace.begin_run("test")
    with place.workspace.catalogue.write() as connection:
        merges.merge(connection, run_id, free[0], one)
        merges.merge(connection, run_id, two, free[1])
    assert set_aside_ids(place, "character") == {one, two, free[0], free[1]}


def confirm_reference(place: Place, character_id: int) -> None:
    face_id = place.reference(character_id)
    about = {"format": "csv", "path": "b", "questions": 1, "created_at": 0.0}
    asked = {"batch_id": "b", "label": Label.SAME.value, "asked_at": 0.0}
    faces = {"face_id": face_id, "reference_face_id": face_id}
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.insert(batch).values(id="b", **about))
        connection.execute(
            sa.insert(question).values(character_id=character_id, **faces, **asked)
        )


def test_too_few_are_joined_by_later_ones_that_no_model_can_know(
    place: Place,
) -> None:
    cast_of(place, 4)
    assert freeze_in(place, 0.2, least=5).characters == 2
    first = set_aside_ids(place, "character")
    known, *unknown = list(cast_of(place, 8))
    confirm_reference(place, known)
    made = freeze_in(place, 0.2, least=5)
    assert made.characters == 5
    later = set_aside_ids(place, "character")
    assert first < later < first | set(unknown)
    assert freeze_in(place, 0.2, least=5).added == 0
    # Half of all is the most.
    assert freeze_in(place, 0.2, least=99).characters == 6
    assert freeze_in(place, 0.2, least=99).added == 0
    assert freeze_in(place, 0.0, least=99).added == 0


def test_pictures_that_were_set_aside_before_leave_characters_to_the_first_round(
    place: Place,
) -> None:
    cast_of(place, 8)
    verified = {"hidden": False, "status": "verified", "people": 2}
    with place.workspace.catalogue.write() as connection:
        task = sa.insert(box_task).values(image_id=1, asked_at=0.0, changed_at=0.0)
        connection.execute(task.values(**verified))
        assert set_verified_aside(connection, 1.0, seed=1).images == 1
    assert freeze_in(place, 0.25).characters == 2


def test_at_least_so_many_are_set_aside_and_at_most_half(place: Place) -> None:
    cast_of(place, 6)
    poor = place.add_character("of two faces")
    place.add_face(poor, 0.5)
    assert freeze_in(place, 0.1, least=10).characters == 3
    assert poor not in set_aside_ids(place, "character")


def test_the_sample_is_spread_over_the_albums_and_depends_on_names_alone() -> None:
    cast = [(n, f"Album {n % 4}", f"Name {n}") for n in range(40)]
    first = draw(cast, 0.2, 0, 7)
    assert len(first) == 8
    assert Counter(each % 4 for each in first) == dict.fromkeys(range(4), 2)
    renumbered = [(1000 - key, album, name) for key, album, name in cast]
    assert {1000 - each for each in draw(renumbered, 0.2, 0, 7)} == set(first)
    assert draw(cast, 0.2, 0, 8) != first
    assert draw(cast, 0.0, 10, 7) == []
    assert draw(cast[:1], 0.2, 10, 7) == []


def test_what_is_set_aside_is_drawn_and_never_chosen(place: Place) -> None:
    cast = cast_of(place, 6, faces=10)
    freeze_in(place, 0.34)
    audit = set_aside_ids(place, "character")
    assert len(audit) == 3
    for who in audit:
        odd = cast[who][0]
        with place.workspace.catalogue.write() as connection:
            outlier = Found(
                Suspicion.OUTLIER, who, odd, place.reference(who), score=0.9
            )
            reviews.add(connection, Suspicion.OUTLIER, [outlier])
    found = chosen(place, 20, Shares())
    by = Counter((each.chosen, each.character_id in audit) for each in found)
    assert by == {
        (Chosen.UNCERTAIN, False): 14,
        (Chosen.RANDOM, True): 3,
        (Chosen.RANDOM, False): 3,
    }
    inclusions = {
        each.character_id in audit: each.inclusion
        for each in found
        if each.chosen == Chosen.RANDOM
    }
    assert inclusions == {True: 3 / 30, False: 3 / 16}
    # Without a risk, all of them are asked about in the end.
    everything = chosen(place, 1000, Shares())
    assert {each.face_id for each in everything} == {
        f for some in cast.values() for f in some
    }


def test_unsure_faces_that_are_set_aside_are_still_drawn_when_all_else_is_sure(
    calibrated: Place,
) -> None:
    cast_of(calibrated, 4, faces=10)
    freeze_in(calibrated, 0.5)
    audit = set_aside_ids(calibrated, "character")
    others = sa.update(face).where(face.c.character_id.not_in(audit))
    with calibrated.workspace.catalogue.write() as connection:
        connection.execute(others.values(probability=0.99))
    found = chosen(calibrated, 20)
    assert {each.chosen for each in found} == {Chosen.RANDOM}
    by = Counter(each.character_id in audit for each in found)
    assert by == {True: 3, False: 1}
    assert {each.inclusion for each in found} == {3 / 20, 1 / 20}
    with calibrated.workspace.catalogue.write() as connection:
        connection.execute(sa.update(face).values(probability=0.99))
    assert chosen(calibrated, 20) == []


def test_as_many_audit_faces_are_asked_about_as_a_comparison_needs(
    place: Place,
) -> None:
    cast_of(place, 4, faces=20)
    freeze_in(place, 0.5)
    audit = set_aside_ids(place, "character")
    for wanted, expected in ((0, 3), (8, 8), (99, 10)):
        found = chosen(place, 20, Shares(audit=wanted))
        assert len(found) == 20
        assert sum(each.character_id in audit for each in found) == expected
    # What is confirmed counts: the setting says how many there are to be.
    with place.workspace.catalogue.read() as connection:
        assert batch_shares(place.workspace, connection).audit == 200


def test_dropped_faces_are_asked_about_in_the_same_proportion(
    calibrated: Place,
) -> None:
    ann = calibrated.add_character()
    for _ in range(14):
        calibrated.add_face(ann, 0.5)
    for _ in range(20):
        calibrated.add_face(ann, 0.99)
        calibrated.add_face(
            ann,
            0.01,
            verdict=Verdict.DROPPED.value,
            reason=FaceReason.NOT_THIS_CHARACTER.value,
        )
    by = Counter(each.chosen for each in chosen(calibrated, 20))
    assert by == {Chosen.UNCERTAIN: 14, Chosen.RANDOM: 4, Chosen.DROPPED: 2}
