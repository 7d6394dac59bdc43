"""Videos that tests draw themselves."""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from icf.app.demo.site.truth import load_truth
from icf.images import decode
from tests.filter.workspaces import read_file

Pixels = NDArray[np.uint8]

SIZE = (320, 180)
RATE = 24


def scene(number: int, step: int, size: tuple[int, int] = SIZE) -> Pixels:
    """A drawn scene of its own colours, in which a disc moves."""
    rng = np.random.default_rng(number)
    width, height = size
    picture = np.full((height, width, 3), rng.integers(40, 215, 3), np.uint8)
    for _ in range(8):
        colour = rng.integers(0, 255, 3).tolist()
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.rectangle(picture, (x, y), (x + width // 4, y + height // 4), colour, -1)
    x = width // 8 + step * 2 % (width // 2)
    cv2.circle(picture, (x, height // 2), height // 8, (255, 255, 255), -1)
    return picture


def scenes(*lengths: int, size: tuple[int, int] = SIZE) -> list[Pixels]:
    """The frames of scenes of so many frames each."""
    return [
        scene(number, step, size)
        for number, length in enumerate(lengths)
        for step in range(length)
    ]


def write_film(
    path: Path,
    frames: Sequence[Pixels],
    *,
    times: Sequence[int] | None = None,
    keys_every: int = 24,
    rotation: int = 0,
    aspect: Fraction | None = None,
    **options: str,
) -> Path:
    """Write an H.264 video.

    Args:
        path: of the file.
        frames: RGB.
        times: when each is shown, in milliseconds; at a fixed rate by default.
        keys_every: frames between keyframes.
        rotation: degrees, counterclockwise, by which players turn it.
        aspect: width of a pixel over its height; 1 by default.
        options: of the muxer.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", container_options=options) as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {
            "g": str(keys_every),
            "keyint_min": str(keys_every),
            "sc_threshold": "0",
            "preset": "ultrafast",
        }
        base = Fraction(1, RATE) if times is None else Fraction(1, 1000)
        stream.codec_context.time_base = base
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        shown = itertools.count() if times is None else iter(times)
        for pixels, time in zip(frames, shown, strict=False):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = time, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def held_film(path: Path, times: Sequence[float], end: float) -> Path:
    """Write a slide show whose last picture is held until ``end``, in seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.max_b_frames = 0
        packets = []
        for number, seconds in enumerate(times):
            frame = av.VideoFrame.from_ndarray(scene(number, 0), format="rgb24")
            frame.pts, frame.time_base = round(seconds * 1000), Fraction(1, 1000)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for packet, begins, ends in zip(packets, times, [*times[1:], end], strict=True):
            packet.duration = round((ends - begins) / packet.time_base)
            container.mux(packet)
    return path


def two_faces(characters: tuple[str, str], length: int) -> list[Pixels]:
    """The frames of a shot in which two characters of the demo's site move apart."""
    truth = load_truth()
    people = {each.name: each.reference for each in truth.characters}
    files = {file.name: file for file in truth.files}
    drawn = [
        cv2.resize(decode(read_file(files[people[name]]), 1 << 24).pixels, (300, 300))
        for name in characters
    ]
    frames = []
    for step in range(length):
        frame = np.full((360, 800, 3), (236, 240, 232), np.uint8)
        frame[40:340, 90 - step : 390 - step] = drawn[0]
        frame[30:330, 410 + step : 710 + step] = drawn[1]
        frames.append(frame)
    return frames
