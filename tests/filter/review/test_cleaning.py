from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from icf.catalogue.calibrations import Curve
from icf.codes import Suspicion
from icf.filter.review.cleaning import (
    LINK_PROBABILITY,
    CleaningResult,
    clean,
    linking_cosine,
)
from icf.filter.review.groups import MAX_GROUPED, Members, Rows, group

CURVE = Curve(14.0, -7.0)
LEAST = linking_cosine(CURVE)


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, np.float32)


def around(*sizes: int, spread: float = 0.03, seed: int = 0) -> NDArray[np.float32]:
    """Groups of faces, each around an axis of its own."""
    rng = np.random.default_rng(seed)
    dim = max(16, len(sizes))
    rows = [np.eye(dim)[axis] for axis, size in enumerate(sizes) for _ in range(size)]
    return unit(np.array(rows) + spread * rng.normal(size=(sum(sizes), dim)))


def members(
    vectors: NDArray[np.float32],
    anchors: tuple[int, ...] = (0,),
    refused: tuple[int, ...] = (),
    must_link: tuple[tuple[int, int], ...] = (),
    cannot_link: tuple[tuple[int, int], ...] = (),
) -> Members:
    rows = np.arange(len(vectors))
    return Members(
        vectors, np.isin(rows, anchors), np.isin(rows, refused), must_link, cannot_link
    )


def suspects(cleaned: CleaningResult) -> list[tuple[str, int]]:
    return [(suspect.kind.value, suspect.row) for suspect in cleaned.suspects]


def linked_by_brute_force(vectors: NDArray[np.float32], least: float) -> Rows:
    """Connected components, by spreading labels until nothing moves."""
    labels = np.arange(len(vectors))
    near = vectors @ vectors.T >= least
    while True:
        spread = np.array([labels[row].min() for row in near])
        if (spread == labels).all():
            return labels
        labels = spread


def same_groups(one: Rows, other: Rows) -> bool:
    return bool(((one[:, None] == one[None]) == (other[:, None] == other[None])).all())


clouds = st.integers(2, 24).flatmap(
    lambda count: npst.arrays(
        np.float64, (count, 4), elements=st.floats(-1, 1, width=32).filter(bool)
    ).map(unit)
)


def test_the_linking_cosine_has_the_linking_probability() -> None:
    assert CURVE.probability(LEAST) == pytest.approx(LINK_PROBABILITY)


@given(clouds)
def test_without_constraints_the_groups_are_those_of_brute_force(
    vectors: NDArray[np.float32],
) -> None:
    cosines = np.unique((vectors @ vectors.T).ravel())
    # In the middle of the widest gap, where rounding decides nothing.
    gap = int(np.argmax(np.diff(cosines))) if len(cosines) > 1 else 0
    assume(len(cosines) > 1 and cosines[gap + 1] - cosines[gap] > 1e-3)
    least = float(cosines[gap] + cosines[gap + 1]) / 2
    found = group(members(vectors), least)
    assert same_groups(found, linked_by_brute_force(vectors, least))


@given(clouds, st.data())
def test_constraints_of_videos_and_people_always_hold(
    vectors: NDArray[np.float32], data: st.DataObject
) -> None:
    rows = st.integers(0, len(vectors) - 1)
    pairs = data.draw(st.lists(st.tuples(rows, rows), max_size=4))
    anchors = data.draw(st.sets(rows, min_size=1, max_size=3))
    refused = data.draw(st.sets(rows, max_size=3)) - anchors
    cannot_link = [(a, b) for a, b in pairs if a != b and not {a, b} <= anchors]
    found = group(
        members(
            vectors, tuple(anchors), tuple(refused), cannot_link=tuple(cannot_link)
        ),
        LEAST,
    )
    assert {int(found[row]) for row in anchors} == {0}
    assert all(found[row] != 0 for row in refused)
    assert all(found[a] != found[b] for a, b in cannot_link)
    same = data.draw(st.lists(st.tuples(rows, rows), max_size=4))
    together = group(members(vectors, tuple(anchors), must_link=tuple(same)), LEAST)
    assert all(together[a] == together[b] for a, b in same)


@given(clouds, st.randoms())
def test_the_order_of_the_faces_does_not_matter(
    vectors: NDArray[np.float32], random: object
) -> None:
    order = list(range(len(vectors)))
    random.shuffle(order)  # type: ignore[attr-defined]
    before = group(members(vectors), LEAST)
    after = group(members(vectors[order], (order.index(0),)), LEAST)
    assert same_groups(before[order], after)


