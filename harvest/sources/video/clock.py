"""Times for the frames of files whose own times are missing, or begin again."""

from __future__ import annotations

from av.container import InputContainer

#: Demuxers whose index, or whose format, lets times only increase.
_REGULAR = ("mov", "matroska")
#: Seconds that the times of a regular stream may go back.
_BACK = 1.0
#: Frames a second where nobody says how many there are.
_RATE = 25.0


class Clock:
    """Gives frames, from the first one on, times that increase.

    Args:
        rate: frames a second, for frames without a time.

    Attributes:
        began_again: whether the file's times began again with the last frame.
    """

    def __init__(self, rate: float | None) -> None:
        self._step = 1.0 / (rate or _RATE)
        self._shift = 0.0
        self._last: float | None = None
        self.began_again = False

    def of(self, seconds: float | None) -> float:
        """Return when the next frame is shown.

        Args:
            seconds: as the file says; times that begin again go on after the last one.
        """
        following = 0.0 if self._last is None else self._last + self._step
        shown = following if seconds is None else seconds + self._shift
        self.began_again = self._last is not None and shown < self._last - _BACK
        if self._last is not None and shown <= self._last:
            self._shift += following - shown
            shown = following
        self._last = shown
        return shown


def is_irregular(container: InputContainer, index: int) -> bool:
    """Return whether the times of a stream are missing, or begin again.

    All packets are read, unless the format excludes it; the container is then at its
    end.
    """
    if any(name in container.format.name for name in _REGULAR):
        return False
    stream = container.streams[index]
    base = stream.time_base
    last: float | None = None
    for packet in container.demux(stream):
        if not packet.size:
            continue
        if packet.dts is None or base is None:
            return True
        seconds = float(packet.dts * base)
        if last is not None and seconds < last - _BACK:
            return True
        last = seconds
    return False
