from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from icf.dataset.splits import (
    ConfirmedFaces,
    DetectionPictures,
    Protocol,
    Splits,
    hold_back,
    make_splits,
)
from icf.errors import WrongUse


def faces_of(
    identities: int, each: int, albums: int = 4, shared: float = 0.1, seed: int = 0
) -> ConfirmedFaces:
    """Faces in shuffled rows; a share of them stands in another face's picture."""
    rng = np.random.default_rng(seed)
    count = identities * each
    group = np.arange(count)
    moved = rng.random(count) < shared
    group[moved] = rng.integers(0, count, moved.sum())
    rows = rng.permutation(count)
    identity = np.repeat(np.arange(identities), each)
    return ConfirmedFaces(
        np.arange(count)[rows] + 1000,
        identity[rows],
        (identity * albums // identities)[rows],
        group[rows],
        np.ones(count, np.bool_),
    )


def pictures_of(faces: ConfirmedFaces) -> DetectionPictures:
    """Every group is one picture."""
    groups = np.unique(faces.group)
    return DetectionPictures(groups, groups)


def sides(
    faces: ConfirmedFaces, pictures: DetectionPictures, splits: Splits
) -> tuple[set[int], set[int]]:
    """The groups in any train and in any test."""
    test = np.concatenate([splits.probes, splits.distractors])
    return (
        {*faces.group[splits.train], *pictures.group[splits.detection_train]},
        {*faces.group[test], *pictures.group[splits.detection_test]},
    )


@st.composite
def any_faces(draw: st.DrawFn) -> ConfirmedFaces:
    count = draw(st.integers(1, 150))
    identities = draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    identity = rng.integers(0, identities, count)
    albums = rng.integers(0, draw(st.integers(1, 6)), identities)
    groups = draw(st.integers(1, 2 * count))
    return ConfirmedFaces(
        rng.permutation(count),
        identity,
        albums[identity],
        rng.integers(0, groups, count),
        np.ones(count, np.bool_),
    )


@st.composite
def any_protocol(draw: st.DrawFn) -> Protocol:
    share = st.floats(0, 1)
    low = draw(st.integers(2, 6))
    return Protocol(
        min_faces=low,
        max_probes=draw(st.integers(low, 17)),
        seen_probe_share=draw(share),
        unseen_probe_share=draw(share),
        distractor_share=draw(share),
        detection_test_share=draw(share),
        max_probes_in_all=draw(st.integers(60, 200)),
    )


@settings(deadline=None, max_examples=150)
@given(any_faces(), any_protocol(), st.integers(0, 2**32))
def test_no_group_and_no_held_out_identity_leaks_for_any_input(
    faces: ConfirmedFaces, protocol: Protocol, seed: int
) -> None:
    pictures = pictures_of(faces)
    try:
        splits = make_splits(faces, pictures, protocol, seed)
    except WrongUse:
        assume(False)
    train, test = sides(faces, pictures, splits)
    assert not train & test
    trained = set(faces.identity[splits.train])
    probed = set(faces.identity[splits.probes])
    distractors = faces.identity[splits.distractors]
    assert len(set(distractors)) == len(distractors)
    assert not set(distractors) & (trained | probed)
    held_out = (probed - trained) | set(distractors)
    shown = set(faces.group[np.isin(faces.identity, list(held_out))])
    assert not shown & set(faces.group[splits.train])
    rows = np.concatenate([splits.probes, splits.distractors])
    assert len(set(faces.group[rows])) == len(rows)
    _, probes = np.unique(faces.identity[splits.probes], return_counts=True)
    assert probes.min() >= protocol.min_faces
    assert probes.max() <= protocol.max_probes


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=25)
def test_the_split_depends_on_the_seed_and_not_on_the_order_of_rows(
    seed: int,
) -> None:
    faces = faces_of(30, 12)
    other = np.random.default_rng(seed).permutation(len(faces.face))
    shuffled = ConfirmedFaces(*(column[other] for column in vars(faces).values()))
    pictures = pictures_of(faces)
    one = make_splits(faces, pictures, Protocol(), seed)
    two = make_splits(shuffled, pictures, Protocol(), seed)
    for name in ("train", "probes", "distractors"):
        ids = faces.face[getattr(one, name)].tolist()
        assert shuffled.face[getattr(two, name)].tolist() == ids
    assert one.detection_test.tolist() == two.detection_test.tolist()
    third = make_splits(faces, pictures, Protocol(), seed + 1)
    assert third.train.tolist() != one.train.tolist()


