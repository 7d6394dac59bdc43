"""The paper's protocol (sections 3.3 and 5.1) at any size, computed on arrays.

The test is chosen first; train gets what is left. A *group* is a set of pictures that
must stay together (one picture, or several with the same pixels): no group is in train
and in test, neither within one of the two tasks nor across them. No picture in train
shows a confirmed face of an identity that is held out for the test. The test has at
most one face of a group.

The same arrays, protocol and seed give the same split, independent of row order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icf.errors import WrongUse

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Protocol:
    """The size of each split, as shares; the paper's counts are the upper limits.

    Attributes:
        min_faces: faces that an identity needs to have probes.
        max_probes: upper limit of probes of an identity.
        seen_probe_share: share of identities that are in train and have probes.
        unseen_probe_share: share of identities that have probes and are not in train.
        distractor_share: share of identities that are distractors, one face each.
        detection_test_share: share of pictures that are in the detection test.
    """

    min_faces: int = 5
    max_probes: int = 17
    seen_probe_share: float = 0.24
    unseen_probe_share: float = 0.16
    distractor_share: float = 0.2
    detection_test_share: float = 1 / 6
    max_seen: int = 1_200
    max_unseen: int = 800
    max_distractors: int = 2_500
    max_probes_in_all: int = 20_000
    max_detection_train: int = 50_000
    max_detection_test: int = 10_000


@dataclass(frozen=True, eq=False)
class ConfirmedFaces:
    """Faces whose identity is known; all arrays of shape (n,), int64 but for the last.

    Attributes:
        face: the face's id, each once.
        identity: the character's id.
        album: the album of that identity.
        group: the group of its picture.
        by_people: whether people confirmed it, bool; the others are never in the test.
    """

    face: IntArray
    identity: IntArray
    album: IntArray
    group: IntArray
    by_people: BoolArray


@dataclass(frozen=True, eq=False)
class DetectionPictures:
    """Pictures with true boxes; both arrays of shape (m,), int64.

    Attributes:
        picture: the picture's id, each once.
        group: its group.
    """

    picture: IntArray
    group: IntArray


@dataclass(frozen=True, eq=False)
class Splits:
    """Rows of `ConfirmedFaces` and of `DetectionPictures`, each sorted by id.

    A probe's identity is *seen* if it has a face in train, and *unseen* if it has none.
    """

    train: IntArray
    probes: IntArray
    distractors: IntArray
    detection_train: IntArray
    detection_test: IntArray


def make_splits(
    faces: ConfirmedFaces, pictures: DetectionPictures, protocol: Protocol, seed: int
) -> Splits:
    """Divide faces into train, probes and distractors, and pictures for detection.

    Raises:
        WrongUse: too few identities or faces for a test.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(faces.face, kind="stable")
    ids, number = np.unique(faces.identity[order], return_inverse=True)
    shuffled = rng.permutation(len(order))
    asked = shuffled[faces.by_people[order][shuffled]]
    testable = asked[_firsts_of(faces.group[order][asked])]
    usable = np.bincount(number[testable], minlength=len(ids))
    album = np.zeros(len(ids), np.int64)
    album[number] = faces.album[order]
    roles = _Roles.draw(album, usable, protocol, rng)
    quota = _quota(roles, usable, protocol, rng)
    picked = testable[_rank_within(number[testable]) < quota[number[testable]]]
    group = faces.group[order]
    held_out = np.isin(group, group[roles.held_out[number]])
    train = np.flatnonzero(~held_out & ~np.isin(group, group[picked]))
    is_distractor = roles.distractor[number[picked]]
    recognition = (train, picked[~is_distractor], picked[is_distractor])
    _check(recognition, len(ids), usable, protocol)
    detection = _split_detection(pictures, group[train], group[picked], protocol, rng)
    train, probes, distractors = (order[np.sort(rows)] for rows in recognition)
    return Splits(train, probes, distractors, *detection)


def hold_back(splits: Splits, faces: BoolArray, pictures: BoolArray) -> Splits:
    """Remove rows from train that are near-duplicates of something in test.

    Args:
        splits: as `make_splits` made them.
        faces: shape (n,), True for the faces that must not be in train.
        pictures: shape (m,), the same for pictures of the detection set.
    """
    return Splits(
        splits.train[~faces[splits.train]],
        splits.probes,
        splits.distractors,
        splits.detection_train[~pictures[splits.detection_train]],
        splits.detection_test,
    )


@dataclass(frozen=True, eq=False)
class _Roles:
    """The role of each identity, as masks; identities without one are in train only."""

    seen: BoolArray
    unseen: BoolArray
    distractor: BoolArray

    @property
    def held_out(self) -> BoolArray:
        return self.unseen | self.distractor

    @staticmethod
    def draw(
        album: IntArray, usable: IntArray, protocol: Protocol, rng: np.random.Generator
    ) -> _Roles:
        count = len(usable)
        can_probe = usable >= protocol.min_faces
        seen_count, unseen_count = _probe_counts(count, int(can_probe.sum()), protocol)
        distractor_count = _share(
            count, protocol.distractor_share, protocol.max_distractors
        )
        queue = _held_out_first(album, unseen_count + distractor_count, can_probe, rng)
        unseen = _first(queue, can_probe, unseen_count)
        distractor = _first(queue, ~unseen & (usable > 0), distractor_count)
        # At least one face stays in train.
        can_be_seen = (usable > protocol.min_faces) & ~unseen & ~distractor
        return _Roles(
            _first(rng.permutation(count), can_be_seen, seen_count), unseen, distractor
        )


