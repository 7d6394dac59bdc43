"""What each identity is for, by a hash of its name.

Each role has chances of its own, and the smallest ones get it. Of few identities, all
that have enough faces and whose chance is under a threshold get a role. The threshold
follows from the protocol alone, so that who else is there, and how many faces they
have, moves nobody. Of as many as the paper had, exactly as many as the role's count get
it. In between the number goes over from the one to the other, so that it jumps nowhere.
A test that is balanced has exactly as many of each kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icf.dataset.splits.keys import chances
from icf.dataset.splits.parts import HELD_OUT, BoolArray, Cast, IntArray, Role
from icf.dataset.splits.protocol import Protocol

#: How late numbers go over from thresholds to counts: 3 is .125 of the way at half of
#: the identities for which counts are exact.
_STEEP = 3
#: A count is reached although its share of the identities is a rounding error less.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Ability:
    """What identities could give to the test.

    Attributes:
        faces: shape (c,), the number of faces that may be in the test.
        gives: whether an identity has so many of them that are no near-duplicates of
            one another.
    """

    faces: IntArray
    gives: Callable[[int, int], bool]


def draw_roles(cast: Cast, ability: Ability, protocol: Protocol, seed: int) -> IntArray:
    """Give each identity its role.

    Identities that may be one are on one side: one of them has a role of its own, and
    where that keeps it out of train, the others are in no part.

    Returns:
        Shape (c,), of `Role`.
    """
    roles = np.where(cast.before == Role.NEW, Role.TRAIN, cast.before).astype(np.int64)
    first = _first_of_families(cast, ability, protocol)
    free = first & (cast.before == Role.NEW)
    _hold_out(roles, free & cast.held_out, ability, protocol)
    free &= ~cast.held_out
    strata = np.unique(cast.stratum)
    for stratum in strata:
        inside = cast.stratum == stratum
        _Drawing(
            roles, cast, ability, protocol, seed, inside, free & inside, len(strata)
        ).draw_all()
    return _as_families(roles, first, cast)


@dataclass(frozen=True, eq=False)
class _Drawing:
    """Draws roles among the identities of one stratum; writes into ``roles``."""

    roles: IntArray
    cast: Cast
    ability: Ability
    protocol: Protocol
    seed: int
    inside: BoolArray
    free: BoolArray
    strata: int

    def draw_all(self) -> None:
        plan = self.protocol
        low = plan.min_faces
        left = 1.0
        self._draw(Role.DISTRACTOR, 1, plan.distractor_share, plan.distractors, left)
        left -= plan.distractor_share
        # Where few have enough faces, seen and unseen share them.
        both = plan.seen_probe_share + plan.unseen_probe_share
        able = max(0.0, left) * self._able(low).sum()
        part = min(1.0, float(able) / max(both * self._size(), _ROUNDING))
        share, count = plan.unseen_probe_share, plan.unseen_identities
        self._draw(Role.UNSEEN, low, share, count, left, part)
        left -= share
        share, count = plan.seen_probe_share, plan.seen_identities
        if plan.train_identities:
            count = min(count, plan.train_identities)
        # One face at least stays in train.
        self._draw(Role.SEEN, low + 1, share, count, left, part)

    def _draw(
        self,
        role: Role,
        need: int,
        share: float,
        count: int,
        left: float,
        part: float = 1.0,
    ) -> None:
        """Draw one role.

        Args:
            role: to draw.
            need: faces that it needs.
            share: of all identities, if all had enough faces.
            count: the most, which is exact where the share reaches it.
            left: the part of the identities that no earlier role took, as expected.
            part: of the share, as much as those with enough faces allow.
        """
        threshold = min(1.0, share / max(left, _ROUNDING))
        most = count / self.strata
        known = int((self.inside & (self.roles == role)).sum())
        room = max(0.0, most - known)
        reached = part * share * self._everybody() / max(most, _ROUNDING)
        exact = reached >= 1 - _ROUNDING
        wanted = room if exact else min(room, part * share * self._size())
        rows = np.flatnonzero(self._able(need) & (self.roles == Role.TRAIN))
        chance = chances(self.cast.key[rows], self.seed, role.name)
        order = np.argsort(chance, kind="stable")
        queue = _Queue(rows[order], lambda row: self.ability.gives(row, need))
        under = queue.passing(int((chance < threshold).sum()))
        by_count = 1.0 if exact or self.strata > 1 else min(1.0, reached) ** _STEEP
        number = round(under + by_count * (wanted - under))
        if wanted > 0 and not known:
            number = max(1, number)
        self.roles[queue.first(min(number, round(room)))] = role

    def _able(self, need: int) -> BoolArray:
        return np.asarray(self.free & (self.ability.faces >= need), np.bool_)

    def _everybody(self) -> float:
        """The identities of a stratum; all strata count as equally large."""
        return len(self.roles) / self.strata

    def _size(self) -> float:
        """The identities that roles are drawn for: after a release, the new ones."""
        new = self.cast.before == Role.NEW
        if new.all():
            return self._everybody()
        return float((new & self.inside).sum())


class _Queue:
    """Identities in the order of their chances, some of which pass a closer look."""

    def __init__(self, rows: IntArray, passes: Callable[[int], bool]) -> None:
        self._rows = rows.tolist()
        self._passes = passes
        self._seen = 0
        self._good: list[int] = []

    def passing(self, places: int) -> int:
        """Count those that pass among the first ``places``."""
        while self._seen < min(places, len(self._rows)):
            self._look()
        return len(self._good)

    def first(self, number: int) -> list[int]:
        """Return the first ``number`` that pass; fewer where there are no more."""
        while len(self._good) < number and self._seen < len(self._rows):
            self._look()
        return self._good[:number]

    def _look(self) -> None:
        row = self._rows[self._seen]
        self._seen += 1
        if self._passes(row):
            self._good.append(row)


def _hold_out(
    roles: IntArray, which: BoolArray, ability: Ability, protocol: Protocol
) -> None:
    """Give roles to identities that the protocol itself keeps out of train."""
    for row in np.flatnonzero(which).tolist():
        if ability.gives(row, protocol.min_faces):
            roles[row] = Role.UNSEEN
        else:
            roles[row] = Role.DISTRACTOR if ability.faces[row] else Role.OUT


def _first_of_families(
    cast: Cast, ability: Ability, protocol: Protocol
) -> npt.NDArray[np.bool_]:
    """Mark one identity of each family, which has a role of its own."""
    was_held_out = np.isin(cast.before, HELD_OUT)
    order = np.lexsort(
        (
            cast.key,
            ability.faces < protocol.min_faces,
            cast.before == Role.NEW,
            ~was_held_out,
        )
    )
    _, index = np.unique(cast.family[order], return_index=True)
    first = np.zeros(len(cast.key), np.bool_)
    first[order[index]] = True
    return first


def _as_families(roles: IntArray, first: BoolArray, cast: Cast) -> IntArray:
    """Take out of train who may be the same as one that is held out."""
    held_out = np.isin(roles, HELD_OUT)
    families = cast.family[held_out & first]
    out = ~first & ~held_out & np.isin(cast.family, families)
    return np.where(out, Role.OUT.value, roles)
