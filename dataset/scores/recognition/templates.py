"""Templates: several pictures of one identity as one vector.

A template is the mean of its pictures' unit vectors, of length 1 again. The pictures of
an identity are divided, in a seeded order, into as many disjoint groups of k as there
are; the rest is left out. Distractors stay single pictures: the test has one of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from icf.dataset.scores.recognition.groups import Grouping
from icf.dataset.scores.recognition.unit_vectors import (
    Features,
    FloatArray,
    check_features,
    unit,
)
from icf.errors import BadInput
from icf.icartoonface.recognition import DISTRACTOR, IntArray, RecognitionTest

#: The mean of unit vectors that is shorter has no direction: they cancel.
_SHORTEST = 1e-9


@dataclass(frozen=True, eq=False)
class Templates:
    """A test whose pictures are templates.

    Attributes:
        info: Templates in place of pictures; they have no boxes and no listed pairs.
        features: Shape (n, d), each row of length 1.
        members: The pictures of each template, rows of the test.
        left_out: Pictures of identities that are in no template.
    """

    info: RecognitionTest
    features: FloatArray
    members: tuple[IntArray, ...]
    left_out: int

    def groups(self, groups: Mapping[str, Grouping]) -> dict[str, Grouping]:
        """The same groups, of templates."""
        return {kind: each.of_templates(self.members) for kind, each in groups.items()}


def make_templates(
    info: RecognitionTest, features: Features, pictures: int, seed: int
) -> Templates:
    """Make templates of so many pictures each.

    Args:
        info: The test.
        features: Shape (n, d), a row per picture.
        pictures: In a template; at least 1.
        seed: Of the order in which an identity's pictures are divided.

    Raises:
        BadInput: As ``check_features``; or no identity has so many pictures, or those
            of a template cancel.
    """
    check_features(info.files, features)
    rng = np.random.default_rng(seed)
    members: list[IntArray] = []
    labels: list[int] = []
    for label in np.unique(info.labels[info.labels != DISTRACTOR]).tolist():
        rows = rng.permutation(np.flatnonzero(info.labels == label))
        for start in range(0, len(rows) - pictures + 1, pictures):
            members.append(np.sort(rows[start : start + pictures]))
            labels.append(label)
    if not members:
        raise BadInput(
            f"no identity has {pictures} pictures: make templates of fewer of them"
        )
    used = len(members) * pictures
    distractors = np.flatnonzero(info.labels == DISTRACTOR)
    members += [np.array([row]) for row in distractors.tolist()]
    labels += [DISTRACTOR] * len(distractors)
    means = np.stack([unit(features[rows]).mean(axis=0) for rows in members])
    lengths = np.linalg.norm(means, axis=1)
    if lengths.min() < _SHORTEST:
        row = int(members[int(lengths.argmin())][0])
        raise BadInput(
            f"the features of the template that begins with {info.files[row]} cancel: "
            "their mean has no direction"
        )
    names = tuple("+".join(info.files[row] for row in rows) for rows in members)
    boxes = np.zeros((len(members), 4), np.int64)
    made = RecognitionTest(names, boxes, np.array(labels, np.int64))
    left_out = int(np.count_nonzero(info.labels != DISTRACTOR)) - used
    return Templates(made, unit(means), tuple(members), left_out)
