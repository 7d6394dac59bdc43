"""Find and decode frames of videos, in a child process.

It answers ``{"do": "find", ...}`` with a `Part`, and ``{"do": "frame", ...}`` with the
bytes of one frame.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.video import keyframes, pixels
from icf.harvest.sources.video.film import SAME_TIME, Film
from icf.harvest.sources.video.found import Keep, Part, Place, Wanted
from icf.harvest.sources.video.times import written


def answer(
    request: Mapping[str, Any], write: Callable[[bytes], object]
) -> dict[str, Any]:
    """Answer a request.

    Args:
        request: ``do`` ("find" or "frame") and ``path``; to find, ``start`` (a
            `Place`), ``wanted`` (a `Wanted`) and ``folder``, where the frames that are
            found are put, or None; for a frame, ``seconds``, ``keys_only`` and
            ``form``.
        write: takes the bytes of a frame.

    Raises:
        Fault: the video, or the frame, cannot be read.
    """
    path = Path(request["path"])
    if request["do"] == "frame":
        return _frame(path, request, write)
    wanted = Wanted(**request["wanted"])
    keep = _keep_in(request["folder"], wanted.form)
    start = Place(**request["start"])
    with Film(path) as film:
        if wanted.mode == "keyframes":
            part = keyframes.find(film, start, keep)
        else:
            part = _shots(film, start, wanted, keep)
        if start == Place() and film.shown_none:
            raise Fault(FetchStatus.EMPTY, "no frame of it can be decoded")
    return part.as_json()


def _shots(film: Film, start: Place, wanted: Wanted, keep: Keep) -> Part:
    # The detectors of cuts and faces are slow to import; keyframes do not need them.
    from icf.harvest.sources.video import shots

    return shots.find(film, start, wanted, keep)


def _frame(
    path: Path, request: Mapping[str, Any], write: Callable[[bytes], object]
) -> dict[str, Any]:
    seconds: float = request["seconds"]
    with Film(path) as film:
        for shown in film.frames(seconds, keys_only=request["keys_only"]):
            if shown.seconds > seconds + SAME_TIME:
                break
            write(pixels.encoded(pixels.upright(shown), request["form"]))
            return {}
    raise Fault(FetchStatus.NOT_FOUND, f"it has no frame at {written(seconds)} s")


def _keep_in(folder: str | None, form: str) -> Keep:
    """Return a function that writes a frame into a folder, named by its time."""
    if folder is None:
        return lambda seconds, found: None
    place = Path(folder)
    with contextlib.suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)

    def keep(seconds: float, found: pixels.Pixels) -> None:
        part = place / f"{written(seconds)}.part"
        # A full disk does no harm: a frame that is not there is decoded again.
        with contextlib.suppress(OSError):
            part.write_bytes(pixels.encoded(found, form))
            part.replace(place / written(seconds))

    return keep
