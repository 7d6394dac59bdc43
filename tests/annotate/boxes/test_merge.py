from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.annotate.boxes.merge import Rule, Settled, agree, settle
from icf.annotate.boxes.opinion import Opinion, as_boxes
from icf.codes import BoxStatus

TWO = Rule(people=2, iou=0.7, most=7)
CANNOT = Opinion(None)

Corners = tuple[float, float, float, float]


def drew(*boxes: Corners) -> Opinion:
    return Opinion(as_boxes(boxes))


def moved(box: Corners, by: float) -> Corners:
    x1, y1, x2, y2 = box
    return x1 + by, y1, x2 + by, y2


A = (0.0, 0.0, 100.0, 100.0)
B = (200.0, 0.0, 260.0, 80.0)


def same(one: Settled, other: Settled) -> bool:
    return (
        (one.status, one.people) == (other.status, other.people)
        and np.array_equal(one.boxes, other.boxes)
        and np.array_equal(one.disagreements, other.disagreements)
    )


def test_one_person_alone_verifies_nothing() -> None:
    assert settle([drew(A)], TWO).status is BoxStatus.OPEN


def test_nobody_said_anything() -> None:
    assert settle([], TWO).status is BoxStatus.OPEN


def test_two_people_who_agree_verify_a_picture_with_the_mean_of_their_boxes() -> None:
    settled = settle([drew(A, B), drew(moved(B, 4), moved(A, 10))], TWO)
    assert settled.status is BoxStatus.VERIFIED
    assert settled.people == 2
    assert settled.boxes.tolist() == [[5, 0, 105, 100], [202, 0, 262, 80]]
    # Each is moved by 5 of 100 pixels, or 2 of 60: IoU 95/105 and 58/62.
    assert settled.disagreements == pytest.approx([1 - 95 / 105, 1 - 58 / 62])
    assert settled.disagreement == pytest.approx(settled.disagreements.mean())


def test_two_people_who_find_no_face_verify_that_there_is_none() -> None:
    settled = settle([drew(), drew()], TWO)
    assert settled.status is BoxStatus.VERIFIED
    assert settled.boxes.shape == (0, 4)
    assert settled.disagreement == 0


@pytest.mark.parametrize("other", [drew(A, B), drew(moved(A, 50)), drew(), CANNOT])
def test_where_two_differ_a_third_is_asked_and_then_an_expert(other: Opinion) -> None:
    assert settle([drew(A), other], TWO).status is BoxStatus.OPEN
    third = drew((300.0, 300.0, 400.0, 400.0))
    assert settle([drew(A), other, third], TWO).status is BoxStatus.DISPUTED


def test_a_third_person_settles_what_two_differ_about() -> None:
    settled = settle([drew(A), drew(A, B), drew(B, A)], TWO)
    assert settled.status is BoxStatus.VERIFIED
    assert settled.boxes.tolist() == [list(A), list(B)]


def test_of_three_people_each_coordinate_is_the_median() -> None:
    settled = settle([drew(A), drew(moved(A, 2)), drew(moved(A, 12))], TWO)
    assert settled.status is BoxStatus.VERIFIED
    assert settled.boxes.tolist() == [list(moved(A, 2))]


def test_two_against_two_contradict_each_other() -> None:
    opinions = [drew(A), drew(A), drew(B), drew(B)]
    assert settle(opinions, TWO).status is BoxStatus.DISPUTED


def test_three_against_two_settle_it() -> None:
    opinions = [drew(A), drew(B), drew(A), drew(B), drew(A)]
    settled = settle(opinions, TWO)
    assert settled.boxes.tolist() == [list(A)]
    assert settled.people == 3


def test_two_who_cannot_tell_settle_that() -> None:
    settled = settle([CANNOT, CANNOT], TWO)
    assert settled.status is BoxStatus.CANNOT_TELL
    assert settled.people == 2
    assert len(settled.boxes) == 0


def test_one_person_is_enough_where_the_setting_says_so() -> None:
    settled = settle([drew(A)], Rule(1, 0.7, 7))
    assert settled.status is BoxStatus.VERIFIED
    assert settled.people == 1


