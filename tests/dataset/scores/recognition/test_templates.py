from __future__ import annotations

import numpy as np
import pytest

from icf.dataset.scores.recognition.templates import make_templates
from icf.errors import BadInput
from tests.dataset.scores.recognition.made import features_of, info_of, labels_of


def test_a_template_is_the_mean_of_unit_vectors() -> None:
    info = info_of(labels_of(3, 5, 2))
    features = features_of(info, 1) * np.arange(1, 18)[:, None]
    made = make_templates(info, features, 2, seed=3)
    assert made.info.labels.tolist() == [0, 0, 1, 1, 2, 2, -1, -1]
    assert made.left_out == 3
    for vector, rows in zip(made.features, made.members, strict=True):
        own = features[rows]
        mean = (own / np.linalg.norm(own, axis=1, keepdims=True)).sum(axis=0)
        assert vector == pytest.approx(mean / np.linalg.norm(mean))


def test_no_picture_is_in_two_templates_and_none_is_of_two_identities() -> None:
    info = info_of(labels_of(4, 7, 3))
    made = make_templates(info, features_of(info, 1), 3, seed=0)
    used = np.concatenate(made.members)
    assert len(used) == len(set(used.tolist())) == 4 * 6 + 3
    for label, rows in zip(made.info.labels, made.members, strict=True):
        assert (info.labels[rows] == label).all()


def test_templates_of_one_picture_are_the_test_itself() -> None:
    info = info_of(labels_of(3, 2, 2))
    features = features_of(info, 1)
    made = make_templates(info, features, 1, seed=5)
    assert (made.info.labels == info.labels).all()
    assert made.left_out == 0
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    order = [int(rows[0]) for rows in made.members]
    assert made.features == pytest.approx((features / lengths)[order])


def test_pictures_are_divided_by_the_seed() -> None:
    info = info_of(labels_of(2, 9, 1))
    features = features_of(info, 1)
    made = [make_templates(info, features, 3, seed).info.files for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_more_pictures_than_any_identity_has_are_refused() -> None:
    info = info_of(labels_of(2, 3, 1))
    with pytest.raises(BadInput, match="no identity has 4 pictures"):
        make_templates(info, features_of(info, 1), 4, seed=0)


def test_pictures_that_cancel_are_refused() -> None:
    info = info_of([0, 0, -1])
    with pytest.raises(BadInput, match=r"rectest_0000000.jpg cancel"):
        make_templates(info, np.array([[1.0, 2], [-2, -4], [1, 1]]), 2, seed=0)
