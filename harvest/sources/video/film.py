"""Open a video and decode its frames with their timestamps."""

from __future__ import annotations

import contextlib
import functools
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.video.clock import Clock, is_irregular
from icf.harvest.sources.video.ends import is_joined, is_whole

#: Kinds of file that are opened. Playlists are not among them: they name other files,
#: on this machine or elsewhere.
DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,asf,asf_o,ogg,mpegts,mpeg,"
    "mpegvideo,mxf,nut,ivf,rm,h264,hevc,av1,obu,m4v,gif,apng,dv,y4m,yuv4mpegpipe,wtv"
)
#: Seconds; less than the distance of two frames, more than the rounding of a URL.
SAME_TIME = 2e-6
#: Seconds that the frames of an undamaged video may end before it does.
_SLACK = 1.0
#: The same where fewer bytes are there than the container announces.
_SLACK_OF_CUT = 0.1
#: The same where only the length of the whole file is known, and sound may be longer.
_SLACK_WITH_SOUND = 10.0
#: Seconds to go back further if a seek ends after its target.
_FURTHER_BACK = (0.0, 2.0, 15.0, math.inf)
#: Seconds before times begin again in which damage is of the joint.
_JOINT = 1.0
#: Demuxers that promise no end: they look for the last time in what there is.
_NO_PROMISE = ("mpegts", "mpeg")
#: Codecs whose frames are not shown in the order of their times in AVI, which has one
#: time a packet.
_REORDERED_IN_AVI = ("h264", "hevc")
#: FFmpeg's AVDISCARD_NONKEY and AVDISCARD_ALL.
_NOT_KEYS, _ALL = 32, 48
#: Titles that are no UTF-8 are no reason to refuse a video. From PyAV 19 on they are
#: read as they are.
_LENIENT: Any = (
    {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
)
#: What packets carry that are under Common Encryption (ISO/IEC 23001-7).
_ENCRYPTED: Final = "encryption_info"
#: Most that the sides of a pixel differ; DVDs have 8:9 to 64:45.
_LONGEST_PIXEL = 8.0
#: What files begin with that are videos, damaged or not: offset and bytes.
_SIGNATURES = (
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (0, b"\x1aE\xdf\xa3"),
    (0, b"FLV\x01"),
    (0, b"OggS"),
    (8, b"AVI "),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    (0, b"\x00\x00\x01\xba"),
)


@dataclass(frozen=True)
class Shown:
    """A decoded frame.

    Attributes:
        seconds: when it is shown, from the start of the video.
        frame: as it is stored: neither rotated nor of square pixels.
        aspect: width of one of its pixels over its height.
    """

    seconds: float
    frame: VideoFrame
    aspect: float = 1.0


class Film:
    """An opened video; close it, or use it in a ``with``.

    Attributes:
        damaged_at: time from which on something could not be decoded, if anything.
        shown_none: no frame was decoded so far.

    Raises:
        Fault: ``empty`` for zero bytes, ``not_image`` for what is not a video,
            ``corrupt`` for one that cannot be opened, ``unsupported`` for one that
            cannot be decoded here or has sound alone.
    """

    def __init__(self, path: Path) -> None:
        self.damaged_at: float | None = None
        self.shown_none = True
        self._container = _open(path)
        try:
            self._stream = self._picture_stream()
        except Fault:
            self._container.close()
            raise
        self._aspect = _aspect(self._stream)
        start = self._container.start_time
        self._begins = max(0.0, start / av.time_base) if start is not None else 0.0
        self._last = self._end = 0.0
        self._path = path
        codec = self._stream.codec_context.name
        is_avi = self._container.format.name == "avi"
        self._by_packet = is_avi and codec in _REORDERED_IN_AVI
        self._clock: Clock | None = None
        if _is_irregular(path, _version(path), self._stream.index):
            rate = self._stream.guessed_rate
            self._clock = Clock(float(rate) if rate else None)

    def __enter__(self) -> Film:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._container.close()

    @property
    def seconds(self) -> float | None:
        """Duration of the pictures by the metadata; None if it is not stated."""
        stream, container = self._stream, self._container
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        if container.duration is not None:
            return container.duration / av.time_base
        return None

    def frames(self, start: float = 0.0, *, keys_only: bool = False) -> Iterator[Shown]:
        """Yield the frames from a time on, in the order in which they are shown.

        What cannot be decoded is skipped and noted in `damaged_at`.

        Args:
            start: seconds; the frame that begins then is the first.
            keys_only: keyframes only; the others are not read, if the container
                marks keyframes.

        Raises:
            Fault: ``encrypted``.
        """
        if keys_only:
            self._stream.codec_context.skip_frame = "NONKEY"
            _discard(self._stream, _NOT_KEYS)
        else:
            self._stream.codec_context.thread_type = "AUTO"
        self._last = start
        for shown in self._from(start, keys_only):
            if shown.seconds >= start - SAME_TIME:
                self._last = shown.seconds
                self.shown_none = False
                yield shown
        if not keys_only:
            self._note_a_missing_end()

    def _from(self, start: float, keys_only: bool) -> Iterator[Shown]:
        """Yield the frames from one at or before ``start`` on."""
        if start <= 0 or self._clock is not None:
            yield from self._decoded(keys_only)
            return
        for further in _FURTHER_BACK:
            target = start - further
            self._seek(max(target, 0.0))
            frames = self._decoded(keys_only)
            first = next(frames, None)
            arrived = first is not None and first.seconds <= start + SAME_TIME
            if first is not None and (arrived or target <= 0):
                yield first
                yield from frames
                return

    def _seek(self, seconds: float) -> None:
        base = self._stream.time_base
        assert base is not None
        offset = math.floor((seconds + self._begins + SAME_TIME) / base)
        self.damaged_at = None
        try:
            self._container.seek(offset, stream=self._stream)
        except av.error.FFmpegError:
            with contextlib.suppress(av.error.FFmpegError):
                self._container.seek(0)

    def _decoded(self, keys_only: bool) -> Iterator[Shown]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                self._note_damage()
                return
            if packet.has_sidedata(_ENCRYPTED):
                raise Fault(FetchStatus.ENCRYPTED, "its pictures are encrypted")
            if packet.is_corrupt:
                self._note_damage()
            if keys_only and packet.size and not packet.is_keyframe:
                continue
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self._note_damage()
                continue
            for frame in frames:
                assert isinstance(frame, VideoFrame)
                seconds = self._shown_at(frame)
                if frame.is_corrupt or seconds is None:
                    self._note_damage()
                else:
                    self._end = max(self._end, seconds + _length(frame))
                    yield Shown(seconds, frame, self._aspect)

    def _shown_at(self, frame: VideoFrame) -> float | None:
        """Return when a frame is shown; None if nobody says so."""
        stamp = frame.dts if self._by_packet else frame.pts
        if stamp is None and self._by_packet:  # the last frames
            return self._end
        if stamp is None or frame.time_base is None:
            return None if self._clock is None else self._clock.of(None)
        seconds = max(0.0, float(stamp * frame.time_base) - self._begins)
        if self._clock is None:
            return seconds
        shown = self._clock.of(seconds)
        if self._clock.began_again and shown - (self.damaged_at or 0.0) < _JOINT:
            # Where two recordings were joined, the end of the first looks damaged.
            self.damaged_at = None
        return shown

    def _note_damage(self) -> None:
        if self.damaged_at is None:
            self.damaged_at = self._last

    def _note_a_missing_end(self) -> None:
        promised = self.seconds
        if promised is None or self._clock is not None:
            return
        if self._container.format.name in _NO_PROMISE:
            return
        stream = self._stream
        alone = stream.duration is not None or len(self._container.streams) == 1
        if stream.duration is not None and stream.time_base is not None:
            late = float((stream.start_time or 0) * stream.time_base) - self._begins
            promised += max(0.0, late)
        missing = promised - max(self._end, self._last)
        slack = _SLACK if alone else _SLACK_WITH_SOUND
        whole = is_whole(self._path) if missing > _SLACK_OF_CUT else True
        if whole is False or (whole is None and missing > slack):
            self._note_damage()

    def _picture_stream(self) -> VideoStream:
        streams = [s for s in self._container.streams.video if not _is_cover(s)]
        if not streams:
            raise Fault(FetchStatus.UNSUPPORTED, "it has no pictures")
        known = [stream for stream in streams if stream.codec_context is not None]
        if not known:
            raise Fault(
                FetchStatus.UNSUPPORTED, "no decoder for its pictures is installed"
            )
        stream = max(known, key=lambda one: one.width * one.height)
        for other in self._container.streams:
            if other is not stream:
                _discard(other, _ALL)
        return stream


@functools.lru_cache
def _is_irregular(path: Path, version: tuple[int, int], index: int) -> bool:
    """Return whether a file's times have to be counted; ``version``: of its bytes."""
    with _open(path) as container:
        if is_joined(path):
            return True
        try:
            return is_irregular(container, index)
        except av.error.FFmpegError:
            return False  # damage: the frames before it have their times


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _length(frame: VideoFrame) -> float:
    """Return for how long a frame is shown, in seconds; 0 if its file does not say."""
    base = frame.time_base
    duration = getattr(frame, "duration", 0) or 0
    return float(duration * base) if base is not None else 0.0


def _aspect(stream: VideoStream) -> float:
    """Return the width of a pixel over its height; 1 where none can be meant."""
    stated = float(stream.sample_aspect_ratio or 1)
    return stated if 1 / _LONGEST_PIXEL <= stated <= _LONGEST_PIXEL else 1.0


def _discard(stream: Any, which: int) -> None:
    """Have the demuxer skip packets; not every version of PyAV supports it."""
    if hasattr(stream, "discard"):
        stream.discard = which


def _open(path: Path) -> InputContainer:
    try:
        with path.open("rb") as file:
            head = file.read(16)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise Fault(FetchStatus.NOT_FOUND, "the file no longer exists") from error
    except OSError as error:
        raise Fault(FetchStatus.UNREACHABLE, str(error.strerror)) from error
    if size == 0:
        raise Fault(FetchStatus.EMPTY, "zero bytes")
    limits = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}
    try:
        opened: InputContainer = av.open(f"file:{path}", options=limits, **_LENIENT)
    except (av.error.FFmpegError, ValueError) as error:
        if any(head[at : at + len(mark)] == mark for at, mark in _SIGNATURES):
            ends = isinstance(error, av.error.EOFError)
            raise Fault(
                FetchStatus.EMPTY if ends else FetchStatus.CORRUPT,
                f"a video that cannot be opened: {_said(error)}",
            ) from error
        raise Fault(FetchStatus.NOT_IMAGE, f"not a video: {_said(error)}") from error
    return opened


def _said(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _is_cover(stream: VideoStream) -> bool:
    """Return whether a stream is cover art, not a video."""
    return bool(stream.disposition & Disposition.attached_pic)
