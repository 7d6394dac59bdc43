"""The paper's protocol (sections 3.3 and 5.1) at any size, computed on arrays.

The test is chosen first; train gets what is left. A *closeness group* is a set of
pictures that must stay together (equal ones, frames of one shot): no group is in train
and in test, neither within one of the two tasks nor across them. No picture in train
shows a confirmed face of an identity that is held out for the test, and none is nearly
one of the test. The test has at most one face of a group.

Everything follows from hashes of what things are (`icf.dataset.splits.keys`), so the
same content, protocol and seed give the same split, whatever the order of rows, and
one more face moves what it touches.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from icf.dataset.near_duplicates import Hashes, Reach, find_near
from icf.dataset.splits.detection import split_detection
from icf.dataset.splits.keys import chances
from icf.dataset.splits.parts import (
    HELD_OUT,
    BoolArray,
    Cast,
    ConfirmedFaces,
    DetectionPictures,
    Fixed,
    IntArray,
    Role,
    Splits,
    Undivided,
)
from icf.dataset.splits.probes import Candidates, pick_test
from icf.dataset.splits.protocol import Protocol
from icf.dataset.splits.reasons import Withheld, reasons
from icf.dataset.splits.roles import Ability, draw_roles
from icf.errors import WrongUse


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be divided, and what else the pictures of it show.

    ``boxes_alone`` says whether its pictures can be released without any face.
    """

    cast: Cast
    faces: ConfirmedFaces
    pictures: DetectionPictures
    fixed: Fixed
    undivided: Undivided = field(default_factory=Undivided.nothing)
    boxes_alone: bool = False


def make_splits(
    problem: Problem, protocol: Protocol, reach: Reach, seed: int
) -> Splits:
    """Divide faces into train, probes and distractors, and pictures for detection.

    Raises:
        WrongUse: too few identities or faces for a test, or nothing is left in train;
            without identities, too few pictures for one of detection.
    """
    faces, cast = problem.faces, problem.cast
    candidates = Candidates(faces, problem.fixed, protocol, reach, seed)
    counts = np.zeros(len(cast.key), np.int64)
    counts[: len(candidates.counts)] = candidates.counts
    roles = draw_roles(cast, Ability(counts, candidates.gives), protocol, seed)
    role = roles[faces.identity]
    probes, distractors = pick_test(candidates, roles, protocol)
    test = np.concatenate((probes, distractors))
    close = np.isin(faces.close, faces.close[test])
    is_out = np.isin(role, HELD_OUT)
    beside = _showing(problem, np.isin(roles, HELD_OUT))
    was_tested = np.isin(faces.close, problem.fixed.tested) | candidates.was_test
    free = ~is_out & ~beside & ~close & ~was_tested
    detection = split_detection(
        problem.pictures,
        np.unique(faces.close[free]),
        np.unique(faces.close[test]),
        problem.fixed,
        protocol,
        seed,
    )
    near, near_pictures = _near_test(problem, free, test, detection, reach)
    left = free & ~near
    big, wanted = _trained_on(cast, faces, left, roles, protocol, seed)
    is_train = left & big[faces.identity] & wanted[faces.identity]
    lost = _beside_lost(problem, is_train, probes)
    is_train &= ~lost
    train_pictures = detection[0][~near_pictures]
    if len(cast.key):
        _check(
            problem,
            is_train,
            probes,
            distractors,
            candidates,
            protocol,
            has_boxes=problem.boxes_alone,
        )
    else:
        _check_detection(train_pictures, detection[1], problem, protocol)
    withheld = Withheld(
        role=role,
        beside=beside | lost,
        close=close,
        was_tested=was_tested,
        near=near & free,
        too_small=left & ~big[faces.identity],
        test=test,
        thinned=_thinned(candidates, roles),
    )
    is_placed = is_train.copy()
    is_placed[test] = True
    return Splits(
        np.flatnonzero(is_train),
        np.sort(probes),
        np.sort(distractors),
        train_pictures,
        detection[1],
        reasons(faces, problem.fixed, is_placed, withheld),
        int(near_pictures.sum()),
        len(problem.pictures.key) - sum(map(len, detection)),
    )


def _showing(problem: Problem, which: BoolArray) -> BoolArray:
    """Mark the faces whose picture shows one of some identities.

    Args:
        problem: what is to be divided.
        which: shape (c,), whether an identity is one of them.

    Returns:
        Shape (n,).
    """
    faces, others = problem.faces, problem.undivided
    pictures = np.concatenate(
        (
            faces.picture[which[faces.identity]],
            others.picture[which[others.identity]],
        )
    )
    return np.isin(faces.picture, pictures)


