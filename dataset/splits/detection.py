"""Detection pictures in train and test, by a hash of what they are."""

from __future__ import annotations

import numpy as np

from icf.dataset.splits.keys import chances
from icf.dataset.splits.parts import (
    BoolArray,
    DetectionPictures,
    Fixed,
    IntArray,
    Part,
)
from icf.dataset.splits.protocol import Protocol


def split_detection(
    pictures: DetectionPictures,
    train: IntArray,
    test: IntArray,
    fixed: Fixed,
    protocol: Protocol,
    seed: int,
) -> tuple[IntArray, IntArray]:
    """Fill test, then train, a closeness group at a time.

    What recognition trains on is not tested on, and the other way round. Pictures of
    the earlier release stay where they were.

    Args:
        pictures: to divide.
        train: closeness groups that recognition trains on.
        test: those that it tests on.
        fixed: what the earlier release used.
        protocol: how many are wanted.
        seed: of the chances.

    Returns:
        Rows of train, and of test.
    """
    total = len(pictures.key)
    if not total:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    groups, number, sizes = np.unique(
        pictures.close, return_inverse=True, return_counts=True
    )
    key = np.full(len(groups), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(key, number, pictures.key)
    queue = np.lexsort((key, chances(key, seed, "detection")))
    was = {
        part: np.isin(groups, pictures.close[pictures.before == part])
        for part in (Part.TRAIN, Part.TEST)
    }
    near = pictures.close[fixed.near_trained_pictures]
    may_test = ~np.isin(groups, np.concatenate((train, fixed.trained, near)))
    held_out = pictures.close[pictures.held_out]
    never = np.concatenate((test, fixed.tested))
    may_train = ~np.isin(groups, np.concatenate((never, held_out)))
    # Of a group that was in both, as what is close became known since, each picture
    # has its own past: what was trained on is not tested, and the other way round.
    testable = may_test[number] | (pictures.before == Part.TEST)
    trainable = may_train[number] | (pictures.before == Part.TRAIN)
    wanted = protocol.detection_test_share * total
    share = min(protocol.detection_test, max(int(wanted > 0), round(wanted)))
    is_test = was[Part.TEST] & ~np.isin(groups, train)
    room = min(share, max(0, total - 1)) - int((is_test[number] & testable).sum())
    new = ~was[Part.TRAIN] & ~was[Part.TEST]
    is_test |= _fill(queue[(may_test & new)[queue]], sizes, room)
    is_train = was[Part.TRAIN] & ~np.isin(groups, never) & ~is_test
    room = protocol.detection_train - int((is_train[number] & trainable).sum())
    is_train |= _fill(queue[(may_train & new & ~is_test)[queue]], sizes, room)
    return (
        np.flatnonzero(is_train[number] & trainable),
        np.flatnonzero(is_test[number] & testable),
    )


def _fill(queue: IntArray, sizes: IntArray, room: int) -> BoolArray:
    """Take groups in order while they fit, as a mask over all groups."""
    taken = np.zeros(len(sizes), np.bool_)
    for each, size in zip(queue.tolist(), sizes[queue].tolist(), strict=True):
        if size <= room:
            taken[each] = True
            room -= size
    return taken
