"""Why faces are in no part, one reason each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from icf.codes import Unused
from icf.dataset.splits.parts import (
    HELD_OUT,
    REASONS,
    BoolArray,
    ConfirmedFaces,
    Fixed,
    IntArray,
    Role,
)


@dataclass(frozen=True, eq=False)
class Withheld:
    """What kept faces out; masks of shape (n,).

    Attributes:
        role: of the face's identity.
        beside: its picture shows an identity that is held out.
        close: its closeness group is in the test.
        was_tested: it, or its closeness group, was in the earlier release's test.
        near: it would be in train, were it not a near-duplicate of the test.
        too_small: of an identity with too few faces to train on.
        test: rows that are in the test.
        thinned: rows that are near-duplicates of a probe of their identity.
    """

    role: IntArray
    beside: BoolArray
    close: BoolArray
    was_tested: BoolArray
    near: BoolArray
    too_small: BoolArray
    test: IntArray
    thinned: IntArray


def reasons(
    faces: ConfirmedFaces, fixed: Fixed, placed: BoolArray, withheld: Withheld
) -> IntArray:
    """Give each face that is not placed the first reason that holds.

    Returns:
        Shape (n,), places in `REASONS`; -1 of faces that are placed.
    """
    n = len(faces.key)
    out = np.isin(withheld.role, HELD_OUT)
    same = {
        Unused.PICTURE_IN_TEST: faces.picture,
        Unused.TRACK_IN_TEST: faces.track,
        Unused.SHOT_IN_TEST: faces.shot,
        Unused.FILE_IN_TEST: faces.file,
    }
    held_out = [
        (Unused.MAY_BE_HELD_OUT, withheld.role == Role.OUT),
        (Unused.NOT_BY_PEOPLE, ~faces.by_people),
        (
            Unused.TRAINED_BEFORE,
            np.isin(faces.close, fixed.trained) | fixed.near_trained,
        ),
        (Unused.OF_DISTRACTOR, withheld.role == Role.DISTRACTOR),
        (Unused.NEAR_PROBE, np.isin(np.arange(n), withheld.thinned)),
        *_shared(same, withheld),
        (Unused.BEYOND_PROBES, np.ones(n, np.bool_)),
    ]
    trained = [
        *_shared(same, withheld),
        # By a chain: a frame of its shot equals a picture of the test.
        (Unused.SHOT_IN_TEST, withheld.close),
        (Unused.TESTED_BEFORE, withheld.was_tested),
        (Unused.HELD_OUT_IN_PICTURE, withheld.beside),
        (Unused.NEAR_TEST, withheld.near),
        (Unused.IDENTITY_TOO_SMALL, withheld.too_small),
        (Unused.BEYOND_IDENTITIES, np.ones(n, np.bool_)),
    ]
    why = np.full(n, -1, np.int64)
    for side, found in ((out, held_out), (~out, trained)):
        for code, mask in found:
            why[side & mask & ~placed & (why < 0)] = REASONS.index(code)
    return why


def _shared(
    same: dict[Unused, IntArray], withheld: Withheld
) -> list[tuple[Unused, BoolArray]]:
    """Of what a face shares with one of the test: numbers, -1 for none."""
    return [
        (code, withheld.close & (key >= 0) & np.isin(key, key[withheld.test]))
        for code, key in same.items()
    ]
