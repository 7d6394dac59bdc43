from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from icf.codes import Unused
from icf.dataset.near_duplicates import is_near
from icf.dataset.splits.make import Problem, make_splits
from icf.dataset.splits.parts import REASONS, ConfirmedFaces, Splits
from icf.dataset.splits.protocol import Protocol
from icf.errors import WrongUse
from tests.dataset.splits.worlds import PARTS, REACH, World, cast_of, places

worlds = st.builds(
    World,
    faces=st.integers(1, 200),
    identities=st.integers(1, 25),
    shared=st.floats(0, 0.5),
    frames=st.floats(0, 0.5),
    copies=st.floats(0, 0.5),
    undivided=st.floats(0, 0.5),
    seed=st.integers(0, 2**32),
)


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    share = st.floats(0, 1)
    low = draw(st.integers(2, 6))
    return Protocol(
        min_faces=low,
        max_probes=draw(st.integers(low, 17)),
        seen_probe_share=draw(share),
        unseen_probe_share=draw(share),
        distractor_share=draw(share),
        detection_test_share=draw(share),
        seen_identities=draw(st.integers(0, 10)),
        unseen_identities=draw(st.integers(0, 10)),
        distractors=draw(st.integers(0, 10)),
        probes=draw(st.integers(2, 200)),
        train_identities=draw(st.integers(0, 20)),
        min_train_faces=draw(st.integers(1, 3)),
    )


def split(problem: Problem, protocol: Protocol, seed: int) -> Splits:
    """Divide, or give up on catalogues that are too small."""
    try:
        return make_splits(problem, protocol, REACH, seed)
    except WrongUse:
        assume(False)
        raise


def near(problem: Problem, rows: list[int], others: list[int]) -> bool:
    faces = problem.faces
    pairs = np.array(rows)[:, None], np.array(others)[None]
    return any(
        bool(is_near(each[pairs[0]], each[pairs[1]], REACH).any())
        for each in (faces.hashes, faces.picture_hashes)
        if len(rows) and len(others)
    )


@settings(deadline=None, max_examples=100)
@given(worlds, protocols(), st.integers(0, 2**32))
def test_nothing_leaks_for_any_input(
    world: World, protocol: Protocol, seed: int
) -> None:
    problem = world.draw()
    faces, pictures = problem.faces, problem.pictures
    splits = split(problem, protocol, seed)
    test = np.concatenate([splits.probes, splits.distractors])
    train_sides = {*faces.close[splits.train], *pictures.close[splits.detection_train]}
    test_sides = {*faces.close[test], *pictures.close[splits.detection_test]}
    assert not train_sides & test_sides
    trained = set(faces.identity[splits.train])
    probed = set(faces.identity[splits.probes])
    distractors = faces.identity[splits.distractors].tolist()
    assert len(set(distractors)) == len(distractors)
    assert not set(distractors) & (trained | probed)
    held_out = (probed - trained) | set(distractors)
    for each in (faces, problem.undivided):
        shown = set(each.picture[np.isin(each.identity, list(held_out))])
        assert not shown & set(faces.picture[splits.train])
    assert len(set(faces.close[test])) == len(test)
    assert not near(problem, splits.train.tolist(), test.tolist())
    _, counts = np.unique(faces.identity[splits.probes], return_counts=True)
    assert counts.min() >= protocol.min_faces
    assert counts.max() <= protocol.max_probes
    for identity in probed:
        mine = splits.probes[faces.identity[splits.probes] == identity].tolist()
        others = [(row, mine[place + 1 :]) for place, row in enumerate(mine)]
        assert not any(near(problem, [row], rest) for row, rest in others)


@settings(deadline=None, max_examples=50)
@given(worlds, protocols(), st.integers(0, 2**32))
def test_every_face_has_one_part_or_one_reason(
    world: World, protocol: Protocol, seed: int
) -> None:
    problem = world.draw()
    splits = split(problem, protocol, seed)
    rows = np.concatenate([getattr(splits, part) for part in PARTS])
    assert len(set(rows.tolist())) == len(rows)
    np.testing.assert_array_equal(
        np.flatnonzero(splits.why < 0), np.sort(rows), strict=True
    )
    assert splits.why.max() < len(REASONS)


@pytest.mark.parametrize("most", [10, 50_000])
def test_every_picture_of_the_detection_set_has_a_part_or_is_counted(most: int) -> None:
    problem = World(600, 30, shared=0.2, frames=0.2, copies=0.2).draw()
    protocol = Protocol(min_train_faces=3, detection_train=most)
    splits = make_splits(problem, protocol, REACH, 1)
    placed = len(splits.detection_train) + len(splits.detection_test)
    left = splits.near_detection + splits.beyond_detection
    assert placed + left == len(problem.pictures.key)
    assert splits.beyond_detection > 0


def test_reasons_say_what_kept_a_face_out() -> None:
    problem = World(600, 30, shared=0.2, frames=0.2, copies=0.2).draw()
    splits = make_splits(problem, Protocol(min_train_faces=3), REACH, 1)
    faces = problem.faces
    test = np.concatenate([splits.probes, splits.distractors])
    trained = np.unique(faces.identity[splits.train])

    def of(code: Unused) -> list[int]:
        found = np.flatnonzero(splits.why == REASONS.index(code)).tolist()
        assert found, code
        return list(found)

    for row in of(Unused.PICTURE_IN_TEST):
        assert faces.picture[row] in faces.picture[test]
    for row in of(Unused.SHOT_IN_TEST):
        assert faces.close[row] in faces.close[test]
    for row in of(Unused.OF_DISTRACTOR):
        assert faces.identity[row] in faces.identity[splits.distractors]
    for row in of(Unused.NEAR_PROBE):
        mine = splits.probes[faces.identity[splits.probes] == faces.identity[row]]
        assert near(problem, [row], mine.tolist())
        assert faces.identity[row] not in trained
    for row in of(Unused.HELD_OUT_IN_PICTURE):
        beside = faces.identity[faces.picture == faces.picture[row]]
        assert not set(beside) <= set(trained)
    shown = problem.pictures.picture[splits.detection_test]
    tested = np.isin(faces.picture, [*shown, *faces.picture[test]])
    for row in of(Unused.NEAR_TEST):
        same = np.flatnonzero(faces.picture == faces.picture[row]).tolist()
        assert near(problem, same, np.flatnonzero(tested).tolist())


