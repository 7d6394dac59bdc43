"""Of a video's track one face is asked about, and the others follow it."""

from __future__ import annotations

from collections import Counter

import pytest
import sqlalchemy as sa

from icf.annotate.choosing.choose import choose
from icf.annotate.choosing.proposals import Proposal
from icf.annotate.choosing.shares import Shares
from icf.annotate.choosing.unasked import count_unasked
from icf.catalogue import reviews
from icf.catalogue.labels import followers
from icf.catalogue.labels.checked import Checked
from icf.catalogue.labels.confirmed import read_confirmed
from icf.catalogue.reviews import Found
from icf.catalogue.sampling import read_asked, weights
from icf.catalogue.schema import question
from icf.codes import Choice, Chosen, Suspicion
from tests.annotate.choosing.films import link, say, track
from tests.annotate.place import Place
from tests.annotate.test_ask import ask_in

FOLLOW = Shares(random=0, follow=True, track_audit=0)


def chosen(place: Place, limit: int = 100, shares: Shares = FOLLOW) -> list[Proposal]:
    with place.workspace.catalogue.read() as connection:
        return choose(connection, limit, shares)


def followed(place: Place) -> dict[int, int]:
    """Faces that follow another one, with the character that a release gives them."""
    with place.workspace.catalogue.read() as connection:
        found = read_confirmed(connection, followers=True)
    return {key: found.owners[key] for key in found.followers}


def test_of_each_track_one_face_is_asked_about(place: Place) -> None:
    ann = place.add_character()
    tracks = [track(place, ann, 4, 0.5) for _ in range(3)]
    alone = place.add_face(ann, 0.6)
    faces = [each.face_id for each in chosen(place)]
    assert sorted(faces) == [*(some[0] for some in tracks), alone]
    assert len(chosen(place, shares=Shares(random=0))) == 13
    with place.workspace.catalogue.read() as connection:
        counted = count_unasked(connection, FOLLOW)
    assert (counted.faces, counted.followers, counted.needless) == (4, 9, 0)


def test_the_others_follow_a_yes_and_are_never_asked_about(place: Place) -> None:
    ann = place.add_character()
    first, *others = track(place, ann, 4, 0.5)
    assert ask_in(place, shares=FOLLOW)
    assert followed(place) == {}
    say(place, Choice.TRUE, first)
    assert followed(place) == dict.fromkeys(others, ann)
    with place.workspace.catalogue.read() as connection:
        assert read_confirmed(connection).owners.keys() & {*others} == set()
    assert chosen(place) == []
    assert ask_in(place, path="batches/b", shares=FOLLOW) is None


def test_the_others_follow_a_no_and_are_not_in_a_release(place: Place) -> None:
    ann = place.add_character()
    first, *_ = track(place, ann, 4, 0.5)
    ask_in(place, shares=FOLLOW)
    say(place, Choice.FALSE, first)
    assert followed(place) == {}
    assert chosen(place) == []


def test_an_answer_that_is_taken_back_takes_the_followers_with_it(
    place: Place,
) -> None:
    ann = place.add_character()
    first, second, third = track(place, ann, 3, 0.5)
    ask_in(place, shares=FOLLOW)
    say(place, Choice.TRUE, first, at=1.0)
    assert set(followed(place)) == {second, third}
    say(place, Choice.UNSURE, first, at=2.0)
    assert followed(place) == {}
    # Nobody can tell: the next face of the track is asked about.
    assert [each.face_id for each in chosen(place)] == [second]


def test_a_track_that_people_contradict_each_other_about_is_asked_about(
    place: Place,
) -> None:
    ann = place.add_character()
    first, second, third, fourth = track(place, ann, 4, 0.5)
    ask_in(place, 2, shares=Shares(random=0))
    say(place, Choice.TRUE, first)
    say(place, Choice.FALSE, second)
    assert followed(place) == {}
    assert [each.face_id for each in chosen(place)] == [third]
    ask_in(place, path="batches/b", shares=FOLLOW)
    say(place, Choice.TRUE, third)
    assert followed(place) == {}
    assert [each.face_id for each in chosen(place)] == [fourth]


def test_a_suspected_face_follows_nobody(place: Place) -> None:
    ann = place.add_character()
    first, second, third = track(place, ann, 3, 0.5)
    odd = Found(Suspicion.OUTLIER, ann, third, place.reference(ann), 0.9)
    with place.workspace.catalogue.write() as connection:
        reviews.add(connection, Suspicion.OUTLIER, [odd])
    assert {each.face_id for each in chosen(place)} == {first, third}
    ask_in(place, shares=FOLLOW)
    say(place, Choice.TRUE, first)
    assert set(followed(place)) == {second}


def test_a_face_of_two_tracks_is_asked_about_where_it_follows_nobody_that_was(
    place: Place,
) -> None:
    ann = place.add_character()
    one, two, three = (place.add_face(ann, 0.5) for _ in range(3))
    link(place, one, two)
    link(place, two, three)
    assert [each.face_id for each in chosen(place)] == [one]
    ask_in(place, shares=FOLLOW)
    say(place, Choice.TRUE, one)
    assert set(followed(place)) == {two}
    assert [each.face_id for each in chosen(place)] == [three]


def test_a_stated_share_of_the_followers_is_asked_about_at_random(
    place: Place,
) -> None:
    ann = place.add_character()
    tracks = [track(place, ann, 6, 0.5) for _ in range(8)]
    shares = Shares(random=0, follow=True, track_audit=0.25)
    found = chosen(place, shares=shares)
    by = Counter(each.chosen for each in found)
    assert by == {Chosen.UNCERTAIN: 8, Chosen.FOLLOWER: 10}
    audited = [each for each in found if each.chosen == Chosen.FOLLOWER]
    assert {each.inclusion for each in audited} == {10 / 40}
    firsts = {some[0] for some in tracks}
    assert not firsts & {each.face_id for each in audited}
    assert len(chosen(place, 9, shares)) == 9


def test_what_people_say_of_audited_followers_tells_how_many_are_wrong(
    place: Place,
) -> None:
    ann = place.add_character()
    tracks = [track(place, ann, 5, 0.5) for _ in range(4)]
    ask_in(place, shares=Shares(random=0, follow=True, track_audit=0.5))
    firsts = {some[0] for some in tracks}
    asked = {face for face, _, _ in place.questions()}
    first, *others = sorted(asked - firsts)
    say(place, Choice.TRUE, *firsts, *others)
    with place.workspace.catalogue.read() as connection:
        assert followers.checked(connection) == Checked(7, 0)
    say(place, Choice.FALSE, first)
    with place.workspace.catalogue.read() as connection:
        assert followers.checked(connection) == Checked(8, 1)


@pytest.mark.parametrize("follow", [True, False])
def test_answered_faces_stand_for_all_that_are_kept_followers_too(
    place: Place, *, follow: bool
) -> None:
    """The weights of the answers of a batch add up to the faces there were."""
    ann = place.add_character()
    for size in (5, 4, 6, 3):
        track(place, ann, size, 0.7)
    for _ in range(22):
        place.add_face(ann, 0.6)
    shares = Shares(random=0.5, follow=follow, track_audit=0.3)
    ask_in(place, 20, shares=shares)
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(question).values(label="same"))
        asked = read_asked(connection)
        assert weights(asked).sum() == pytest.approx(40)
