"""What is divided, what it is divided into, and what an earlier release fixed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from icf.codes import Unused
from icf.dataset.near_duplicates import Hashes
from icf.dataset.splits.keys import WordArray

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Part(IntEnum):
    """Where a face or picture is."""

    NONE = 0
    TRAIN = 1
    PROBE = 2
    DISTRACTOR = 3
    #: Of detection pictures alone.
    TEST = 4


class Role(IntEnum):
    """What an identity is for."""

    #: Of an earlier release: it was not there.
    NEW = 0
    #: In train alone.
    TRAIN = 1
    #: In train, and it gives probes.
    SEEN = 2
    #: It gives probes, and is not in train.
    UNSEEN = 3
    #: It gives one face to the test, and is not in train.
    DISTRACTOR = 4
    #: In no part.
    OUT = 5


#: Why a face is in no part.
REASONS = tuple(Unused)

#: Roles that keep an identity out of train.
HELD_OUT = (Role.UNSEEN, Role.DISTRACTOR, Role.OUT)


@dataclass(frozen=True, eq=False)
class Cast:
    """The identities; all arrays of shape (c,).

    Attributes:
        key: content keys of ALBUM/CHARACTER.
        family: identities that may be one have the same number: an open suspicion says
            so.
        stratum: what the protocol balances, or nobody's business; int64.
        held_out: whether the protocol itself keeps an identity out of train.
        before: its `Role` in the earlier release.
    """

    key: WordArray
    family: IntArray
    stratum: IntArray
    held_out: BoolArray
    before: IntArray


@dataclass(frozen=True, eq=False)
class ConfirmedFaces:
    """Faces whose identity is known; all arrays of shape (n,).

    Attributes:
        key: content keys.
        identity: rows of `Cast`.
        picture: the number of its group of equal pictures.
        close: the number of a group of pictures that no two parts may share: equal
            ones, frames of one shot, pictures of one track.
        by_people: whether people confirmed it; the others are never in the test.
        hashes: of its crop.
        picture_hashes: of its picture.
        track, shot, file: numbers of what a frame or page came from; -1: from none.
        before: its `Part` in the earlier release.
    """

    key: WordArray
    identity: IntArray
    picture: IntArray
    close: IntArray
    track: IntArray
    shot: IntArray
    file: IntArray
    by_people: BoolArray
    hashes: Hashes
    picture_hashes: Hashes
    before: IntArray


@dataclass(frozen=True, eq=False)
class DetectionPictures:
    """Pictures with true boxes; all arrays of shape (m,).

    Attributes:
        key: content keys.
        picture: the number of its group of equal pictures.
        close: the number of its closeness group.
        hashes: of the picture.
        before: its `Part` in the earlier release.
        held_out: whether the protocol keeps it out of train.
    """

    key: WordArray
    picture: IntArray
    close: IntArray
    hashes: Hashes
    before: IntArray
    held_out: BoolArray


@dataclass(frozen=True, eq=False)
class Undivided:
    """Faces whose identity is known, and that can be in no part; shape (k,) each.

    Attributes:
        picture: the number of its group of equal pictures.
        identity: rows of `Cast`.
    """

    picture: IntArray
    identity: IntArray

    @classmethod
    def nothing(cls) -> Undivided:
        """Return no faces."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, eq=False)
class Fixed:
    """What the earlier release used, whichever face it was for.

    Attributes:
        trained: numbers of closeness groups that were trained on, ascending.
        tested: those that were tested on.
        near_trained: shape (n,); of faces, whether it or its picture is nearly one that
            was trained on.
        near_trained_pictures: shape (m,), the same of detection pictures.
    """

    trained: IntArray
    tested: IntArray
    near_trained: BoolArray
    near_trained_pictures: BoolArray

    @classmethod
    def nothing(cls, faces: int, pictures: int) -> Fixed:
        """Return what holds without an earlier release."""
        none = np.empty(0, np.int64)
        return cls(none, none, np.zeros(faces, np.bool_), np.zeros(pictures, np.bool_))


@dataclass(frozen=True, eq=False)
class Splits:
    """Rows of `ConfirmedFaces` and of `DetectionPictures`, ascending.

    A probe's identity is *seen* if it has a face in train, and *unseen* if it has none.

    Attributes:
        why: shape (n,), the place in `REASONS` of why a face is in no part; -1: it is
            in one.
        near_detection: number of detection pictures that are in no part, because they
            are near-duplicates of the test.
        beyond_detection: of those that no part takes: recognition has what they show on
            the other side, or the part is full.
    """

    train: IntArray
    probes: IntArray
    distractors: IntArray
    detection_train: IntArray
    detection_test: IntArray
    why: IntArray
    near_detection: int = 0
    beyond_detection: int = 0