def _near_test(
    problem: Problem,
    free: BoolArray,
    test: IntArray,
    detection: tuple[IntArray, IntArray],
    reach: Reach,
) -> tuple[BoolArray, BoolArray]:
    """Mark what is, or shows a face that is, nearly a picture or face of the test.

    Returns:
        Of all faces; and of the detection pictures in train.
    """
    faces, pictures = problem.faces, problem.pictures
    train_rows, test_rows = detection
    in_test = np.isin(
        faces.picture,
        np.concatenate((faces.picture[test], pictures.picture[test_rows])),
    )
    in_train = free | np.isin(faces.picture, pictures.picture[train_rows])
    those = Hashes(
        np.concatenate(
            (faces.picture_hashes.phash[test], pictures.hashes.phash[test_rows])
        ),
        np.concatenate(
            (faces.picture_hashes.dhash[test], pictures.hashes.dhash[test_rows])
        ),
    )
    rows = np.flatnonzero(in_train)
    near_rows = find_near(faces.picture_hashes[rows], those, reach) >= 0
    near_rows |= find_near(faces.hashes[rows], faces.hashes[in_test], reach) >= 0
    near_groups = np.unique(faces.picture[rows[near_rows]])
    near_pictures = find_near(pictures.hashes[train_rows], those, reach) >= 0
    near_pictures |= np.isin(pictures.picture[train_rows], near_groups)
    return np.isin(faces.picture, near_groups), near_pictures


def _trained_on(
    cast: Cast,
    faces: ConfirmedFaces,
    left: BoolArray,
    roles: IntArray,
    protocol: Protocol,
    seed: int,
) -> tuple[BoolArray, BoolArray]:
    """Mark identities that are large enough to train on, and those that are wanted."""
    count = np.bincount(faces.identity[left], minlength=len(cast.key))
    was = np.isin(cast.before, (Role.TRAIN, Role.SEEN))
    big = (count >= protocol.min_train_faces) | was | (roles == Role.SEEN)
    wanted = np.ones(len(cast.key), np.bool_)
    if protocol.train_identities:
        chance = chances(cast.key, seed, "train")
        order = np.lexsort((chance, roles != Role.SEEN, ~was, ~(big & (count > 0))))
        wanted[order[protocol.train_identities :]] = False
    return big, wanted | was


def _beside_lost(problem: Problem, is_train: BoolArray, probes: IntArray) -> BoolArray:
    """Mark faces in pictures with an identity that lost all it had in train.

    Its probes are those of an unseen identity then, so nothing in train may show it.
    """
    identity = problem.faces.identity
    lost = np.zeros(len(is_train), np.bool_)
    while True:
        gone = np.zeros(len(problem.cast.key), np.bool_)
        gone[identity[probes]] = True
        gone[identity[is_train & ~lost]] = False
        shown = _showing(problem, gone)
        if not (shown & is_train & ~lost).any():
            return lost
        lost |= shown & is_train


def _thinned(candidates: Candidates, roles: IntArray) -> IntArray:
    some = np.flatnonzero(roles == Role.UNSEEN).tolist()
    return np.concatenate(
        [np.empty(0, np.int64), *(candidates.of(each).near for each in some)]
    )


def _check(
    problem: Problem,
    is_train: BoolArray,
    probes: IntArray,
    distractors: IntArray,
    candidates: Candidates,
    protocol: Protocol,
    *,
    has_boxes: bool,
) -> None:
    wants_distractors = protocol.distractor_share > 0 and protocol.distractors > 0
    parts = (
        ("train", is_train.any()),
        ("probe", len(probes)),
        ("distractor", len(distractors) or not wants_distractors),
    )
    empty = [name for name, there in parts if not there]
    if not empty:
        return
    if "train" in empty and problem.cast.held_out.all():
        raise WrongUse(
            f"the protocol keeps all {len(problem.cast.held_out)} identities out of "
            "train, so nothing is left to train on: hold out fewer albums, or ask more "
            "questions about others"
        )
    able = int((candidates.counts >= protocol.min_faces).sum())
    more = int((np.bincount(problem.faces.identity) >= protocol.min_faces).sum()) - able
    shared = (
        f"; {more} more have as many, but the test takes only faces that people "
        "confirmed, and one of each picture, shot and track"
        if more
        else ""
    )
    fewer = ", or lower dataset.min_faces" * (able < len(candidates.counts))
    alone = "; or release the boxes alone (--detection-only)" * has_boxes
    raise WrongUse(
        f"too few faces for a test: no {' and no '.join(empty)} faces. There are "
        f"{len(candidates.counts)} identities with confirmed faces, and {able} of them "
        f"have the {protocol.min_faces} faces that probes need{shared}"
        f"{_doubted(problem.cast)}. Answer more questions (`icf-annotate export`, then "
        f"import){fewer}{alone}"
    )


def _check_detection(
    train: IntArray, test: IntArray, problem: Problem, protocol: Protocol
) -> None:
    wants_test = protocol.detection_test_share > 0 and protocol.detection_test > 0
    if len(train) and (len(test) or not wants_test):
        return
    raise WrongUse(
        f"too few pictures for a test of detection: of {len(problem.pictures.key)} "
        f"with true boxes, {len(train)} can be in train and {len(test)} in the test, "
        "which share no near-duplicates and no shot of a video. Have the boxes of more "
        "verified (`icf-annotate serve --tasks boxes`)"
    )


def _doubted(cast: Cast) -> str:
    """Say how many identities have no part of their own, because of suspicions."""
    doubted = len(cast.family) - len(np.unique(cast.family))
    if not doubted:
        return ""
    return (
        f"; but {doubted} may be the same character as another one, and stay on its "
        "side until people have settled it (`icf-filter review` lists them)"
    )
