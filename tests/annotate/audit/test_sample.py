from __future__ import annotations

import itertools
from collections import Counter

import pytest

from icf.annotate.audit.population import FinalLabel, Said
from icf.annotate.audit.sample import ACCEPTS, REJECTS, TEST, Goal, Sample, draw, size

GOAL = Goal(0.05, 0.95)


def labels(count: int, label: Said = "same", first: int = 1) -> list[FinalLabel]:
    return [
        FinalLabel(key, 1, label, f"{label} {key}")
        for key in range(first, first + count)
    ]


def faces(sample: Sample, part: str) -> list[int]:
    return [each.label.face_id for each in sample.drawn if part in each.parts]


def test_each_part_gets_a_sample_of_its_own() -> None:
    some = labels(400) + labels(300, "different", 1001)
    sample = draw(some, set(range(1, 101)), GOAL, 1)
    assert {name: len(faces(sample, name)) for name in sample.parts} == {
        ACCEPTS: 59,
        TEST: 59,
        REJECTS: 59,
    }
    assert all(each <= 100 for each in faces(sample, TEST))
    assert all(each > 1000 for each in faces(sample, REJECTS))


def test_a_label_of_two_samples_is_looked_at_once() -> None:
    sample = draw(labels(400), set(range(1, 101)), GOAL, 1)
    drawn = [each.label.face_id for each in sample.drawn]
    assert len(set(drawn)) == len(drawn) < 59 + 59
    both = [each for each in sample.drawn if each.parts == (ACCEPTS, TEST)]
    assert {e.label.face_id for e in both} == {
        each for each in faces(sample, ACCEPTS) if each <= 100
    }


def test_the_seed_alone_decides_what_is_drawn() -> None:
    some = labels(400)
    assert draw(some, (), GOAL, 7) == draw(some[::-1], (), GOAL, 7)
    assert draw(some, (), GOAL, 7) != draw(some, (), GOAL, 8)


def test_a_part_without_labels_is_no_part() -> None:
    assert list(draw(labels(400), {5000}, GOAL, 1).parts) == [ACCEPTS]


def test_every_label_is_drawn_equally_often() -> None:
    some, draws = labels(50), 2000
    goal = Goal(0.05, 0.95, finite=True)
    count = Counter(
        key
        for seed in range(draws)
        for key in faces(draw(some, (), goal, seed), ACCEPTS)
    )
    share = size(50, goal).checked / 50
    deviation = (draws * share * (1 - share)) ** 0.5
    # Five deviations: of 50 labels none is that far off by chance.
    assert max(abs(count[each] - draws * share) for each in range(1, 51)) < (
        5 * deviation
    )


def test_places_in_the_sample_do_not_tell_what_a_label_is() -> None:
    some = labels(300) + labels(300, "different", 1001)
    kinds = [each.label.label for each in draw(some, (), GOAL, 3).drawn]
    changes = sum(one != other for one, other in itertools.pairwise(kinds))
    # Of 117 neighbours half differ, give or take.
    assert 30 < changes < 90


def test_fewer_labels_than_clopper_pearson_needs_get_the_bound_of_few() -> None:
    assert (size(59, GOAL).bound, size(59, GOAL).checked) == ("clopper-pearson", 59)
    few = size(58, GOAL)
    assert few.bound == "finite"
    assert few.checked < 58


def test_the_bound_of_few_labels_can_be_asked_for() -> None:
    part = size(300, Goal(0.05, 0.95, finite=True))
    assert part.bound == "finite"
    assert part.checked < 59


@pytest.mark.parametrize("count", [1, 3, 19])
def test_few_labels_are_all_checked_where_one_error_is_too_many(count: int) -> None:
    assert size(count, GOAL).checked == count
