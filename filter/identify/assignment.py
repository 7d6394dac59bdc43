"""Faces that videos say something about: judged together, or kept apart.

The faces of one track through a shot are one identity. Their likelihood ratios are
averaged, so that all get the same answer and the frame that shows the character best
carries the others; averaged and not multiplied, because frames of a track resemble one
another (see `icf.filter.identify.posterior`).

Two faces of one frame are two identities, so a character k is at most one of them. That
divides the odds of k for each by one plus the odds of k for the others, which is exact
where the faces of one frame are all that is linked. The likelier one is then filed
under k; the other takes the next best of what is left to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.filter.identify.posterior import Numbers, Posterior, Whole, posterior


@dataclass(frozen=True)
class Filed:
    """Under which character each track goes.

    Attributes:
        column: shape (n,), the column of the character.
        probability: shape (n, k), of being each of them.
        kept: shape (n,), whether that is likely enough, and not taken.
        taken_by: shape (n,), the track that took the best of its characters away; -1
            where none did.
    """

    column: Whole
    probability: Posterior
    kept: NDArray[np.bool_]
    taken_by: Whole


def averaged(ratios: Numbers, tracks: Whole) -> Numbers:
    """Average the likelihood ratios of the faces of each track.

    Args:
        ratios: shape (n, k).
        tracks: for each face its track, from 0 to t - 1.

    Returns:
        Shape (t, k).
    """
    count = int(tracks.max()) + 1
    sums = np.zeros((count, ratios.shape[1]))
    np.add.at(sums, tracks, ratios)
    return np.asarray(sums / np.bincount(tracks, minlength=count)[:, None])


def filed(
    joint: Numbers,
    candidates: NDArray[np.bool_],
    apart: Iterable[tuple[int, int]],
    enough: float,
) -> Filed:
    """File each track under the likeliest of its candidates, none twice in a frame.

    Args:
        joint: weight times likelihood ratio, shape (t, k).
        candidates: shape (t, k), what it may be filed under; one at least in each row.
        apart: tracks that cannot be one character.
        enough: the probability from which on a face is kept.
    """
    beside = _beside(apart)
    probability = posterior(joint)
    if beside:
        probability = _at_most_one(joint, probability, beside)
    open_to = np.where(candidates, probability.characters, -1.0)
    column = np.argmax(open_to, axis=1)
    kept = open_to[np.arange(len(joint)), column] >= enough
    made = Filed(column, probability, kept, np.full(len(joint), -1, np.int64))
    _file_in_turn(made, open_to, beside, enough)
    return made


def _beside(apart: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, set[int]] = {}
    for one, other in apart:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {track: sorted(others) for track, others in found.items()}


def _at_most_one(
    joint: Numbers, alone: Posterior, beside: Mapping[int, Sequence[int]]
) -> Posterior:
    odds = alone.characters / np.maximum(1 - alone.characters, 1e-12)
    left = joint.copy()
    for track, others in beside.items():
        left[track] /= 1 + odds[others].sum(axis=0)
    return posterior(left)


def _file_in_turn(
    made: Filed, open_to: Numbers, beside: Mapping[int, Sequence[int]], enough: float
) -> None:
    """File the tracks that are linked, the likeliest first."""
    taken = np.full(open_to.shape, -1, np.int64)
    for track in sorted(beside, key=lambda each: (-open_to[each].max(), each)):
        left = np.where(taken[track] < 0, open_to[track], -1.0)
        made.taken_by[track] = taken[track, made.column[track]]
        made.kept[track] = left.max() >= enough
        if left.max() >= 0:
            made.column[track] = int(np.argmax(left))
        if made.kept[track]:
            taken[beside[track], made.column[track]] = track
