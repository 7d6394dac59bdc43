"""Bytes to upright RGB pixels, or a reason why not.

simplejpeg reads JPEG, strictly: where other decoders return garbage for flipped bits,
it says so. Pillow reads the rest.
"""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageOps

from icf.codes import ImageReason
from icf.images.header import MAX_FRAMES, MAX_PIXELS, Undecodable, opened, probe
from icf.measures import is_flat

#: What shows through transparent pixels. Hidden colours under them never appear.
BACKGROUND = (255, 255, 255)

_ORIENTATION = 0x0112


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: RGB, uint8, shape (height, width, 3), upright, contiguous.
        format: as in `icf.images.Header`.
        frames: of an animation; 1 for a still. Only the first is decoded.
        trailing: whether bytes follow the picture's end: a script, an archive.
    """

    pixels: NDArray[np.uint8]
    format: str
    frames: int = 1
    trailing: bool = False

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.pixels.shape[0])


def decode(
    data: bytes, max_pixels: int = MAX_PIXELS, max_frames: int = MAX_FRAMES
) -> Picture:
    """Decode the first frame of a picture.

    EXIF rotation is applied, once. Transparency is laid on white, 16 bits are scaled to
    8, CMYK is converted.

    Args:
        data: the whole file.
        max_pixels: width x height that the header may promise.
        max_frames: frames an animation may have.

    Raises:
        Undecodable: with one of the codes of `icf.codes.ImageReason`.
    """
    header = probe(data, max_pixels)
    if header.format == "jpeg":
        picture = _decode_jpeg(data)
    else:
        picture = _decode_other(data, header.format, max_frames)
    if is_flat(picture.pixels):
        raise Undecodable(ImageReason.DEGENERATE, "the picture is one flat colour")
    return picture


def for_people(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode pixels as a fresh JPEG, which carries nothing else along to people."""
    encoded = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality=quality, colorspace="RGB"
    )
    return bytes(encoded)


def _decode_jpeg(data: bytes) -> Picture:
    end = data.rfind(b"\xff\xd9")
    try:
        *_, space, _ = simplejpeg.decode_jpeg_header(data, strict=False)
        if space in ("CMYK", "YCCK"):
            return _decode_other(data, "jpeg", 1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pixels = simplejpeg.decode_jpeg(data, colorspace="RGB")
    except (ValueError, Warning) as error:
        premature = "premature end" in str(error).lower() or end < 0
        reason = ImageReason.TRUNCATED if premature else ImageReason.CORRUPT
        raise Undecodable(reason, f"JPEG: {error}") from error
    upright = _upright(pixels, _orientation(data))
    return Picture(upright, "jpeg", trailing=_trails(data, end + 2))


def _orientation(data: bytes) -> int:
    """The EXIF orientation, 1 to 8; parsed only where there is an EXIF block."""
    if b"Exif\0\0" not in data[:65536]:
        return 1
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            return int(picture.getexif().get(_ORIENTATION, 1))
    except (OSError, SyntaxError, ValueError, struct.error):
        return 1


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation (Exif 2.3, table 6)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _decode_other(data: bytes, name: str, max_frames: int) -> Picture:
    with opened(data, name) as picture, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            frames = int(getattr(picture, "n_frames", 1))
            if frames > max_frames:
                raise Undecodable(
                    ImageReason.TOO_LARGE, f"{frames} frames are over {max_frames}"
                )
            picture.seek(0)
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            pixels = np.array(_rgb(upright))
        except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
            words = str(error).lower()
            cut = "truncated" in words or "not enough" in words or "end of" in words
            reason = ImageReason.TRUNCATED if cut else ImageReason.CORRUPT
            raise Undecodable(reason, f"{name}: {error}") from error
    end = data.rfind(b"IEND") + 8 if name == "png" else len(data)
    if name == "jpeg":
        end = data.rfind(b"\xff\xd9") + 2
    return Picture(pixels, name, frames, _trails(data, end))


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _from_deep_grey(picture).convert("RGB")
    if picture.mode in ("LA", "La", "RGBa", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode == "RGBA":
        canvas = Image.new("RGB", picture.size, BACKGROUND)
        canvas.paste(picture, mask=picture.getchannel("A"))
        return canvas
    return picture.convert("RGB")


def _from_deep_grey(picture: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits; plain conversion would clip it to white."""
    values = np.asarray(picture, np.float64)
    deep = picture.mode != "F" or values.max(initial=0) > 255
    scaled = values / 257 if deep else values
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def _trails(data: bytes, end: int) -> bool:
    """Tell whether anything but padding follows the picture's end."""
    return bool(data[end:].strip(b"\0\r\n "))
