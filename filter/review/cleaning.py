"""Which faces of a character look like somebody else.

After CAST, the self-training that cleaned WebFace260M (Zhu et al., CVPR 2021), with one
difference: there a folder is clustered, all but its largest cluster deleted, and alike
folders merged. Here nothing is deleted or merged: what would have been is a suspicion,
which becomes a question to people.

The reference and the faces that people confirmed are in the main group of a character;
`icf.filter.review.groups` says which others are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from icf.catalogue.calibrations import Curve
from icf.codes import Suspicion
from icf.filter.review.groups import MOST, Mask, Members, Rows, group, nearest

#: The probability of being the same from which on two faces are linked. Of 481 faces of
#: 40 characters with one in ten filed under another character that identity would not
#: have noticed, linking at .5, .8, .9 and .95 found 65%, 95%, 98% and 99% of those, and
#: of what it found 100%, 98%, 91% and 62% were misfiled.
LINKED = 0.8


@dataclass(frozen=True)
class Stray:
    """A face that is not with the main group of its character.

    Attributes:
        kind: an outlier; or a split, whose face stands for its group.
        row: the face.
        score: how strongly it is suspected, from 0 to 1.
    """

    kind: Suspicion
    row: int
    score: float


@dataclass(frozen=True, eq=False)
class Cleaned:
    """A character, looked over.

    Attributes:
        main: shape (n,), the faces of its main group; all where the curve links none.
        strays: the others, the strongest suspicion first, without what people refused.
    """

    main: Mask
    strays: tuple[Stray, ...] = field(default=())


def clean(members: Members, curve: Curve, most: int = MOST, seed: int = 1) -> Cleaned:
    """Look over the faces of a character.

    Args:
        members: the faces; one at least is an anchor.
        curve: from the cosine of two faces to the probability of being the same.
        most: faces that are grouped at once.
        seed: chooses them where there are more.
    """
    cosine = linking_cosine(curve)
    if cosine > 1:
        return Cleaned(~members.refused)
    labels = group(members, cosine, most, seed)
    main = np.isin(labels, labels[members.anchors])
    strays = [
        stray
        for label in np.unique(labels[~main])
        for stray in _strays(members, np.flatnonzero(labels == label), main, curve)
    ]
    strays.sort(key=lambda stray: (-stray.score, stray.row))
    return Cleaned(main, tuple(strays))


def linking_cosine(curve: Curve, probability: float = LINKED) -> float:
    """The cosine from which on the same character is so probable.

    Infinite where the curve tells nothing.

    >>> round(linking_cosine(Curve(10.0, -5.0), 0.5), 3)
    0.5
    """
    odds = math.log(probability / (1 - probability))
    return (odds - curve.intercept) / curve.slope if curve.slope > 0 else math.inf


def _strays(members: Members, rows: Rows, main: Mask, curve: Curve) -> Iterator[Stray]:
    """What is suspected of a group beside the main one."""
    open_to = rows[~members.refused[rows]]
    refused = rows[members.refused[rows]]
    if not len(open_to):
        return
    vectors = members.vectors
    against = curve.log_odds(nearest(vectors[open_to], vectors[main]))
    if len(refused):
        # People took one of them out: each other is asked about, none goes along.
        like_it = curve.log_odds(nearest(vectors[open_to], vectors[refused]))
        scores = _share(np.maximum(like_it, 0), against)
        for row, score in zip(open_to, scores, strict=True):
            yield Stray(Suspicion.OUTLIER, int(row), float(score))
        return
    score = float(_share(0.0, against.max()))
    if _beside(members, set(rows.tolist()), main):
        # One frame shows it and another: one of the two is filed wrongly.
        score = max(score, 0.5)
    if len(open_to) == 1:
        yield Stray(Suspicion.OUTLIER, int(open_to[0]), score)
        return
    central = vectors[open_to] @ vectors[open_to].sum(axis=0)
    medoid = int(open_to[int(np.argmax(central))])
    yield Stray(Suspicion.SPLIT, medoid, score)


def _share(
    one: NDArray[np.float64] | float, other: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """The share of one in both, of log odds."""
    return np.asarray(1 / (1 + np.exp(np.asarray(other) - np.asarray(one))))


def _beside(members: Members, rows: set[int], main: Mask) -> bool:
    return any(
        (one in rows and main[other]) or (other in rows and main[one])
        for one, other in members.differ
    )
