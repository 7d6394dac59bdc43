from __future__ import annotations

import numpy as np
import pytest

from icf.catalogue.sampling import Asked, FloatArray, label_errors, weights

NOT_KNOWN = float("nan")


def asked(*rows: tuple[int, float, bool]) -> Asked:
    """Questions: batch, probability of being chosen, and whether they are settled."""
    count = len(rows)
    ids = np.arange(count)
    return Asked(
        face=ids,
        character=ids,
        batch=np.array([batch for batch, _, _ in rows]),
        inclusion=np.array([inclusion for _, inclusion, _ in rows]),
        probability=np.full(count, 0.5),
        model=np.full(count, "e"),
        settled=np.array([settled for _, _, settled in rows]),
        same=np.ones(count, bool),
        votes=np.ones(count, np.int64),
        dropped=np.zeros(count, bool),
    )


def test_each_answer_counts_for_the_faces_it_was_drawn_from() -> None:
    found = weights(asked((0, 1.0, True), (0, 0.25, True), (0, 0.25, True)))
    assert found.tolist() == [1, 4, 4]


def test_answered_questions_stand_for_the_unanswered_of_their_kind() -> None:
    found = weights(asked((0, 1.0, True), (0, 0.25, True), (0, 0.25, False)))
    assert found.tolist() == [1, 8, 0]


def test_what_was_asked_before_a_batch_represents_itself() -> None:
    """As does what an earlier version asked, with no known probability."""
    found = weights(asked((0, NOT_KNOWN, True), (1, 1.0, True), (1, 0.1, True)))
    assert found.tolist() == [1, 1, 10]
    assert weights(asked((0, NOT_KNOWN, True))).tolist() == [0]
    # What was asked later was part of what the batch stands for.
    assert weights(asked((0, 0.1, True), (1, NOT_KNOWN, True))).tolist() == [10, 0]


def test_a_batch_without_answers_changes_nothing() -> None:
    first = [(0, 1.0, True), (0, 0.5, True)]
    later = [(1, 1.0, False), (1, 0.5, False)]
    assert weights(asked(*first, *later)).tolist() == [1, 2, 0, 0]


def test_the_mean_over_all_faces_is_estimated_without_bias() -> None:
    """However the certain ones are chosen, over several batches."""
    draw = np.random.default_rng(0)
    values = draw.random(200)
    estimates = [_estimate(values, draw) for _ in range(2000)]
    mean = float(np.mean(estimates))
    error = float(np.std(estimates)) / np.sqrt(len(estimates))
    assert mean == pytest.approx(values.mean(), abs=3 * error)
    # The largest were asked first: without weights the mean is far off.
    assert np.sort(values)[-60:].mean() > values.mean() + 0.3


def _estimate(values: FloatArray, draw: np.random.Generator) -> float:
    """Ask two batches: the twenty largest of what is left, and ten at random."""
    left = list(np.argsort(-values))
    rows, chosen = [], []
    for batch in range(2):
        certain, rest = left[:20], left[20:]
        some = draw.choice(rest, 10, replace=False).tolist()
        rows += [(batch, 1.0, True)] * 20 + [(batch, 10 / len(rest), True)] * 10
        chosen += certain + some
        left = [each for each in rest if each not in some]
    found = weights(asked(*rows))
    return float(found @ values[chosen] / found.sum())


def test_more_people_are_less_often_wrong_together() -> None:
    found = label_errors(np.array([0, 1, 2]), 0.1)
    assert found == pytest.approx([0.1, 0.1, 0.01 / 0.82])
