"""Which frames of a shot are worth keeping: the sharpest ones, some time apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

F = TypeVar("F")

#: Seconds between two frames of one shot: nearer ones show the same drawing.
APART = 0.5


@dataclass(frozen=True)
class Candidate(Generic[F]):
    """A frame with its time in seconds and how sharp it is."""

    seconds: float
    sharpness: float
    frame: F


class Pick(Generic[F]):
    """Collects the best frames of a shot.

    A frame that is less sharp than one within `APART` of it is not a candidate. The
    number of candidates is limited, so that memory does not depend on the shot.

    Args:
        most: how many frames are wanted.

    >>> pick = Pick(2)
    >>> for seconds, sharp in [(0.0, 5.0), (0.1, 9.0), (0.2, 1.0), (1.0, 2.0)]:
    ...     pick.offer(Candidate(seconds, sharp, None))
    >>> [one.seconds for one in pick.best()]
    [0.1, 1.0]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: list[Candidate[F]] = []

    def offer(self, new: Candidate[F]) -> None:
        """Take the next frame of the shot."""
        near = [c for c in self._held if abs(c.seconds - new.seconds) < APART]
        if any(c.sharpness >= new.sharpness for c in near):
            return
        self._held = [c for c in self._held if c not in near] + [new]
        if len(self._held) > 2 * self._most:
            self._held.remove(min(self._held, key=_worth))

    def best(self) -> list[Candidate[F]]:
        """Return the best frames, in the order of time."""
        best = sorted(self._held, key=_worth, reverse=True)[: self._most]
        return sorted(best, key=lambda one: one.seconds)


def _worth(one: Candidate[F]) -> tuple[float, float]:
    return one.sharpness, -one.seconds
