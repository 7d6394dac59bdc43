"""Which faces of an identity are in the test, by a hash of what they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from icf.dataset.near_duplicates import Hashes, Reach, is_near
from icf.dataset.splits.keys import chances
from icf.dataset.splits.parts import (
    BoolArray,
    ConfirmedFaces,
    Fixed,
    IntArray,
    Part,
    Role,
)
from icf.dataset.splits.protocol import Protocol

#: Faces that are compared with one another at a time.
_AT_ONCE = 64
#: A seen identity gives faces with a chance under this, so that enough stay in train.
#: With a smaller part, one more face of an identity of ten would more often push the
#: fifth out of the test.
_GIVEN = 2 / 3


@dataclass(frozen=True, eq=False)
class Picked:
    """Faces of one identity that may be in the test together.

    Attributes:
        rows: of `ConfirmedFaces`, the first to be taken first.
        near: others, which are near-duplicates of one of them.
    """

    rows: IntArray
    near: IntArray


class Candidates:
    """The faces that may be in the test, by identity.

    Of faces in one closeness group, one may be in the test: that with the smallest
    key. Faces of the earlier release's test come first, and all of them may be.

    Args:
        faces: all of them.
        fixed: what the earlier release used.
        protocol: how many are needed.
        reach: what near-duplicates are.
        seed: of the chances.
    """

    def __init__(
        self,
        faces: ConfirmedFaces,
        fixed: Fixed,
        protocol: Protocol,
        reach: Reach,
        seed: int,
    ) -> None:
        self._faces, self._protocol, self._reach = faces, protocol, reach
        self.was_test = np.isin(faces.before, (Part.PROBE, Part.DISTRACTOR))
        rows = _one_of_each_group(faces, fixed, self.was_test)
        self.chance = chances(faces.key, seed, "probe")
        order = np.lexsort(
            (
                faces.key[rows],
                self.chance[rows],
                ~self.was_test[rows],
                faces.identity[rows],
            )
        )
        self._rows = rows[order]
        owners = faces.identity[self._rows]
        # Identities are numbered without gaps.
        identities = int(faces.identity.max(initial=-1)) + 1
        self._starts = np.searchsorted(owners, np.arange(identities + 1))
        self._known: dict[int, Picked] = {}

    @property
    def counts(self) -> IntArray:
        """The number of candidates of each identity."""
        return np.asarray(np.diff(self._starts), np.int64)

    def gives(self, identity: int, need: int) -> bool:
        """Whether an identity has so many that are not near one another."""
        return len(self.of(identity).rows) >= need

    def of(self, identity: int) -> Picked:
        """Pick the candidates of an identity: one more than it may have probes."""
        if identity not in self._known:
            rows = self._rows[self._starts[identity] : self._starts[identity + 1]]
            self._known[identity] = self._pick(rows)
        return self._known[identity]

    def _pick(self, rows: IntArray) -> Picked:
        most = self._protocol.max_probes + 1
        if not self._protocol.thin_probes:
            return Picked(rows[: max(most, int(self.was_test[rows].sum()))], rows[:0])
        taken: list[int] = []
        near: list[int] = []
        for start in range(0, len(rows), _AT_ONCE):
            if len(taken) >= most:
                break
            block = rows[start : start + _AT_ONCE]
            against = np.concatenate((np.array(taken, np.int64), block))
            close = self._close(block, against)
            dead = np.asarray(close[:, : len(taken)].any(axis=1), np.bool_)
            known = len(taken)
            for place, row in enumerate(block.tolist()):
                if dead[place] and not self.was_test[row]:
                    near.append(row)
                elif len(taken) < most or self.was_test[row]:
                    taken.append(row)
                    dead |= close[:, known + place]
        return Picked(np.array(taken, np.int64), np.array(near, np.int64))

    def _close(self, rows: IntArray, others: IntArray) -> BoolArray:
        """Compare faces and their pictures, each with each."""

        def near(hashes: Hashes) -> BoolArray:
            return is_near(hashes[rows[:, None]], hashes[others[None]], self._reach)

        found = near(self._faces.hashes) | near(self._faces.picture_hashes)
        return np.asarray(found, np.bool_)


def _one_of_each_group(
    faces: ConfirmedFaces, fixed: Fixed, was_test: BoolArray
) -> IntArray:
    may = faces.by_people & (faces.before != Part.TRAIN) & ~fixed.near_trained
    may &= ~np.isin(faces.close, fixed.trained)
    rows = np.flatnonzero(may | was_test)
    order = rows[np.lexsort((faces.key[rows], ~was_test[rows]))]
    _, first = np.unique(faces.close[order], return_index=True)
    is_first = np.zeros(len(faces.key), np.bool_)
    is_first[order[first]] = True
    return np.flatnonzero(is_first | was_test)


def pick_test(
    candidates: Candidates, roles: IntArray, protocol: Protocol
) -> tuple[IntArray, IntArray]:
    """Choose the probes and the distractors.

    Each identity with probes gives its first ``min_faces``. Of what else it may give,
    the faces with the smallest chances are taken until there are enough in all.

    Returns:
        Rows of the probes, and of the distractors.
    """
    needed: list[IntArray] = []
    extra: list[IntArray] = []
    low, high = protocol.min_faces, protocol.max_probes
    for identity in np.flatnonzero(np.isin(roles, (Role.SEEN, Role.UNSEEN))).tolist():
        rows = candidates.of(identity).rows
        least = max(low, int(candidates.was_test[rows].sum()))
        last = max(least, high)
        if roles[identity] == Role.SEEN:
            given = int((candidates.chance[rows[least:]] < _GIVEN).sum())
            last = max(least, min(last, least + given, len(rows) - 1))
        needed.append(rows[:least])
        extra.append(rows[least:last])
    probes = np.concatenate([np.empty(0, np.int64), *needed])
    more = np.concatenate([np.empty(0, np.int64), *extra])
    room = max(0, protocol.probes - len(probes))
    more = more[np.argsort(candidates.chance[more], kind="stable")][:room]
    firsts = [
        candidates.of(identity).rows[:1]
        for identity in np.flatnonzero(roles == Role.DISTRACTOR).tolist()
    ]
    distractors = np.concatenate([np.empty(0, np.int64), *firsts])
    return np.concatenate((probes, more)), distractors
