from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from icf.dataset.report.compare.releases import Release, read_release
from icf.dataset.report.compare.scores import compare_scores
from icf.dataset.scores.recognition.identification import score_identification
from icf.icartoonface.features import read_features
from icf.icartoonface.recognition import read_rectest_info
from icf.icartoonface.release_files import FEATURES, RECTEST_INFO


@pytest.fixture
def release(two_releases: Path, tmp_path: Path) -> Release:
    shutil.copytree(two_releases / "releases" / "seed-1", tmp_path / "one")
    return read_release(tmp_path / "one")


def test_each_release_scores_on_its_own_test_as_the_scorer_does(
    two_releases: Path,
) -> None:
    one, other = (
        read_release(two_releases / "releases" / f"seed-{seed}") for seed in (1, 2)
    )
    scores = compare_scores(one, other)
    assert scores is not None
    assert scores.same_model
    for side, release in (("first", one), ("second", other)):
        info = read_rectest_info(release.files / RECTEST_INFO)
        features = read_features(release.files / FEATURES, len(info.files))
        expected = score_identification(info, features)
        for each, percent in zip(
            scores.ranks, (expected.rank1, expected.rank5, expected.rank10), strict=True
        ):
            assert getattr(each, side).value == pytest.approx(percent)


def test_the_same_features_differ_by_nothing_on_all_pairs(release: Release) -> None:
    scores = compare_scores(release, release)
    assert scores is not None
    info = read_rectest_info(release.files / RECTEST_INFO)
    assert scores.pairs == len(info.pairs)
    assert scores.identities == len(set(info.labels[info.labels >= 0]))
    for each in scores.ranks:
        assert each.difference is not None
        assert each.difference.value == each.difference.low == 0


def test_worse_features_lose_on_the_same_pairs(release: Release) -> None:
    path = release.files / FEATURES
    worse = release.files.parent / "worse"
    shutil.copytree(release.files, worse)
    info = read_rectest_info(release.files / RECTEST_INFO)
    features = np.array(read_features(path, len(info.files)), np.float64)
    noise = np.random.default_rng(0).normal(size=features.shape)
    (features + noise * np.abs(features).max()).tofile(worse / FEATURES)
    scores = compare_scores(release, dataclasses.replace(release, files=worse))
    assert scores is not None
    rank1 = scores.ranks[0]
    assert rank1.difference is not None
    change = rank1.second.value - rank1.first.value
    assert rank1.difference.value == pytest.approx(change) != 0
    assert rank1.difference.low < rank1.difference.value < rank1.difference.high


def test_without_features_nothing_is_scored(release: Release) -> None:
    (release.files / FEATURES).unlink()
    assert compare_scores(release, release) is None