def test_a_single_face_is_an_outlier_and_several_similar_ones_are_one_split() -> None:
    cleaned = clean(members(around(6, 1, 3)), CURVE)
    assert cleaned.main.tolist() == [True] * 6 + [False] * 4
    kinds = dict(suspects(cleaned))
    assert kinds.keys() == {"outlier", "split"}
    assert kinds["outlier"] == 6
    assert kinds["split"] in (7, 8, 9)
    assert all(0.9 < suspect.score <= 1 for suspect in cleaned.suspects)


def test_a_split_is_represented_by_its_most_typical_face() -> None:
    vectors = around(4, 3, spread=0.0)
    vectors[4] = unit(np.array([vectors[4] + 0.3 * np.eye(16)[9]]))[0]
    vectors[6] = unit(np.array([vectors[6] - 0.3 * np.eye(16)[9]]))[0]
    assert suspects(clean(members(vectors), CURVE)) == [("split", 5)]


def test_a_group_with_a_confirmed_face_joins_the_main_one() -> None:
    cleaned = clean(members(around(4, 3), anchors=(0, 5)), CURVE)
    assert cleaned.main.all()
    assert cleaned.suspects == ()


def test_after_a_refusal_each_other_face_of_the_group_is_an_outlier() -> None:
    cleaned = clean(members(around(4, 3), refused=(5,)), CURVE)
    assert set(suspects(cleaned)) == {("outlier", 4), ("outlier", 6)}
    assert all(suspect.score > 0.99 for suspect in cleaned.suspects)


def test_a_face_between_a_refused_and_the_main_group_is_weighed_against_both() -> None:
    vectors = around(3, 1, 1, spread=0.0)
    vectors[4] = unit(np.array([0.8 * vectors[0] + vectors[3]]))[0]
    [suspect] = clean(members(vectors, refused=(3,)), CURVE).suspects
    assert (suspect.kind, suspect.row) == (Suspicion.OUTLIER, 4)
    assert 0.5 < suspect.score < 0.95


def test_a_refused_look_alike_does_not_affect_the_main_group() -> None:
    vectors = around(5)
    cleaned = clean(members(vectors, refused=(4,)), CURVE)
    assert cleaned.main[0]
    assert not cleaned.main[4]
    assert 4 not in [suspect.row for suspect in cleaned.suspects]


def test_of_two_faces_of_one_frame_the_one_that_is_no_reference_is_suspected() -> None:
    vectors = around(4)
    cleaned = clean(members(vectors, cannot_link=((0, 3),)), CURVE)
    assert (cleaned.main[0], cleaned.main[3]) == (True, False)
    assert len(cleaned.suspects) == 1
    assert cleaned.suspects[0].score >= 0.5


def test_a_flat_curve_gives_no_suspicions() -> None:
    cleaned = clean(members(around(4, 3, 1)), Curve(0.0, 0.0))
    assert cleaned.main.all()
    assert cleaned.suspects == ()


def test_in_a_large_character_every_suspect_is_found() -> None:
    vectors = around(300, 5, 1)
    order = np.random.default_rng(5).permutation(len(vectors))
    start = int(np.flatnonzero(order == 0)[0])
    found = clean(members(vectors[order], (start,)), CURVE, limit=40)
    whole = clean(members(vectors[order], (start,)), CURVE)
    assert found.main.tolist() == whole.main.tolist()
    assert [s.kind for s in found.suspects] == [s.kind for s in whole.suspects]
    assert (order[~found.main] >= 300).all()


def test_constraints_hold_in_large_characters() -> None:
    vectors = around(60, 1)
    found = group(
        members(
            vectors, (0,), (7,), must_link=((3, 60),), cannot_link=((0, 9), (12, 13))
        ),
        LEAST,
        limit=20,
    )
    assert found[60] == found[3] == found[0] == 0
    assert found[7] != 0
    assert found[9] != 0
    assert 0 in (found[12], found[13])
    assert found[12] != found[13]


def test_a_large_character_needs_no_more_memory_than_its_vectors() -> None:
    vectors = around(3 * MAX_GROUPED, 4)
    tracemalloc.start()
    found = clean(members(vectors), CURVE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.suspects) == 1
    assert not found.main[-1]
    # All cosines at once would be 576 MB.
    assert peak < 64e6


def test_the_strongest_suspicion_comes_first() -> None:
    scores = [s.score for s in clean(members(around(5, 1, 1, 2)), CURVE).suspects]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