def test_the_split_depends_on_the_seed_and_not_on_the_order_of_rows() -> None:
    problem = World(400, 30).draw()
    other = np.random.default_rng(5).permutation(400)
    shuffled = replace(
        problem,
        faces=ConfirmedFaces(
            **{
                each.name: getattr(problem.faces, each.name)[other]
                for each in fields(problem.faces)
            }
        ),
    )
    one = make_splits(problem, Protocol(), REACH, 3)
    two = make_splits(shuffled, Protocol(), REACH, 3)
    assert places(problem, one) == places(shuffled, two)
    np.testing.assert_array_equal(one.detection_test, two.detection_test)
    third = make_splits(problem, Protocol(), REACH, 4)
    assert places(problem, one) != places(problem, third)


@pytest.mark.parametrize(("identities", "faces"), [(1, 30), (2, 2), (20, 40)])
def test_too_little_is_said_with_counts_and_a_remedy(
    identities: int, faces: int
) -> None:
    problem = World(faces, identities, shared=0, frames=0, copies=0).draw()
    count = len(problem.cast.key)
    with pytest.raises(WrongUse, match=f"{count} identities.*icf-annotate") as refused:
        make_splits(problem, Protocol(), REACH, 1)
    # A lower number helps where some have too few.
    assert ("lower dataset.min_faces" in str(refused.value)) == (identities > 1)


def test_too_little_is_said_to_be_so_because_characters_may_be_one() -> None:
    problem = World(300, 20).draw()
    one = replace(problem.cast, family=np.zeros(len(problem.cast.key), np.int64))
    with pytest.raises(WrongUse, match="19 may be the same character") as refused:
        make_splits(replace(problem, cast=one), Protocol(), REACH, 1)
    # All have enough faces: a lower number would change nothing.
    assert "20 of them have the 5 faces" in str(refused.value)
    assert "lower" not in str(refused.value)


def test_too_little_is_said_to_be_so_because_a_picture_gives_one_face() -> None:
    problem = World(300, 20, shared=0, frames=0, copies=0).draw()
    crowded = replace(problem.faces, close=np.zeros(300, np.int64))
    with pytest.raises(
        WrongUse, match=r"and 0 of them .*; 20 more have as many, .*one"
    ):
        make_splits(replace(problem, faces=crowded), Protocol(), REACH, 1)


def test_faces_that_people_did_not_confirm_are_never_in_the_test() -> None:
    problem = World(400, 30).draw()
    sure = np.random.default_rng(1).random(400) < 0.3
    some = replace(problem, faces=replace(problem.faces, by_people=~sure))
    splits = make_splits(some, Protocol(), REACH, 1)
    assert not sure[splits.probes].any()
    assert not sure[splits.distractors].any()
    assert sure[splits.train].any()
    unseen = splits.why == REASONS.index(Unused.NOT_BY_PEOPLE)
    assert sure[unseen].all()
    assert unseen.any()


def test_identities_that_may_be_one_are_on_one_side_or_out() -> None:
    problem = World(900, 40).draw()
    family = np.arange(40) // 2
    for seed in range(5):
        some = replace(problem, cast=replace(problem.cast, family=family))
        splits = make_splits(some, Protocol(), REACH, seed)
        owner = problem.faces.identity
        trained = set(family[np.unique(owner[splits.train])])
        in_test = np.concatenate([splits.probes, splits.distractors])
        untrained = np.setdiff1d(owner[in_test], owner[splits.train])
        assert untrained.size
        assert not trained & set(family[untrained])
        out = splits.why == REASONS.index(Unused.MAY_BE_HELD_OUT)
        assert set(family[owner[out]]) <= set(family[untrained])


def paper() -> Problem:
    """8,313 identities with a long tail of faces, two thirds of which have many."""
    rng = np.random.default_rng(0)
    counts = np.maximum(1, rng.lognormal(2.6, 0.9, 8_313)).astype(np.int64)
    faces = int(counts.sum())
    problem = World(faces, 8_313, shared=0.0, frames=0.0, copies=0.0).draw()
    identity = np.repeat(np.arange(8_313), counts)
    return replace(
        problem,
        cast=cast_of([f"{row // 6}/{row}" for row in range(8_313)]),
        faces=replace(problem.faces, identity=identity),
    )


def test_the_papers_counts_come_out_of_as_many_identities_as_it_had() -> None:
    problem = paper()
    splits = make_splits(problem, Protocol(), REACH, 7)
    owner = problem.faces.identity
    trained = np.unique(owner[splits.train])
    probed, counts = np.unique(owner[splits.probes], return_counts=True)
    assert len(trained) == 5_013
    assert len(splits.probes) == 20_000
    assert int(np.isin(probed, trained).sum()) == 1_200
    assert int((~np.isin(probed, trained)).sum()) == 800
    assert (counts.min(), counts.max()) == (5, 17)
    assert len(splits.distractors) == 2_500
    assert len(splits.detection_test) == 10_000