def test_an_expert_settles_a_dispute_with_his_own_boxes() -> None:
    mine = drew(moved(A, 10))
    settled = settle([drew(A), drew(B), drew(), mine], TWO, decided=mine)
    assert settled.status is BoxStatus.VERIFIED
    assert settled.boxes.tolist() == [list(moved(A, 10))]
    assert settled.people == 2
    assert settled.disagreement == pytest.approx((1 - 90 / 110) / 2)


def test_an_expert_with_whom_nobody_agrees_settles_it_too() -> None:
    mine = drew(B)
    settled = settle([drew(A), drew(A), mine], TWO, decided=mine)
    assert settled.boxes.tolist() == [list(B)]
    assert settled.people == 1


def test_an_expert_may_say_that_nobody_can_tell() -> None:
    assert settle([drew(A), drew(A)], TWO, CANNOT).status is BoxStatus.CANNOT_TELL


sides = st.tuples(
    st.integers(0, 300), st.integers(0, 300), st.integers(10, 120), st.integers(10, 120)
).map(lambda each: (each[0], each[1], each[0] + each[2], each[1] + each[3]))
#: Drawn from few boxes, so that people often agree.
shaken = st.tuples(st.sampled_from([A, B, (50.0, 50.0, 90.0, 90.0)]), st.floats(0, 9))
boxes = st.lists(
    st.one_of(shaken.map(lambda each: moved(*each)), sides), max_size=4, unique=True
)
opinions = st.lists(
    st.one_of(st.just(CANNOT), boxes.map(lambda each: drew(*each))), max_size=7
)


@given(opinions, st.randoms(use_true_random=False), st.integers(1, 3))
def test_neither_the_order_of_people_nor_of_boxes_matters(
    given_opinions: list[Opinion], rng: random.Random, people: int
) -> None:
    rule = Rule(people, 0.7, 7)

    def shuffled(each: Opinion) -> Opinion:
        if each.boxes is None:
            return each
        return Opinion(each.boxes[rng.sample(range(len(each.boxes)), len(each.boxes))])

    others = [shuffled(each) for each in given_opinions]
    rng.shuffle(others)
    assert same(settle(given_opinions, rule), settle(others, rule))


@given(boxes, st.integers(2, 5))
def test_people_who_draw_the_same_disagree_by_nothing(
    drawn: list[Corners], people: int
) -> None:
    settled = settle([drew(*drawn)] * people, TWO)
    assert settled.status is BoxStatus.VERIFIED
    assert settled.people == people
    assert sorted(settled.boxes.tolist()) == sorted(map(list, drawn))
    assert settled.disagreements.tolist() == [0] * len(drawn)


@given(opinions)
def test_merged_boxes_are_boxes_within_what_people_drew(
    given_opinions: list[Opinion],
) -> None:
    settled = settle(given_opinions, TWO)
    assert (settled.status is BoxStatus.VERIFIED) or not len(settled.boxes)
    assert ((settled.disagreements >= 0) & (settled.disagreements <= 1)).all()
    for x1, y1, x2, y2 in settled.boxes:
        assert x1 < x2
        assert y1 < y2
        drawn = np.concatenate(
            [each.boxes for each in given_opinions if each.boxes is not None]
        )
        assert drawn[:, 0].min() <= x1
        assert x2 <= drawn[:, 2].max()


@given(opinions)
def test_verified_boxes_are_of_as_many_people_as_are_needed(
    given_opinions: list[Opinion],
) -> None:
    settled = settle(given_opinions, TWO)
    if settled.status in (BoxStatus.VERIFIED, BoxStatus.CANNOT_TELL):
        assert settled.people >= 2
    if settled.status is BoxStatus.OPEN:
        assert len(given_opinions) < TWO.enough


@given(boxes, boxes, st.floats(0.3, 0.9))
def test_agreement_needs_equally_many_boxes_that_all_match(
    some: list[Corners], others: list[Corners], least: float
) -> None:
    if agree(drew(*some), drew(*others), least):
        assert len(some) == len(others)
        for box in some:
            assert any(overlap(box, other) >= least - 1e-4 for other in others)


def overlap(one: Corners, other: Corners) -> float:
    """IoU, written another way."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0) * max(height, 0)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return both / (sum(areas) - both)