def test_the_papers_counts_come_out_where_there_is_enough() -> None:
    faces = faces_of(12_500, 24, albums=1_302, shared=0.0)
    pictures = DetectionPictures(faces.face[:60_000], faces.group[:60_000])
    splits = make_splits(faces, pictures, Protocol(), 7)
    trained = np.unique(faces.identity[splits.train])
    probed, counts = np.unique(faces.identity[splits.probes], return_counts=True)
    assert len(splits.probes) == 20_000
    assert int(np.isin(probed, trained).sum()) == 1_200
    assert int((~np.isin(probed, trained)).sum()) == 800
    assert len(splits.distractors) == 2_500
    assert counts.min() >= 5
    assert counts.max() <= 17
    assert len(splits.detection_test) == 10_000


def test_shares_hold_at_a_small_size() -> None:
    faces = faces_of(50, 12, shared=0.0)
    splits = make_splits(faces, pictures_of(faces), Protocol(), 3)
    trained = np.unique(faces.identity[splits.train])
    probed = np.unique(faces.identity[splits.probes])
    assert int(np.isin(probed, trained).sum()) == 12
    assert int((~np.isin(probed, trained)).sum()) == 8
    assert len(splits.distractors) == 10
    assert len(splits.detection_test) == 100


def test_identities_kept_from_train_come_from_whole_albums_as_far_as_they_fit() -> None:
    faces = faces_of(40, 12, albums=8, shared=0.0)
    for seed in range(5):
        splits = make_splits(faces, pictures_of(faces), Protocol(), seed)
        trained = set(faces.album[splits.train])
        # 14 identities stay out; with 5 in an album, two albums fit whole.
        assert len(set(range(8)) - trained) >= 2


def test_a_seen_identity_that_loses_its_train_faces_counts_as_unseen() -> None:
    faces = faces_of(30, 12, shared=0.0)
    pictures = pictures_of(faces)
    splits = make_splits(faces, pictures, Protocol(), 1)
    lost = faces.identity[splits.probes][
        np.isin(faces.identity[splits.probes], faces.identity[splits.train])
    ][0]
    none = np.zeros(len(pictures.picture), np.bool_)
    held = hold_back(splits, faces.identity == lost, none)
    assert lost not in faces.identity[held.train]
    assert len(held.train) < len(splits.train)
    assert held.probes.tolist() == splits.probes.tolist()
    assert held.detection_train.tolist() == splits.detection_train.tolist()


@pytest.mark.parametrize(("identities", "each"), [(1, 30), (2, 1), (20, 2)])
def test_too_little_is_said_with_counts_and_a_remedy(
    identities: int, each: int
) -> None:
    faces = faces_of(identities, each)
    with pytest.raises(WrongUse, match=f"{identities} identities.*icf-annotate"):
        make_splits(faces, pictures_of(faces), Protocol(), 1)


def test_faces_that_people_did_not_confirm_are_never_in_the_test() -> None:
    faces = faces_of(30, 12)
    sure = np.random.default_rng(1).random(len(faces.face)) < 0.3
    some = replace(faces, by_people=~sure)
    splits = make_splits(some, pictures_of(faces), Protocol(), 1)
    assert not sure[splits.probes].any()
    assert not sure[splits.distractors].any()
    assert sure[splits.train].any()
