"""Process a part of a video shot by shot."""

from __future__ import annotations

from collections import deque

import cv2

from icf.harvest.sources.video import pixels, tracks
from icf.harvest.sources.video.cuts import LAG, Cuts
from icf.harvest.sources.video.film import Film, Shown
from icf.harvest.sources.video.found import Box, FoundFrame, Keep, Part, Place, Wanted
from icf.harvest.sources.video.pick import Candidate, Pick
from icf.harvest.sources.video.tracks import ShotTracks

#: Seconds of video after which a part ends with the shot that it is in.
PART = 60.0
#: Seconds after which it ends anyway: a longer shot counts as several.
LONGEST = 180.0
#: Seconds for which a frame is shown that is a shot of its own, if another follows.
HELD = 1.0
#: Mean difference of two frames, 0 to 255, from which on they are different pictures.
_OTHER = 4.0


def find(film: Film, start: Place, wanted: Wanted, keep: Keep) -> Part:
    """Find the sharpest frames of each shot.

    Args:
        film: opened.
        start: where a shot begins.
        wanted: what to look for.
        keep: takes the time and the pixels of each frame that is found.
    """
    shots = _Shots(start.shot, wanted, keep)
    for shown in film.frames(start.seconds):
        end = shots.see(shown)
        passed = None if end is None else end.seconds - start.seconds
        if passed is not None and passed >= PART:
            return shots.part(film, end)
        if shown.seconds - start.seconds >= LONGEST:
            return shots.part(film, shots.split())
    shots.end()
    return shots.part(film, None)


class _Shots:
    """The shots of one part, built frame by frame."""

    def __init__(self, shot: int, wanted: Wanted, keep: Keep) -> None:
        self._shot = shot
        self._wanted = wanted
        self._keep = keep
        self._cuts = Cuts()
        self._waiting: deque[Shown] = deque()
        self._pick: Pick[Shown] = Pick(wanted.frames)
        self._faces = ShotTracks()
        self._found: list[FoundFrame] = []
        self._blank = 0
        self._last: pixels.Pixels | None = None

    def see(self, shown: Shown) -> Place | None:
        """Take the next frame; return where a new shot begins, if one does."""
        small = pixels.coloured(shown.frame)
        after_held = self._is_after_held(shown, small)
        if after_held:
            self.end()
        self._waiting.append(shown)
        self._last = small
        cut = self._cuts.begins_shot(shown.seconds, small) or after_held
        if cut and not after_held:
            self._close()
        place = Place(self._waiting[0].seconds, self._shot) if cut else None
        if len(self._waiting) > LAG:
            self._take(self._waiting.popleft())
        return place

    def _is_after_held(self, shown: Shown, small: pixels.Pixels) -> bool:
        """Return whether another picture follows one that was held, as in a slide show.

        The detector of cuts compares neighbours, which are all different there.
        """
        if self._last is None or shown.seconds - self._waiting[-1].seconds < HELD:
            return False
        return float(cv2.absdiff(self._last, small).mean()) >= _OTHER

    def split(self) -> Place:
        """End a shot before the frames that wait; it was not ended by a cut.

        What waits before a pause is the shot's: a part that began there would never
        come to the frame behind it.
        """
        while len(self._waiting) > 1 and self._is_after_pause():
            self._take(self._waiting.popleft())
        self._close()
        return Place(self._waiting[0].seconds, self._shot)

    def _is_after_pause(self) -> bool:
        return self._waiting[-1].seconds - self._waiting[0].seconds >= HELD

    def end(self) -> None:
        """End the last shot."""
        while self._waiting:
            self._take(self._waiting.popleft())
        self._close()

    def part(self, film: Film, following: Place | None) -> Part:
        """Return what was found."""
        return Part(tuple(self._found), following, film.damaged_at, self._blank)

    def _take(self, shown: Shown) -> None:
        small = pixels.grey(shown.frame)
        if self._wanted.tracks and self._faces.is_due(shown.seconds):
            boxes = tracks.find_faces(pixels.upright(shown))
            self._faces.see(shown.seconds, boxes)
        if pixels.is_blank(small):
            self._blank += 1
            return
        sharp = pixels.sharpness(small)
        self._pick.offer(Candidate(shown.seconds, sharp, shown))

    def _close(self) -> None:
        for candidate in self._pick.best():
            upright = pixels.upright(candidate.frame)
            on_it: tuple[tuple[int, Box], ...] = ()
            if self._wanted.tracks:
                boxes = tracks.find_faces(upright)
                on_it = tuple(self._faces.of(candidate.seconds, boxes))
            self._keep(candidate.seconds, upright)
            self._found.append(FoundFrame(candidate.seconds, self._shot, on_it))
        self._shot += 1
        self._pick = Pick(self._wanted.frames)
        self._faces = ShotTracks()
