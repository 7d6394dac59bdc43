"""Frames that were found in a part of a video, and where the next part begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from icf.harvest.sources.video.pixels import Pixels

Box = tuple[float, float, float, float]
#: Takes the time and the pixels of each frame that is found.
Keep = Callable[[float, Pixels], None]


@dataclass(frozen=True)
class Wanted:
    """What to look for in a video.

    Attributes:
        mode: "shots" or "keyframes".
        frames: of each shot at most.
        tracks: follow the faces of each shot.
        form: "jpeg" or "png".
    """

    mode: str
    frames: int
    tracks: bool
    form: str


@dataclass(frozen=True)
class Place:
    """Where a part begins: a time in seconds, and the number of its first shot."""

    seconds: float = 0.0
    shot: int = 0


@dataclass(frozen=True)
class FoundFrame:
    """A frame worth keeping; ``tracks`` are numbers within its shot, with boxes."""

    seconds: float
    shot: int | None
    tracks: tuple[tuple[int, Box], ...] = ()


@dataclass(frozen=True)
class Part:
    """What was found in one part of a video.

    Attributes:
        frames: in the order of time.
        following: where the next part begins; None at the end.
        damaged_at: seconds from which on something could not be decoded.
        passed_over: frames that were blank, or near-duplicates of their neighbour.
    """

    frames: tuple[FoundFrame, ...] = ()
    following: Place | None = None
    damaged_at: float | None = None
    passed_over: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Part:
        """Read what `as_json` wrote."""
        frames = tuple(
            FoundFrame(
                one["seconds"],
                one["shot"],
                tuple((number, tuple(box)) for number, box in one["tracks"]),
            )
            for one in found["frames"]
        )
        following = found["following"] and Place(**found["following"])
        return cls(frames, following, found["damaged_at"], found["passed_over"])
