"""Operations on a decoded frame: rotate, shrink, measure, encode."""

from __future__ import annotations

import cv2
import numpy as np
import simplejpeg
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from icf.harvest.sources.video.film import Shown

Pixels = NDArray[np.uint8]

#: Longer side, in pixels, at which frames are compared for sharpness.
SHARPNESS_SIDE = 640
#: Width at which cuts are looked for: what PySceneDetect reduces to by itself.
CUT_WIDTH = 256
#: Sides of the thumbnail that is compared to find near-duplicates.
_THUMBNAIL = (32, 18)
#: Standard deviation of grey under which a frame is blank: black with noise has 2 or 3.
_BLANK = 6.0
_QUALITY = 95
#: Unspecified colours of a picture this high are BT.709, of a lower one BT.601.
_HD_HEIGHT = 600
_UNSPECIFIED = 2


def upright(shown: Shown) -> Pixels:
    """Return a frame as it is displayed: RGB, rotated, with square pixels."""
    frame = shown.frame
    width = max(2, round(frame.width * shown.aspect))
    unspecified = frame.colorspace == _UNSPECIFIED
    hd = frame.height >= _HD_HEIGHT
    square = frame.reformat(
        width=width,
        format="rgb24",
        src_colorspace=Colorspace.ITU709 if unspecified and hd else None,
        interpolation="BICUBIC",
    )
    return _rotated(np.asarray(square.to_ndarray(), np.uint8), frame.rotation)


def grey(frame: VideoFrame) -> Pixels:
    """Return a small grey frame for `sharpness`, `is_blank` and `thumbnail`."""
    scale = min(1.0, SHARPNESS_SIDE / max(frame.width, frame.height))
    size = (max(2, round(frame.width * scale)), max(2, round(frame.height * scale)))
    return _plane(frame, size, "gray")


def coloured(frame: VideoFrame) -> Pixels:
    """Return a small BGR frame in which cuts are looked for."""
    width = min(CUT_WIDTH, frame.width)
    height = max(2, round(frame.height * width / frame.width))
    return _plane(frame, (width, height), "bgr24")


def sharpness(small: Pixels) -> float:
    """Variance of the Laplacian of a small grey frame."""
    return float(cv2.Laplacian(small, cv2.CV_32F).var())


def is_blank(small: Pixels) -> bool:
    """Return whether a small grey frame is black, or another flat colour."""
    return float(small.std()) < _BLANK


def thumbnail(small: Pixels) -> Pixels:
    """Reduce a small grey frame until only its composition is left."""
    reduced = cv2.resize(small, _THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)


def encoded(pixels: Pixels, form: str) -> bytes:
    """Return the bytes of a file: always the same for the same pixels.

    Args:
        pixels: RGB.
        form: "jpeg" (quality 95, no colour reduced) or "png".
    """
    if form == "png":
        done, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        assert done
        return data.tobytes()
    jpeg: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality=_QUALITY, colorsubsampling="444"
    )
    return jpeg


def _plane(frame: VideoFrame, size: tuple[int, int], form: str) -> Pixels:
    small = frame.reformat(*size, format=form, interpolation="AREA")
    return np.asarray(small.to_ndarray(), np.uint8)


def _rotated(pixels: Pixels, degrees: int) -> Pixels:
    """Turn a picture counterclockwise, to the nearest quarter."""
    return np.ascontiguousarray(np.rot90(pixels, round(degrees / 90) % 4))
