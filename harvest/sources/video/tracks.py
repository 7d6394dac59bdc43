"""Follow faces through a shot."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from icf.harvest.sources.video.found import Box
from icf.models.detection import Detector
from icf.models.overlap import matched

Pixels = NDArray[np.uint8]

#: Seconds between two detections.
EVERY = 0.2
#: IoU from which on a face is where a track expects it.
_SAME = 0.3
#: Seconds after which a face that is not seen is lost.
_LOST = 0.5


@dataclass
class _Track:
    number: int
    times: list[float] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    def expected(self, seconds: float) -> Box:
        """Extrapolate the box of the face to a time, from its last movement."""
        box = np.array(self.boxes[-1])
        if len(self.boxes) > 1:
            passed = self.times[-1] - self.times[-2]
            moved = (box - np.array(self.boxes[-2])) / max(passed, 1e-6)
            box = box + moved * (seconds - self.times[-1])
        return _box(box)


class ShotTracks:
    """The tracks of one shot; frames come in the order of time."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._looked_at = -np.inf

    def is_due(self, seconds: float) -> bool:
        """Return whether the next detection is due."""
        return bool(seconds - self._looked_at >= EVERY - 1e-6)

    def see(self, seconds: float, boxes: Sequence[Box]) -> None:
        """Take the faces of a frame: each continues a track, or begins one."""
        self._looked_at = seconds
        alive = [t for t in self._tracks if seconds - t.times[-1] <= _LOST]
        pairs = matched(
            _array([t.expected(seconds) for t in alive]), _array(boxes), _SAME
        )
        going_on = {face: alive[track] for track, face in pairs}
        for number, box in enumerate(boxes):
            track = going_on.get(number)
            if track is None:
                track = _Track(len(self._tracks))
                self._tracks.append(track)
            track.times.append(seconds)
            track.boxes.append(box)

    def of(self, seconds: float, boxes: Sequence[Box]) -> list[tuple[int, Box]]:
        """Assign the faces of a frame to tracks, one face to a track.

        Returns:
            Number of the track, from 0 in each shot, and the face's box.
        """
        near = [(t.number, _between(t, seconds)) for t in self._tracks]
        there = [(number, box) for number, box in near if box is not None]
        pairs = matched(_array([box for _, box in there]), _array(boxes), _SAME)
        return [(there[track][0], boxes[face]) for track, face in pairs]


def find_faces(pixels: Pixels) -> list[Box]:
    """Find the faces of a frame with the detector that comes with the program."""
    [found] = _detector().detect([pixels])
    return [face.box for face in found]


@functools.cache
def _detector() -> Detector:
    return Detector.bundled()


def _between(track: _Track, seconds: float) -> Box | None:
    """Interpolate the box of a track between two detections; None outside of it."""
    times = np.array(track.times)
    if seconds < times[0] - _LOST or seconds > times[-1] + _LOST:
        return None
    boxes = np.array(track.boxes)
    return _box(
        np.array([np.interp(seconds, times, boxes[:, side]) for side in range(4)])
    )


def _array(boxes: Sequence[Box]) -> NDArray[np.float32]:
    return np.array(boxes, np.float32).reshape(-1, 4)


def _box(values: NDArray[np.float64]) -> Box:
    x1, y1, x2, y2 = values.tolist()
    return (x1, y1, x2, y2)
