"""Find the faces of a character that look like another character.

This follows CAST, the self-training that cleaned WebFace260M (Zhu et al., CVPR 2021),
with one difference: CAST clusters each folder, deletes all but the largest cluster and
merges similar folders. Here nothing is deleted or merged. Each case becomes a suspicion
and then a question.

The main group of a character contains its reference and its confirmed faces;
`icf.filter.review.groups` finds the other faces of the group.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from icf.catalogue.calibrations import Curve
from icf.codes import Suspicion
from icf.filter.review.groups import (
    MAX_GROUPED,
    Mask,
    Members,
    Rows,
    group,
    highest_cosine,
)

#: Minimum probability of being the same character for two faces to be linked. Measured
#: on 481 faces of 40 characters, one in ten of them assigned to a wrong character that
#: identity would accept: at .5, .8, .9 and .95 the recall of wrong faces was 65%, 95%,
#: 98% and 99%, the precision 100%, 98%, 91% and 62%.
LINK_PROBABILITY = 0.8


@dataclass(frozen=True)
class Suspect:
    """A face outside of the main group of its character.

    Attributes:
        kind: an outlier, or a split, whose face represents its group.
        row: the row of the face.
        score: strength of the suspicion, from 0 to 1.
    """

    kind: Suspicion
    row: int
    score: float


@dataclass(frozen=True, eq=False)
class CleaningResult:
    """The main group of a character, and the suspicions about the other faces.

    Attributes:
        main: shape (n,), the faces of the main group; all faces if the curve cannot
            link any.
        suspects: the suspicions, the strongest first, without refused faces.
    """

    main: Mask
    suspects: tuple[Suspect, ...] = field(default=())


def clean(members: Members, curve: Curve, limit: int = MAX_GROUPED) -> CleaningResult:
    """Find the suspicious faces of a character.

    Args:
        members: the faces; at least one is an anchor.
        curve: from the cosine of two faces to the probability of being the same.
        limit: maximum number of faces to cluster at once.
    """
    cosine = linking_cosine(curve)
    if cosine > 1:
        return CleaningResult(~members.refused)
    labels = group(members, cosine, limit)
    main = np.isin(labels, labels[members.anchors])
    suspects = [
        suspect
        for label in np.unique(labels[~main])
        for suspect in _suspects(members, np.flatnonzero(labels == label), main, curve)
    ]
    suspects.sort(key=lambda suspect: (-suspect.score, suspect.row))
    return CleaningResult(main, tuple(suspects))


def linking_cosine(curve: Curve, probability: float = LINK_PROBABILITY) -> float:
    """The minimum cosine at which two faces are the same with this probability.

    Infinite if the curve does not rise.

    >>> round(linking_cosine(Curve(10.0, -5.0), 0.5), 3)
    0.5
    """
    odds = math.log(probability / (1 - probability))
    return (odds - curve.intercept) / curve.slope if curve.slope > 0 else math.inf


def _suspects(
    members: Members, rows: Rows, main: Mask, curve: Curve
) -> Iterator[Suspect]:
    """The suspicions about a group other than the main one."""
    unlabelled = rows[~members.refused[rows]]
    refused = rows[members.refused[rows]]
    if not len(unlabelled):
        return
    vectors = members.vectors
    to_main = curve.log_odds(highest_cosine(vectors[unlabelled], vectors[main]))
    if len(refused):
        # People refused a face of the group: ask about each of the others.
        to_refused = curve.log_odds(
            highest_cosine(vectors[unlabelled], vectors[refused])
        )
        scores = _logistic(np.maximum(to_refused, 0) - to_main)
        for row, score in zip(unlabelled, scores, strict=True):
            yield Suspect(Suspicion.OUTLIER, int(row), float(score))
        return
    score = float(_logistic(-to_main.max()))
    if _shares_frame(members, set(rows.tolist()), main):
        # A frame shows a face of each group: one of the two is wrong.
        score = max(score, 0.5)
    if len(unlabelled) == 1:
        yield Suspect(Suspicion.OUTLIER, int(unlabelled[0]), score)
        return
    centrality = vectors[unlabelled] @ vectors[unlabelled].sum(axis=0)
    medoid = int(unlabelled[int(np.argmax(centrality))])
    yield Suspect(Suspicion.SPLIT, medoid, score)


def _logistic(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _shares_frame(members: Members, rows: set[int], main: Mask) -> bool:
    return any(
        (one in rows and main[other]) or (other in rows and main[one])
        for one, other in members.cannot_link
    )
