"""Scores of two releases' features: each on its own test, and on what both test.

The pairs that both tests have are scored by both. As the pairs of an identity are right
or wrong together, intervals are by identity: those of a release as `icf-evaluate` has
them, those of a difference by `icf.statistics.mean_of_clusters`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icf.dataset.contents import DISTRACTOR, PROBE
from icf.dataset.report.compare.moves import Key, keys
from icf.dataset.report.compare.releases import Release
from icf.dataset.scores.recognition.bootstrap import SEED
from icf.dataset.scores.recognition.identification import rank_pairs
from icf.dataset.scores.recognition.match_curve import MatchCurve, match_curves
from icf.errors import BadInput
from icf.icartoonface.features import read_features
from icf.icartoonface.recognition import pairs_to_score, read_rectest_info
from icf.icartoonface.release_files import FEATURES, RECTEST_INFO
from icf.statistics import Interval, mean_of_clusters

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Ranked:
    """A rank, and the percent of pairs within it.

    Attributes:
        rank: 1, 5 or 10.
        first, second: of each release, on its own test.
        difference: second less first, on the pairs of both; None without any.
    """

    rank: int
    first: Interval
    second: Interval
    difference: Interval | None


@dataclass(frozen=True)
class Scores:
    """The scores of two releases.

    Attributes:
        ranks: percents within rank 1, 5 and 10.
        pairs: ordered pairs that both tests have.
        identities: different identities of them.
        distractors: how many each release ranks against.
        same_model: whether the features are by one model.
    """

    ranks: Sequence[Ranked]
    pairs: int
    identities: int
    distractors: tuple[int, int]
    same_model: bool


@dataclass(frozen=True, eq=False)
class _Test:
    """The scores of a release, its pairs' ranks, and what each pair is known by."""

    curve: MatchCurve
    ranks: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]
    pairs: list[tuple[Key, Key]]
    distractors: int


def compare_scores(first: Release, second: Release) -> Scores | None:
    """Score both; None where one has no features, or no test."""
    one, other = _read(first), _read(second)
    if one is None or other is None:
        return None
    place = {pair: row for row, pair in enumerate(other.pairs)}
    rows = [(row, place[pair]) for row, pair in enumerate(one.pairs) if pair in place]
    here, there = np.array(rows, np.int64).reshape(-1, 2).T
    return Scores(
        [_ranked(rank, one, other, here, there) for rank in RANKS],
        len(rows),
        len(np.unique(one.owners[here])),
        (one.distractors, other.distractors),
        first.embedder == second.embedder,
    )


def _ranked(
    rank: int,
    one: _Test,
    other: _Test,
    here: npt.NDArray[np.int64],
    there: npt.NDArray[np.int64],
) -> Ranked:
    difference = None
    if len(here):
        before, after = one.ranks[here] <= rank, other.ranks[there] <= rank
        changed = 100 * (after.astype(np.float64) - before.astype(np.float64))
        alike = np.ones(len(changed))
        difference = mean_of_clusters(changed, alike, one.owners[here])
    return Ranked(rank, _alone(one, rank), _alone(other, rank), difference)


def _alone(test: _Test, rank: int) -> Interval:
    percent, bounds = test.curve.at(rank)
    if bounds.low is None or bounds.high is None:
        return Interval(percent, -math.inf, math.inf)
    return Interval(percent, bounds.low, bounds.high)


def _read(release: Release) -> _Test | None:
    try:
        info = read_rectest_info(release.files / RECTEST_INFO)
        features = read_features(release.files / FEATURES, len(info.files))
        ranks = rank_pairs(info, features)
    except BadInput:
        return None
    contents = release.contents.take(release.contents.rows(PROBE, DISTRACTOR))
    known = dict(zip(contents.name.tolist(), keys(contents), strict=True))
    if any(each not in known for each in info.files):
        return None
    pairs = pairs_to_score(info)
    named = [known[each] for each in info.files]
    distractors = int((info.labels < 0).sum())
    curves = match_curves(ranks, pairs[:, 0], info.labels, distractors, {}, SEED)
    return _Test(
        curves.all,
        ranks,
        info.labels[pairs[:, 0]],
        [(named[probe], named[gallery]) for probe, gallery in pairs.tolist()],
        distractors,
    )
