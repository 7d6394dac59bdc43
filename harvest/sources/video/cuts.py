"""Where one shot ends and the next begins."""

from __future__ import annotations

from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

from icf.harvest.sources.video.pixels import Pixels

#: Frames after a cut that the detector needs before it reports the cut.
LAG = 2
#: Milliseconds that a shot lasts at least.
_SHORTEST = 400
_PER_SECOND = 1000.0


class Cuts:
    """Finds cuts in the frames of a video, by PySceneDetect's adaptive detector.

    The detector is given milliseconds as its frame numbers, so that a
    varying frame rate makes no difference.
    """

    def __init__(self) -> None:
        self._detector = AdaptiveDetector(min_scene_len=_SHORTEST, window_width=LAG)

    def begins_shot(self, seconds: float, small: Pixels) -> bool:
        """Take the next frame; return whether the one `LAG` before it begins a shot.

        Args:
            seconds: when it is shown.
            small: BGR, always of one size.
        """
        time = FrameTimecode(round(seconds * _PER_SECOND), fps=_PER_SECOND)
        return bool(self._detector.process_frame(time, small))