def _share(count: int, share: float, most: int) -> int:
    """Compute a share of ``count``: at least 1 if the share is positive."""
    return min(most, max(int(share > 0), round(share * count)))


def _probe_counts(count: int, able: int, protocol: Protocol) -> tuple[int, int]:
    """Count seen and unseen identities with probes; only ``able`` can have any."""
    seen = _share(count, protocol.seen_probe_share, protocol.max_seen)
    unseen = _share(count, protocol.unseen_probe_share, protocol.max_unseen)
    if seen + unseen > able:
        unseen = able * unseen // (seen + unseen)
        seen = able - unseen
    return seen, unseen


def _held_out_first(
    album: IntArray, needed: int, can_probe: BoolArray, rng: np.random.Generator
) -> IntArray:
    """Order all identities, those to be held out of train first.

    Whole albums come first as far as they fit, so that the album's style is unseen in
    training too; then identities that cannot have probes.
    """
    albums, place = np.unique(album, return_inverse=True)
    shuffled = rng.permutation(len(albums))
    turn = np.empty(len(albums), np.int64)
    turn[shuffled] = np.arange(len(albums))
    whole = np.zeros(len(albums), np.bool_)
    left = needed
    for each, size in zip(
        shuffled.tolist(), np.bincount(place)[shuffled].tolist(), strict=True
    ):
        if size <= left:
            whole[each] = True
            left -= size
    at_random = rng.permutation(len(album))
    rest = ~whole[place]
    return np.lexsort(
        (at_random, rest & can_probe, np.where(rest, 0, turn[place]), rest)
    )


def _first(queue: IntArray, able: BoolArray, count: int) -> BoolArray:
    """Mark the first ``count`` of the queue that are able."""
    mask = np.zeros(len(able), np.bool_)
    mask[queue[able[queue]][:count]] = True
    return mask


def _quota(
    roles: _Roles, usable: IntArray, protocol: Protocol, rng: np.random.Generator
) -> IntArray:
    """Count the faces of each identity that go to the test."""
    low, high = protocol.min_faces, max(protocol.min_faces, protocol.max_probes)
    quota = np.zeros(len(usable), np.int64)
    quota[roles.unseen] = np.minimum(usable[roles.unseen], high)
    # At most half of a seen identity's faces, so that enough are left for training.
    quota[roles.seen] = np.clip(usable[roles.seen] // 2, low, high)
    extra = np.repeat(np.arange(len(quota)), np.maximum(quota - low, 0))
    surplus = int(quota.sum()) - protocol.max_probes_in_all
    if surplus > 0:
        cut = rng.permutation(extra)[:surplus]
        quota -= np.bincount(cut, minlength=len(quota))
    quota[roles.distractor] = 1
    return quota


def _split_detection(
    pictures: DetectionPictures,
    train_groups: IntArray,
    test_groups: IntArray,
    protocol: Protocol,
    rng: np.random.Generator,
) -> tuple[IntArray, IntArray]:
    """Fill test, then train, by group; consistent with the recognition split."""
    order = np.argsort(pictures.picture, kind="stable")
    groups, number = np.unique(pictures.group[order], return_inverse=True)
    queue = rng.permutation(len(groups))
    sizes = np.bincount(number, minlength=len(groups))
    total = len(order)
    wanted = _share(total, protocol.detection_test_share, protocol.max_detection_test)
    may_test = ~np.isin(groups, train_groups)
    test = _fill(queue[may_test[queue]], sizes, min(wanted, max(0, total - 1)))
    may_train = ~np.isin(groups, test_groups) & ~test
    train = _fill(queue[may_train[queue]], sizes, protocol.max_detection_train)
    return order[train[number]], order[test[number]]


def _fill(queue: IntArray, sizes: IntArray, room: int) -> BoolArray:
    """Take groups in order while they fit, as a mask over all groups."""
    taken = np.zeros(len(sizes), np.bool_)
    for each, size in zip(queue.tolist(), sizes[queue].tolist(), strict=True):
        if size <= room:
            taken[each] = True
            room -= size
    return taken


def _check(
    recognition: tuple[IntArray, IntArray, IntArray],
    identities: int,
    usable: IntArray,
    protocol: Protocol,
) -> None:
    parts = zip(("train", "probe", "distractor"), recognition, strict=True)
    empty = [name for name, rows in parts if not len(rows)]
    if empty:
        able = int((usable >= protocol.min_faces).sum())
        raise WrongUse(
            f"too few faces for a test: no {' and no '.join(empty)} faces. There are "
            f"{identities} identities with confirmed faces, and {able} of them have "
            f"the {protocol.min_faces} faces that probes need. Answer more questions "
            "(`icf-annotate export`, then import), or lower dataset.min_faces"
        )


def _firsts_of(values: IntArray) -> IntArray:
    """Indices of the first occurrence of each distinct value, ascending."""
    return np.sort(np.unique(values, return_index=True)[1])


def _rank_within(number: IntArray) -> IntArray:
    """Number the rows of each value 0, 1, 2, ..., in row order."""
    order = np.argsort(number, kind="stable")
    ordered = number[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    sizes = np.diff(starts, append=len(ordered))
    rank = np.empty(len(number), np.int64)
    rank[order] = np.arange(len(ordered)) - np.repeat(starts, sizes)
    return rank
