"""Assign characters to faces, respecting the links between the frames of a video.

The faces of one track through a shot are one identity. Their likelihood ratios are
averaged, so all of them get the same character, and the clearest frame decides for the
others. The ratios are averaged and not multiplied because the frames of a track are not
independent (see `icf.filter.identify.posterior`).

Two faces in one frame are two identities, so at most one of them is character k. This
divides the odds of k for each face by one plus the odds of k for the others, which is
exact if only the faces of one frame are linked. The likelier face is assigned k; the
other gets the best of its remaining candidates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icf.filter.identify.posterior import FloatArray, IntArray, Posterior, posterior


@dataclass(frozen=True)
class Assignment:
    """The character assigned to each track.

    Attributes:
        column: shape (n,), the column of the character.
        probability: shape (n, k), of being each of them.
        kept: shape (n,), whether the assigned character is likely enough and free.
        taken_by: shape (n,), the track that took the best candidate; -1 if none did.
    """

    column: IntArray
    probability: Posterior
    kept: NDArray[np.bool_]
    taken_by: IntArray


def average_tracks(ratios: FloatArray, tracks: IntArray) -> FloatArray:
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


def assign(
    joint: FloatArray,
    candidates: NDArray[np.bool_],
    cannot_link: Iterable[tuple[int, int]],
    min_probability: float,
) -> Assignment:
    """Assign each track its likeliest candidate, none twice in a frame.

    Args:
        joint: prior weight times likelihood ratio, shape (t, k).
        candidates: shape (t, k), the allowed characters; at least one in each row.
        cannot_link: pairs of tracks that cannot be one character.
        min_probability: the least probability of a kept face.
    """
    rivals = _rivals(cannot_link)
    probability = posterior(joint)
    if rivals:
        probability = _at_most_one(joint, probability, rivals)
    allowed = np.where(candidates, probability.characters, -1.0)
    column = np.argmax(allowed, axis=1)
    kept = allowed[np.arange(len(joint)), column] >= min_probability
    made = Assignment(column, probability, kept, np.full(len(joint), -1, np.int64))
    _assign_linked(made, allowed, rivals, min_probability)
    return made


def _rivals(cannot_link: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """The tracks that each linked track must differ from."""
    found: dict[int, set[int]] = {}
    for one, other in cannot_link:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {track: sorted(others) for track, others in found.items()}


def _at_most_one(
    joint: FloatArray, independent: Posterior, rivals: Mapping[int, Sequence[int]]
) -> Posterior:
    characters = independent.characters
    odds = characters / np.maximum(1 - characters, 1e-12)
    divided = joint.copy()
    for track, others in rivals.items():
        divided[track] /= 1 + odds[others].sum(axis=0)
    return posterior(divided)


def _assign_linked(
    made: Assignment,
    allowed: FloatArray,
    rivals: Mapping[int, Sequence[int]],
    min_probability: float,
) -> None:
    """Assign the linked tracks greedily, the likeliest first."""
    taken = np.full(allowed.shape, -1, np.int64)
    for track in sorted(rivals, key=lambda each: (-allowed[each].max(), each)):
        free = np.where(taken[track] < 0, allowed[track], -1.0)
        made.taken_by[track] = taken[track, made.column[track]]
        made.kept[track] = free.max() >= min_probability
        if free.max() >= 0:
            made.column[track] = int(np.argmax(free))
        if made.kept[track]:
            taken[rivals[track], made.column[track]] = track
