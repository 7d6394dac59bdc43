"""Two faces of one frame are two characters."""

from __future__ import annotations

import sqlalchemy as sa

from icf.annotate.answers import Vote
from icf.annotate.choosing.shares import Shares
from icf.annotate.choosing.unasked import Unasked, count_unasked
from icf.catalogue.schema import answer, decision, question
from icf.codes import Choice
from tests.annotate.choosing.films import link, say
from tests.annotate.place import Place
from tests.annotate.test_ask import ask_in
from tests.annotate.test_record import take

ALL = Shares(random=0)


def counted(place: Place) -> Unasked:
    with place.workspace.catalogue.read() as connection:
        return count_unasked(connection, ALL)


def lines(place: Place, face_id: int) -> list[str]:
    """What the ledger of a face says of others."""
    query = sa.select(decision.c.message).where(
        decision.c.subject == "face", decision.c.subject_id == face_id
    )
    with place.workspace.catalogue.read() as connection:
        return list(connection.execute(query.order_by(decision.c.id)).scalars())


def test_the_other_face_of_a_frame_is_not_asked_about_a_confirmed_character(
    place: Place,
) -> None:
    ann = place.add_character()
    one, other = place.add_face(ann, 0.5), place.add_face(ann, 0.7)
    link(place, one, other, same=False)
    assert counted(place) == Unasked(0, 2, 0)
    ask_in(place, 1, shares=ALL)
    say(place, Choice.TRUE, one, at=1.0)
    assert counted(place) == Unasked(0, 0, 0, needless=1)
    assert ask_in(place, path="batches/b", shares=ALL) is None
    [said] = lines(place, other)
    assert said.startswith(f"face {one} of the same picture is character {ann}")
    # Taken back, it rules nothing out any more.
    say(place, Choice.FALSE, one, at=2.0)
    assert counted(place) == Unasked(0, 1, 0)
    assert "is no longer known to be" in lines(place, other)[1]
    assert ask_in(place, path="batches/b", shares=ALL) is not None


def test_what_is_ruled_out_is_another_character_still(place: Place) -> None:
    ann, bob = place.add_character(), place.add_character("Bob")
    one, other = place.add_face(ann, 0.5), place.add_face(bob, 0.7)
    link(place, one, other, same=False)
    ask_in(place, 1, shares=ALL)
    say(place, Choice.TRUE, one)
    assert counted(place) == Unasked(0, 1, 0)
    assert lines(place, other) == []


def test_a_reference_that_a_person_chose_rules_out_as_well(place: Place) -> None:
    ann = place.add_character()
    other = place.add_face(ann, 0.7)
    link(place, place.reference(ann), other, same=False)
    assert counted(place) == Unasked(0, 0, 0, needless=1)


def test_two_faces_of_a_frame_that_are_one_character_are_for_an_expert(
    place: Place,
) -> None:
    ann = place.add_character()
    one, other = place.add_face(ann, 0.5), place.add_face(ann, 0.7)
    link(place, one, other, same=False)
    ask_in(place, shares=ALL)
    first, second = place.question_ids()
    say(place, Choice.TRUE, one, at=1.0)
    say(place, Choice.TRUE, other, at=1.0)
    assert place.labels() == {first: "disputed", second: "disputed"}
    # Another answer about one of them settles the other one.
    say(place, Choice.FALSE, other, at=2.0)
    assert place.labels() == {first: "same", second: "different"}


def test_what_an_expert_settles_is_not_disputed_again(place: Place) -> None:
    ann = place.add_character()
    one, other = place.add_face(ann, 0.5), place.add_face(ann, 0.7)
    link(place, one, other, same=False)
    ask_in(place, shares=ALL)
    first, second = place.question_ids()
    say(place, Choice.TRUE, one, other)
    assert set(place.labels().values()) == {"disputed"}
    with place.workspace.catalogue.write() as connection:
        mine = sa.update(answer).where(answer.c.question_id == first)
        connection.execute(mine.values(decides=True))
    take(place, Vote(2, first, "bob", Choice.TRUE))
    assert place.labels() == {first: "same", second: "disputed"}


def test_a_face_that_people_confirmed_as_somebody_else_is_not_asked_about(
    place: Place,
) -> None:
    ann, bob = place.add_character(), place.add_character("Bob")
    face = place.add_face(ann, 0.5)
    ask_in(place, shares=ALL)
    say(place, Choice.TRUE, face)
    with place.workspace.catalogue.write() as connection:
        # As if it had been asked about Bob, as a look-alike.
        connection.execute(sa.update(question).values(character_id=bob))
    assert counted(place) == Unasked(0, 0, 0, needless=1)
