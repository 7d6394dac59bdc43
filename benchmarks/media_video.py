"""The video part of `benchmarks.harvest_media`: keyframe mode against real time."""

from __future__ import annotations

import asyncio
import functools
import os
import resource
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from icf.harvest.http.addresses import AllowList
from icf.harvest.http.session import Web
from icf.harvest.sources.base import Task
from icf.harvest.sources.video.source import VideoSource
from icf.settings import HarvestSettings

RATE = 24
SIZE = (1280, 720)
#: Frames between cuts in the drawn film.
_SCENE = 96


class _Counted:
    """A sink that only counts."""

    size = 0
    sha1 = ""

    def write(self, piece: bytes) -> None:
        """Take the next piece."""
        self.size += len(piece)


def draw_film(path: Path, seconds: int, keys_every: int) -> Path:
    """Write H.264 at 720p and 24 frames a second: drawn scenes with motion.

    Args:
        path: of the file, made if it is not there.
        seconds: its length.
        keys_every: frames between keyframes.
    """
    if path.exists():
        return path
    part = path.with_suffix(".part.mp4")
    with av.open(str(part), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {
            "g": str(keys_every),
            "keyint_min": str(keys_every),
            "sc_threshold": "0",
            "preset": "superfast",
            "crf": "23",
        }
        stream.codec_context.time_base = Fraction(1, RATE)
        for number in range(seconds * RATE):
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(_drawn(number)), format="rgb24"
            )
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    part.replace(path)
    return path


def times_real_time(path: Path, scratch: Path) -> float:
    """Return seconds of video per CPU second, listing and storing its keyframes.

    All processes count, with their start.
    """
    before = _cpu_seconds()
    asyncio.run(_all_frames(path, scratch))
    spent = _cpu_seconds() - before
    with av.open(str(path)) as container:
        assert container.duration is not None
        return container.duration / av.time_base / spent


async def _all_frames(path: Path, scratch: Path) -> int:
    table = {
        "name": "film",
        "kind": "video",
        "path": str(path),
        "album": "Film",
        "mode": "keyframes",
    }
    source = VideoSource(table, scratch, HarvestSettings())
    sink = _Counted()
    try:
        async with Web("icf/benchmark", AllowList([])) as web:
            tasks = list(source.first_tasks())
            while tasks:
                task: Task = tasks.pop()
                answer = await source.step(task, web)
                for picture in answer.pictures:
                    await asyncio.to_thread(source.reader.read, picture.url, sink)
                tasks += answer.tasks
                if not answer.done:
                    tasks.append(replace(task, cursor=answer.cursor))
    finally:
        source.reader.close()
    return sink.size


def _cpu_seconds() -> float:
    used = os.times()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.user + used.system + children.ru_utime + children.ru_stime


def _drawn(number: int) -> NDArray[np.uint8]:
    """Draw a frame: the camera moves along a scene."""
    scene, step = divmod(number, _SCENE)
    return _panorama(scene)[:, 2 * step : 2 * step + SIZE[0]]


@functools.lru_cache(maxsize=1)
def _panorama(scene: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(scene)
    width, height = SIZE[0] + 2 * _SCENE, SIZE[1]
    picture = np.full((height, width, 3), rng.integers(40, 215, 3), np.uint8)
    for _ in range(60):
        colour = rng.integers(0, 255, 3).tolist()
        at = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        radius = int(rng.integers(10, 120))
        cv2.circle(picture, at, radius, colour, -1, cv2.LINE_AA)
        cv2.circle(picture, at, radius, (20, 20, 20), 3, cv2.LINE_AA)
    return picture
