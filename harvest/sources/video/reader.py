"""Read the frames that were listed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from icf.codes import FetchStatus
from icf.harvest.child import Children
from icf.harvest.fault import Fault
from icf.harvest.sources.base import Sink
from icf.harvest.sources.video import times
from icf.harvest.sources.video.spool import Spool
from icf.harvest.sources.video.videos import version

#: Module that decodes; it runs in a child process.
WORK = "icf.harvest.sources.video.work"
#: Processes that decode frames at a time.
_MOST = 4


class FrameReader:
    """Reads frames by their URLs: ``file:///film.mp4#t=12.5``.

    Args:
        spool: with the frames that were found recently.
        open_video: returns the file of a video's URL, or raises `Fault`.
        keys_only: the frames are keyframes; only keyframes are decoded.
        form: of the files, "jpeg" or "png".
        deadline: seconds that one frame may take.
        stop: called at the end of a run.
    """

    def __init__(
        self,
        spool: Spool,
        open_video: Callable[[str], Path],
        *,
        keys_only: bool,
        form: str,
        deadline: float,
        stop: Callable[[], None],
    ) -> None:
        self._spool = spool
        self._open = open_video
        self._keys_only = keys_only
        self._form = form
        self._deadline = deadline
        self._stop = stop
        count = min(_MOST, os.cpu_count() or 1)
        self._children = Children(WORK, count)

    def read(self, url: str, sink: Sink) -> None:
        """Write the bytes of a frame into a sink.

        Raises:
            Fault: there is no such frame, or it can no longer be decoded.
        """
        try:
            video, seconds = times.split(url)
        except ValueError as error:
            raise Fault(
                FetchStatus.BAD_URL, f"{url}: it ends in no #t=SECONDS"
            ) from error
        path = self._open(video)
        name = key(video, version(path), self._form)
        data = self._spool.take(name, times.written(seconds))
        if data is not None:
            sink.write(data)
            return
        request = {
            "do": "frame",
            "path": str(path),
            "seconds": seconds,
            "keys_only": self._keys_only,
            "form": self._form,
        }
        try:
            self._children.ask(request, sink.write, deadline=self._deadline)
        except Fault as fault:
            raise Fault(fault.fate, f"{url}: {fault}") from fault

    def close(self) -> None:
        """End the processes and delete the spooled frames."""
        self._children.close()
        self._stop()
        self._spool.close()


def key(video: str, word: str, form: str) -> str:
    """Return a short name for one version of a video."""
    return hashlib.sha256(f"{video} {word} {form}".encode()).hexdigest()[:16]
