from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from icf.catalogue.annotation.pauses import LOW_SCORE
from icf.catalogue.annotation.schema import attribute_answer, person
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.labels import attributes
from icf.catalogue.labels.attributes import (
    Attributes,
    Description,
    merge,
    read_attributes,
    turn,
)
from icf.catalogue.schema import face
from icf.codes import FaceReason, Gender, Occlusion
from tests.filter.rows import add_album, add_face, add_image

F, M = Gender.FEMALE, Gender.MALE

ANGLES = st.integers(-180, 180).map(float)
DESCRIPTIONS = st.builds(
    Description,
    st.sampled_from([None, *Gender]),
    ANGLES,
    st.integers(-90, 90).map(float),
    ANGLES,
    st.sampled_from(Occlusion),
)
SOME = st.lists(DESCRIPTIONS | st.just(Description()), min_size=1, max_size=6)


@given(SOME, st.randoms(use_true_random=False))
def test_the_order_of_people_does_not_matter(
    said: list[Description], shuffle: random.Random
) -> None:
    other = list(said)
    shuffle.shuffle(other)
    assert merge(other) == merge(said)


@given(DESCRIPTIONS, st.integers(1, 5))
def test_people_who_say_the_same_agree_on_it_without_disagreement(
    said: Description, people: int
) -> None:
    found = merge([said] * people)
    assert found.gender.value is said.gender
    assert found.occlusion.value is said.occlusion
    assert found.pitch.value == said.pitch
    for mine, theirs in ((found.yaw, said.yaw), (found.roll, said.roll)):
        assert mine.value is not None
        assert theirs is not None
        assert turn(mine.value, theirs) == 0
    each = found.gender, found.yaw, found.pitch, found.roll, found.occlusion
    assert all(one.disagreement == 0 for one in each)


@given(st.lists(ANGLES, min_size=1, max_size=6))
def test_an_angle_is_the_direction_that_is_closest_to_all(angles: list[float]) -> None:
    found = merge([Description(yaw=each) for each in angles]).yaw
    directions = np.arange(-1800, 1800) / 10
    turned = np.radians(directions[:, None] - np.array(angles))
    # The mean on the circle has the largest sum of cosines.
    closeness = np.cos(turned).sum(1)
    if found.value is None:
        assert np.ptp(closeness) < 1e-4
        return
    assert -180 < found.value <= 180
    mine = np.cos(np.radians(found.value - np.array(angles))).sum()
    assert mine >= closeness.max() - 1e-6
    difference = sum(abs(turn(found.value, each)) for each in angles) / len(angles)
    assert found.disagreement == pytest.approx(difference, abs=1e-4)


@given(st.lists(st.integers(-60, 60), min_size=1, max_size=5), st.integers(0, 359))
def test_when_all_turn_the_mean_turns_with_them(angles: list[int], by: int) -> None:
    def of(turned: int) -> attributes.Agreed[float]:
        said = [Description(yaw=turn(0, each + turned)) for each in angles]
        return merge(said).yaw

    before, after = of(0), of(by)
    assert before.value is not None
    assert after.value is not None
    assert turn(before.value + by, after.value) == pytest.approx(0, abs=1e-4)
    assert after.disagreement == pytest.approx(before.disagreement, abs=1e-4)


def test_angles_on_both_sides_of_the_back_meet_there() -> None:
    found = merge([Description(yaw=170.0), Description(yaw=-170.0)]).yaw
    assert (found.value, found.disagreement) == (180, 10)


def test_opposite_angles_have_no_value() -> None:
    found = merge([Description(roll=90.0), Description(roll=-90.0)]).roll
    assert (found.value, found.people, found.disagreement) == (None, 2, 90)


@given(st.lists(st.sampled_from([None, *Gender]), min_size=1, max_size=9))
def test_a_code_is_what_most_people_say_and_a_tie_is_none(
    said: list[Gender | None],
) -> None:
    found = merge([Description(each, 0, 0, 0) for each in said]).gender
    counts = Counter(each for each in said if each is not None).most_common()
    assert found.people == sum(count for _, count in counts)
    if not counts:
        assert (found.value, found.disagreement) == (None, 0)
        return
    is_tie = len(counts) > 1 and counts[0][1] == counts[1][1]
    assert found.value is (None if is_tie else counts[0][0])
    assert found.disagreement == pytest.approx(1 - counts[0][1] / found.people)


def test_who_cannot_tell_is_counted_and_changes_nothing_else() -> None:
    said = Description(F, 30, -5, 0, Occlusion.PART)
    one, both = merge([said]), merge([said, Description()])
    assert (both.people, both.cannot_tell) == (2, 1)
    assert (one.people, one.cannot_tell) == (1, 0)
    assert both.yaw == one.yaw
    assert both.gender == one.gender


def describe(
    catalogue: Catalogue,
    face_id: int,
    annotator: str,
    said: Description,
    *,
    replaced: bool = False,
) -> None:
    with catalogue.write() as connection:
        connection.execute(
            sa.insert(attribute_answer).values(
                face_id=face_id,
                annotator=annotator,
                gender=said.gender.value if said.gender else None,
                yaw=said.yaw,
                pitch=said.pitch,
                roll=said.roll,
                occlusion=said.occlusion.value if said.occlusion else None,
                answered_at=1.0,
                replaced_at=2.0 if replaced else None,
            )
        )


def read(catalogue: Catalogue, people: int = 1) -> dict[int, Attributes]:
    with catalogue.read() as connection:
        return dict(read_attributes(connection, people))


def test_faces_are_read_a_page_at_a_time_with_what_counts(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attributes, "PAGE", 2)
    [ann] = add_album(catalogue, "Ann")
    image_id = add_image(catalogue, ann)
    faces = [add_face(catalogue, image_id, ann) for _ in range(5)]
    left = Description(F, -90, 0, 0, Occlusion.NONE)
    right = Description(F, 90, 10, 0, Occlusion.PART)
    for each in faces:
        describe(catalogue, each, "ann", left)
    describe(catalogue, faces[0], "bob", right, replaced=True)
    describe(catalogue, faces[1], "bob", right)
    found = read(catalogue)
    assert list(found) == faces
    assert found[faces[0]] == merge([left])
    assert found[faces[1]] == merge([left, right])
    assert list(read(catalogue, people=2)) == [faces[1]]
    with catalogue.write() as connection:
        gone = FaceReason.TAKEN_DOWN.value
        update = sa.update(face).where(face.c.id == faces[3])
        connection.execute(update.values(reason=gone))
    assert list(read(catalogue)) == [*faces[:3], faces[4]]


def test_what_a_person_says_who_is_often_wrong_does_not_count(
    catalogue: Catalogue,
) -> None:
    [ann] = add_album(catalogue, "Ann")
    face_id = add_face(catalogue, add_image(catalogue, ann), ann)
    describe(catalogue, face_id, "bob", Description(M, 0, 0, 0))
    values = {"name": "bob", "role": "annotator", "pseudonym": "p1", "added_at": 0.0}
    with catalogue.write() as connection:
        connection.execute(sa.insert(person).values(**values))
    assert list(read(catalogue)) == [face_id]
    with catalogue.write() as connection:
        paused = sa.update(person).values(paused_at=1.0, paused_why=LOW_SCORE)
        connection.execute(paused)
    assert read(catalogue) == {}
