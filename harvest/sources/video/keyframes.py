"""Process a part of a video by its keyframes only."""

from __future__ import annotations

import cv2

from icf.harvest.sources.video import pixels
from icf.harvest.sources.video.film import Film
from icf.harvest.sources.video.found import FoundFrame, Keep, Part, Place

#: Seconds of video that are one part.
PART = 600.0
#: Frames that end a part, whatever its length.
_MOST = 200
#: Mean difference of two thumbnails under which they show the same: encoders put a
#: keyframe every few seconds, also where nothing moves.
_SAME = 2.0


def find(film: Film, start: Place, keep: Keep) -> Part:
    """Find the keyframes that are not blank and not near-duplicates of the last one.

    Args:
        film: opened.
        start: where to begin.
        keep: takes the time and the pixels of each frame that is found.
    """
    found: list[FoundFrame] = []
    last: pixels.Pixels | None = None
    passed_over = 0
    following: Place | None = None
    for shown in film.frames(start.seconds, keys_only=True):
        if len(found) == _MOST or shown.seconds - start.seconds >= PART:
            following = Place(shown.seconds, 0)
            break
        small = pixels.grey(shown.frame)
        tiny = pixels.thumbnail(small)
        is_same = last is not None and cv2.absdiff(last, tiny).mean() < _SAME
        if is_same or pixels.is_blank(small):
            passed_over += 1
            continue
        last = tiny
        keep(shown.seconds, pixels.upright(shown))
        found.append(FoundFrame(shown.seconds, None))
    return Part(tuple(found), following, film.damaged_at, passed_over)
