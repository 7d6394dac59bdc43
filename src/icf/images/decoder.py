"""Decode bytes to upright RGB pixels, or raise with a reason code.

simplejpeg decodes JPEG, strictly: it raises where other decoders return garbage for
damaged data. Pillow decodes the other formats.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, TiffImageFile

from icf.codes import ImageReason
from icf.images import png
from icf.images.exif import orientation, upright
from icf.images.header import (
    MAX_FRAMES,
    MAX_PIXELS,
    Undecodable,
    opened,
    probe,
    reason_of,
)
from icf.images.jpeg import Frame, find_end, read_frame
from icf.images.jpeg_mending import mended
from icf.images.measures import is_flat

Pixels = NDArray[np.uint8]

#: Colour behind transparent pixels, whose own colours are ignored.
BACKGROUND = (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: RGB, uint8, shape (height, width, 3), upright, contiguous.
        format: as in `icf.images.Header`.
        frames: number of frames; 1 for a still picture. Only the first is decoded.
        trailing: whether bytes follow the end of a JPEG or PNG, as a script or archive.
    """

    pixels: NDArray[np.uint8]
    format: str
    frames: int = 1
    trailing: bool = False

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])


def decode(
    data: bytes, max_pixels: int = MAX_PIXELS, max_frames: int = MAX_FRAMES
) -> Picture:
    """Decode the first frame of a picture.

    EXIF rotation is applied. Transparency is composed on white, 16 bits are scaled to
    8, CMYK is converted.

    Args:
        data: the whole file.
        max_pixels: limit of width x height in the header.
        max_frames: limit of the frames of an animation.

    Raises:
        Undecodable: with one of the codes of `icf.codes.ImageReason`.
    """
    return _decode(data, max_pixels, max_frames, least_side=0)


def reduced(
    data: bytes,
    least_side: int,
    max_pixels: int = MAX_PIXELS,
    max_frames: int = MAX_FRAMES,
) -> Picture:
    """Decode at reduced size, for a hash or a small copy.

    Like `decode`, but a JPEG is scaled in its DCT by up to 8, which is much faster.
    Damage is detected as by `decode`.

    Args:
        data: the whole file.
        least_side: least size of both sides, unless the picture is smaller.
        max_pixels: limit of width x height in the header.
        max_frames: limit of the frames of an animation.

    Raises:
        Undecodable: with one of the codes of `icf.codes.ImageReason`.
    """
    return _decode(data, max_pixels, max_frames, least_side)


