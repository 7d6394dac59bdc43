"""Detect the format and size of a file from its first bytes and header.

The file name and the Content-Type are ignored: both may be wrong. The pixel count in
the header is checked against a limit before anything is decoded, because of
decompression bombs.
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass

from PIL import Image

from icf.codes import ImageReason
from icf.errors import BadInput
from icf.images import png
from icf.images.ends import ends_early, riff_size
from icf.images.exif import SWAPS_SIDES, orientation
from icf.images.jpeg import find_end, may_be_turned, read_frame

# We report damaged files, and files over Pillow's own limit. `catch_warnings` is not
# safe with threads.
warnings.filterwarnings("ignore", module="PIL")

#: Limit of the pixels in a header: 64 MP.
MAX_PIXELS = 64_000_000
#: Limit of the frames of an animation.
MAX_FRAMES = 10_000
#: No usable face (100 px) fits into less, and hashes of less mean nothing.
MIN_SIDE = 16
#: Longer side over shorter side, from which on a picture that is too small is called a
#: strip. Strips of a usable width are for `filter.max_aspect` to judge.
STRIP = 20

_DECODED = {
    "jpeg": "JPEG",
    "png": "PNG",
    "gif": "GIF",
    "webp": "WEBP",
    "bmp": "BMP",
    "tiff": "TIFF",
    "avif": "AVIF",
}


class Undecodable(BadInput):
    """A file that cannot be decoded; ``reason`` is its code."""

    def __init__(self, reason: ImageReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type[Undecodable], tuple[ImageReason, str]]:
        """Support pickling."""
        return type(self), (self.reason, str(self))


@dataclass(frozen=True)
class Header:
    """A picture's header.

    Attributes:
        format: ``"jpeg"``, ``"png"``, ``"gif"``, ``"webp"``, ``"bmp"``, ``"tiff"``,
            ``"avif"`` or ``"heif"``.
        width: in pixels, as stored: before EXIF rotation.
        height: in pixels, as stored.
    """

    format: str
    width: int
    height: int


def sniff(data: bytes) -> str:
    """Detect the format by signature.

    Raises:
        Undecodable: ``empty``, ``not_image``, or ``unsupported`` for SVG and other
            picture formats that are known and not read.
    """
    if not data:
        raise Undecodable(ImageReason.EMPTY, "zero bytes")
    start = data[:16]
    for signature, name in _SIGNATURES:
        if start.startswith(signature):
            return name
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webp"
    if start[4:8] == b"ftyp":
        return _brand(data[8:_FTYP_READ])
    if start[:2] == b"BM" and data[15:18] == b"\0\0\0":
        return "bmp"  # its header size, under 256; no text begins like this
    if _SVG.match(data[:_TEXT_READ]):
        raise Undecodable(ImageReason.UNSUPPORTED, "SVG is not rasterised")
    if start[:4] == b"\0\0\2\0" and start[4:6] > b"\0\0":
        # Of a TGA, which may begin alike, no colour follows.
        raise Undecodable(ImageReason.UNSUPPORTED, "CUR is not read")
    for signature, name in _NOT_READ:
        if start.startswith(signature):
            raise Undecodable(ImageReason.UNSUPPORTED, f"{name} is not read")
    for signature, name in _OTHERS:
        if start.startswith(signature):
            raise Undecodable(ImageReason.NOT_IMAGE, f"it is {name}")
    raise Undecodable(
        ImageReason.NOT_IMAGE, f"begins with {start!r}, like no known picture format"
    )


_SIGNATURES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
)
#: Text that is SVG: its root may follow a byte order mark and comments.
_SVG = re.compile(
    rb"(\xef\xbb\xbf)?\s*"
    rb"(<\?xml.*?<svg|(<!--((?!-->).)*-->\s*)*(<svg|<!doctype\s+svg))",
    re.IGNORECASE | re.DOTALL,
)
_TEXT_READ = 4096
#: Picture formats that are not read.
_NOT_READ = (
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\1\0", "ICO"),
    (b"MM\0+", "a big-endian BigTIFF"),
)
#: What is no picture, and often lies among pictures.
_OTHERS = (
    (b"%PDF", "a PDF"),
    (b"8BPS", "a file of Photoshop"),
    (b"PK\3\4", "a ZIP archive or an office document"),
    (b"Rar!", "a RAR archive"),
)


def _brand(brands: bytes) -> str:
    """Distinguish AVIF from HEIC by the first brand, or the compatible ones."""
    first = brands[:4]
    if first in _GENERIC_BRANDS:
        return "avif" if b"avif" in brands[8:] or b"avis" in brands[8:] else "heif"
    if first in _AVIF_BRANDS:
        return "avif"
    if first in _HEIF_BRANDS:
        return "heif"
    raise Undecodable(ImageReason.NOT_IMAGE, f"a media file of brand {first!r}")


_FTYP_READ = 64
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis")
_GENERIC_BRANDS = (b"mif1", b"msf1")


def probe(data: bytes, max_pixels: int = MAX_PIXELS) -> Header:
    """Read format and size without decoding.

    Raises:
        Undecodable: ``empty``, ``not_image``, ``unsupported``, ``corrupt``,
            ``truncated`` (the header is cut), ``too_large``, ``too_small`` or
            ``bad_aspect``.
    """
    name = sniff(data)
    if name == "jpeg":
        width, height = _jpeg_size(data)
    elif name == "png":
        width, height = _png_size(data)
    else:
        with opened(data, name) as picture:
            width, height = picture.size
    _check_size(width, height, max_pixels)
    return Header(name, width, height)


def upright_size(data: bytes) -> tuple[int, int]:
    """Return width and height as `icf.images.decode` will give them.

    Raises:
        Undecodable: as for `probe`.
    """
    header = probe(data)
    if _orientation(data, header.format) in SWAPS_SIDES:
        return header.height, header.width
    return header.width, header.height


#: One of these is in every file that is no JPEG and has an EXIF block.
_EXIF_MARKS = (b"Exif", b"eXIf", b"EXIF", b"exif")


def orientation_of(data: bytes | memoryview) -> int:
    """Return the EXIF orientation that `icf.images.decode` undoes; 1: none.

    Most files have no EXIF, which is found out in microseconds.

    Raises:
        Undecodable: as for `probe`.
    """
    if data[:2] == b"\xff\xd8":
        return _orientation(bytes(data), "jpeg") if may_be_turned(data) else 1
    data = bytes(data)
    if not any(mark in data for mark in _EXIF_MARKS):
        return 1
    return _orientation(data, probe(data).format)


def _orientation(data: bytes, name: str) -> int:
    if name == "jpeg":
        frame = read_frame(data)
        return frame.orientation if frame is not None else 1
    with opened(data, name) as picture:
        return orientation(picture.info.get("exif") or b"")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    frame = read_frame(data)
    if frame is None:
        ends = find_end(data) is not None
        reason = ImageReason.CORRUPT if ends else ImageReason.TRUNCATED
        raise Undecodable(reason, "a JPEG without a frame header")
    if not frame.width or not frame.height:
        raise Undecodable(ImageReason.CORRUPT, "a JPEG without pixels")
    return frame.width, frame.height


def _png_size(data: bytes) -> tuple[int, int]:
    size = png.size(data)
    if size is None or not all(size):
        raise Undecodable(ImageReason.CORRUPT, "a PNG without a header")
    return size


def opened(data: bytes, name: str) -> Image.Image:
    """Open with Pillow, which reads the header; its own limit of pixels is not applied.

    Raises:
        Undecodable: ``unsupported`` or ``corrupt``.
    """
    if name == "heif":
        _register_heif()
    kind = _DECODED.get(name, "HEIF")
    if kind not in Image.OPEN:
        Image.init()
    factory, _ = Image.OPEN[kind]
    if name == "png":
        data = png.essential(data)
    file = _webp_of_its_size(data) if name == "webp" else data
    try:
        return factory(io.BytesIO(file), "")
    except Image.DecompressionBombError as error:
        raise Undecodable(ImageReason.TOO_LARGE, str(error)) from error
    except Exception as error:
        # Pillow raises many kinds of exceptions for damaged files.
        reason = reason_of(error, data)
        raise Undecodable(reason, f"{name} header: {error}") from error


def reason_of(error: Exception, data: bytes) -> ImageReason:
    """Classify an exception of Pillow by its message, and by what the file lacks."""
    message = str(error).lower()
    if any(part in message for part in ("truncated", "not enough", "end of")):
        return ImageReason.TRUNCATED
    if any(part in message for part in ("unknown pixel mode", "not supported")):
        return ImageReason.UNSUPPORTED
    return ImageReason.TRUNCATED if ends_early(data) else ImageReason.CORRUPT


def _webp_of_its_size(data: bytes) -> bytes:
    """Return the file with a size that it has: its chunks say what is missing."""
    if riff_size(data) <= len(data):
        return data
    padded = data + bytes(len(data) % 2)
    return padded[:4] + (len(padded) - 8).to_bytes(4, "little") + padded[8:]


def _register_heif() -> None:
    try:
        import pillow_heif  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise Undecodable(
            ImageReason.UNSUPPORTED,
            "HEIC needs the extra `heif`: pip install 'icf-toolkit[heif]'",
        ) from error
    pillow_heif.register_heif_opener()


def _check_size(width: int, height: int, max_pixels: int) -> None:
    size = f"{width} x {height}"
    shorter, longer = sorted((width, height))
    if width * height > max_pixels:
        raise Undecodable(ImageReason.TOO_LARGE, f"{size} is over {max_pixels} pixels")
    if shorter >= MIN_SIDE:
        return
    if longer > STRIP * shorter:
        raise Undecodable(ImageReason.BAD_ASPECT, f"{size} is a strip")
    raise Undecodable(ImageReason.TOO_SMALL, f"{size} is under {MIN_SIDE} pixels")
