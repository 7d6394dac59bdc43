from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.dataset.scores.recognition.identification import (
    rank_k,
    rank_pairs,
    score_identification,
)
from icf.errors import BadInput
from icf.icartoonface.features import read_features, write_features
from icf.icartoonface.recognition import (
    RecognitionTest,
    make_pairs,
    pairs_to_score,
)
from tests.dataset.scores.recognition.made import info_of

Floats = npt.NDArray[np.float64]


def ranks_by_walking(info: RecognitionTest, features: Floats) -> list[int]:
    """The official way: sort the whole gallery for each probe, then walk down it."""
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = np.round(units @ units.T, 9)
    ranks = []
    for a, b in pairs_to_score(info).tolist():
        distractor = info.labels == -1
        # Nearest first; among equals the distractors first.
        order = np.lexsort((~distractor, -similarity[a]))
        rank = 1
        for c in order.tolist():
            if c == b:
                break
            rank += bool(distractor[c])
        ranks.append(rank)
    return ranks


@given(
    st.lists(st.integers(-1, 4), min_size=1, max_size=30),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
)
def test_ranks_equal_a_walk_down_the_sorted_gallery(
    labels: list[int], d: int, seed: int
) -> None:
    info = info_of([*labels, 0, 0, -1])
    rng = np.random.default_rng(seed)
    # Small whole numbers make many ties, also between parallel rows.
    features = rng.integers(-2, 3, (len(info.files), d)).astype(np.float64)
    features[~features.any(axis=1)] = 1
    assert rank_pairs(info, features).tolist() == ranks_by_walking(info, features)


def test_ranks_equal_the_walk_over_many_probes_at_once() -> None:
    rng = np.random.default_rng(3)
    labels = [*rng.permutation(np.repeat(np.arange(400), 3)).tolist(), *[-1] * 50]
    info = info_of(labels)
    features = rng.normal(size=(len(labels), 16))
    features += 0.8 * rng.normal(size=(401, 16))[info.labels]
    ranks = rank_pairs(info, features)
    assert ranks.tolist() == ranks_by_walking(info, features)
    score = score_identification(info, features)
    assert (score.pairs, score.probes, score.distractors) == (2400, 1200, 50)
    assert score.rank1 == 100 * np.mean(ranks == 1)
    assert score.rank1 < score.rank5 < score.rank10 < 100


def test_ranks_are_in_the_order_of_the_listed_pairs() -> None:
    labels = [0, 0, 0, -1, -1]
    features = np.array([[1, 0], [1, 0.5], [0, 1], [1, 0.2], [0.3, 1.0]])
    info = info_of(labels)
    pairs = make_pairs(info.labels)[::-1]
    turned = RecognitionTest(info.files, info.boxes, info.labels, pairs)
    expected = rank_pairs(info, features)[::-1]
    assert rank_pairs(turned, features).tolist() == expected.tolist()


def test_a_tie_with_a_distractor_counts_against_the_pair() -> None:
    info = info_of([5, 5, -1])
    features = np.array([[1.0, 2.0], [0.5, 0.1], [50.0, 10.0]])
    assert rank_pairs(info, features).tolist() == [2, 1 + 1]


def test_the_length_of_a_feature_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    info = info_of([0, 0, 0, 1, 1, -1, -1, -1])
    features = rng.normal(size=(8, 5))
    scaled = features * 10.0 ** np.array([[-300, 300, 0, 9, -9, 250, -250, 3]]).T
    expected = rank_pairs(info, features).tolist()
    assert rank_pairs(info, scaled).tolist() == expected


def test_features_are_scored_from_the_mapped_file(tmp_path: Path) -> None:
    info = info_of([0, 0, -1])
    write_features(tmp_path / "f.bin", np.array([[1, 0], [1, 0.1], [0, 1.0]]))
    score = score_identification(info, read_features(tmp_path / "f.bin", 3))
    assert (score.rank1, score.rank5, score.rank10) == (100, 100, 100)


def test_rank_k_is_the_percentage_within_k() -> None:
    assert rank_k(np.array([1, 2, 5, 6]), 5) == 75


@pytest.mark.parametrize(
    ("row", "values", "found"),
    [
        (2, [0.0, 0.0], "row 3 .*0000002.jpg.*found only zeros"),
        (1, [np.nan, 1.0], "row 2 .*found NaN or infinity"),
        (0, [1.0, np.inf], "row 1 .*found NaN or infinity"),
    ],
)
def test_a_row_without_a_direction_is_refused(
    row: int, values: list[float], found: str
) -> None:
    features = np.ones((3, 2))
    features[row] = values
    with pytest.raises(BadInput, match=found):
        score_identification(info_of([0, 0, -1]), features)


@pytest.mark.parametrize("shape", [(2, 4), (4, 4), (3,), (3, 0)])
def test_features_that_do_not_fit_the_info_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match=r"features"):
        score_identification(info_of([0, 0, -1]), np.ones(shape))


def test_an_info_without_pairs_is_refused() -> None:
    with pytest.raises(BadInput, match="no pair to score"):
        score_identification(info_of([0, 1, -1]), np.ones((3, 2)))


def test_an_info_without_distractors_is_refused() -> None:
    with pytest.raises(BadInput, match="no distractor"):
        score_identification(info_of([0, 0]), np.ones((2, 2)))


@pytest.mark.parametrize(
    ("identities", "is_small"), [(1, True), (9, True), (10, False)]
)
def test_a_test_of_few_identities_is_called_too_small(
    identities: int, is_small: bool
) -> None:
    labels = [each for number in range(identities) for each in (number, number)]
    info = info_of([*labels, -1, -1])
    features = np.random.default_rng(1).normal(size=(len(info.files), 4))
    score = score_identification(info, features)
    assert score.identities == identities
    assert bool(score.caution) == is_small