def encode_jpeg(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode pixels as a JPEG without any metadata."""
    encoded = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality=quality, colorspace="RGB"
    )
    return bytes(encoded)


def decode_own_jpeg(jpeg: bytes | memoryview) -> Pixels:
    """Decode what `encode_jpeg` wrote, and nothing else wrote to since.

    It is many times as fast as `decode`, which expects anything.

    Returns:
        RGB, uint8, shape (height, width, 3).

    Raises:
        ValueError: it is damaged.
    """
    pixels = simplejpeg.decode_jpeg(jpeg, "RGB", strict=True)
    return np.asarray(pixels, np.uint8)


def jpeg_url(jpeg: bytes) -> str:
    """Return a JPEG as a ``data:`` URL, for a page that needs no other file.

    >>> jpeg_url(b"abc")
    'data:image/jpeg;base64,YWJj'
    """
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def _decode(data: bytes, max_pixels: int, max_frames: int, least_side: int) -> Picture:
    header = probe(data, max_pixels)
    if header.format == "jpeg":
        picture = _decode_jpeg(data, least_side)
    else:
        picture = _decode_other(data, header.format, max_frames)
    if is_flat(picture.pixels):
        raise Undecodable(ImageReason.DEGENERATE, "the picture is one flat colour")
    return picture


def _decode_jpeg(data: bytes, least_side: int) -> Picture:
    frame, end = read_frame(data), find_end(data)
    assert frame is not None, "probe has read it"
    try:
        pixels = _read_jpeg(data, frame, least_side)
    except ValueError as error:
        whole = mended(
            data, str(error), lambda file, side: _read_jpeg(file, frame, side)
        )
        if whole is None:
            # Damage can hide the end marker from a scan from the beginning.
            ends = end is not None or data.endswith(b"\xff\xd9")
            reason = _jpeg_reason(str(error), ends=ends)
            raise Undecodable(reason, f"JPEG: {error}") from error
        pixels = _read_jpeg(whole, frame, least_side)
    if frame.components == 4:
        pixels = _from_inverted_cmyk(pixels)
    turned = upright(pixels, frame.orientation)
    return Picture(turned, "jpeg", trailing=_trails(data, end))


def _read_jpeg(data: bytes, frame: Frame, least_side: int) -> NDArray[np.uint8]:
    """Decode strictly, at the smallest of libjpeg's scales that is large enough.

    A lossless JPEG has no scales: asked for one, libjpeg writes beyond the pixels'
    memory. Nor are its colours converted.
    """
    colours = "CMYK" if frame.components == 4 else "RGB"
    if frame.lossless:
        least_side = 0
        colours = "GRAY" if frame.components == 1 else colours
    pixels = simplejpeg.decode_jpeg(
        data, colours, min_height=least_side, min_width=least_side, strict=True
    )
    if colours == "GRAY":
        pixels = np.repeat(pixels, 3, axis=2)
    return np.asarray(pixels, np.uint8)


def _jpeg_reason(message: str, *, ends: bool) -> ImageReason:
    """Classify a message of libjpeg-turbo; ``ends``: the file has an end marker."""
    if message.startswith(("Corrupt", "Unsupported marker")):
        return ImageReason.CORRUPT
    if not ends:
        return ImageReason.TRUNCATED
    exotic = "subsampling" in message or message.startswith("Unsupported JPEG")
    return ImageReason.UNSUPPORTED if exotic else ImageReason.CORRUPT


def _from_inverted_cmyk(inks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert inverted CMYK to RGB: in JPEG files 255 means no ink, as by Adobe."""
    light = inks.astype(np.uint16)
    return (light[..., :3] * light[..., 3:] // 255).astype(np.uint8)


def _decode_other(data: bytes, name: str, max_frames: int) -> Picture:
    with opened(data, name) as picture:
        try:
            frames = int(getattr(picture, "n_frames", 1))
            if frames > max_frames:
                raise Undecodable(
                    ImageReason.TOO_LARGE, f"{frames} frames are over {max_frames}"
                )
            picture.seek(0)
            covered = _covered(picture)
            picture.load()
            if name == "png":
                _scale_hidden_grey(picture, png.grey_depth(data))
            pixels = np.array(_rgb(picture))
            if covered is not None:
                _clear_outside(pixels, covered)
            exif = picture.info.get("exif") or b""
        except (Undecodable, MemoryError):
            raise
        except Exception as error:
            # Pillow raises many kinds of exceptions for damaged files.
            reason = reason_of(error, data)
            raise Undecodable(reason, f"{name}: {error}") from error
    end = png.find_end(data) if name == "png" else None
    turned = upright(pixels, orientation(exif))
    return Picture(turned, name, frames, _trails(data, end))


def _covered(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """Return where the first frame of a GIF is: left, upper, right, lower."""
    if not isinstance(picture, GifImageFile) or not picture.tile:
        return None
    return picture.tile[0].extents


def _clear_outside(pixels: Pixels, covered: tuple[int, int, int, int]) -> None:
    """Put the background where a GIF's frame is not; Pillow puts a colour there."""
    left, upper, right, lower = covered
    pixels[:upper] = pixels[lower:] = BACKGROUND
    pixels[:, :left] = pixels[:, right:] = BACKGROUND


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _from_deep_grey(picture).convert("RGB")
    if picture.has_transparency_data and not _is_unused_alpha(picture):
        picture = picture.convert("RGBA")
        canvas = Image.new("RGB", picture.size, BACKGROUND)
        canvas.paste(picture, mask=picture.getchannel("A"))
        return canvas
    return picture.convert("RGB")


def _scale_hidden_grey(picture: Image.Image, depth: int | None) -> None:
    """Scale the hidden value as Pillow has scaled the grey values, of 2 or 4 bits."""
    hidden = picture.info.get("transparency")
    if depth in (2, 4) and isinstance(hidden, int):
        picture.info["transparency"] = hidden * 255 // ((1 << depth) - 1)


def _is_unused_alpha(picture: Image.Image) -> bool:
    """Return whether a BMP has an alpha channel that its writer left empty."""
    is_bmp = picture.format == "BMP" and picture.mode == "RGBA"
    return is_bmp and picture.getchannel("A").getbbox() is None


def _from_deep_grey(picture: Image.Image) -> Image.Image:
    """Scale grey of 16 bits, or of 0 to 1, to 8 bits; its hidden value becomes white.

    So do values that are no numbers. Plain conversion would clip it to white, or to
    black.
    """
    values = np.array(picture, np.float64)
    hidden = ~np.isfinite(values)
    values[hidden] = 0.0
    if isinstance(transparent := picture.info.get("transparency"), int):
        hidden |= values == transparent
    most = float(values.max(initial=0))
    if picture.mode != "F" or most > 255:
        scaled = values / 257
    else:
        scaled = values * 255 if most <= 1 else values
    if _has_white_as_zero(picture):
        scaled = 255 - scaled
    scaled[hidden] = BACKGROUND[0]
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def _has_white_as_zero(picture: Image.Image) -> bool:
    """Return whether a TIFF of 16 bits has inverted greys, which Pillow leaves so."""
    if not isinstance(picture, TiffImageFile) or picture.mode == "F":
        return False
    return bool(picture.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0)


def _trails(data: bytes, end: int | None) -> bool:
    """Return whether anything but padding follows the end of the picture."""
    return end is not None and bool(data[end:].strip(b"\0\r\n "))
