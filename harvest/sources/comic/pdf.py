"""Pages out of PDF files: the embedded picture, or the rendered page."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pikepdf
import pypdfium2
from PIL import Image

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.comic.pages import About, Page, Write, check_count

#: Most pixels of a rendered page; a larger page is rendered at a lower resolution.
MOST_PIXELS = 16_000_000
#: Most bytes of unpacked pixels; above this the page is rendered.
_MOST_PIXEL_BYTES = 48_000_000
_POINTS_AN_INCH = 72
#: Most compressed bytes of the content stream of a page that is one picture.
_LONGEST_CONTENT = 4096
#: Operators that may occur on a page that is one picture.
_HARMLESS = frozenset(
    {"q", "Q", "cm", "Do", "re", "W", "W*", "n", "BMC", "BDC", "EMC", "MP", "DP"}
)
_CHANNELS = {"/DeviceRGB": 3, "/CalRGB": 3, "/DeviceGray": 1, "/CalGray": 1}


@dataclass(frozen=True)
class _Placed:
    """The one picture of a page.

    Attributes:
        scale: its pixels per point of the page.
        upright: neither turned nor mirrored.
    """

    image: pikepdf.Stream
    scale: float
    upright: bool


class Pdf:
    """An open PDF file.

    Args:
        path: of the file.
        max_bytes: of one page's file.
        dpi: pixels per inch of a page that has to be drawn.
        raw: extract the picture of a page that is one; False renders every page.

    Raises:
        Fault: ``encrypted``, or ``corrupt`` where no page can be found.
    """

    def __init__(
        self, path: Path, max_bytes: int, dpi: float, *, raw: bool = True
    ) -> None:
        self._path, self._max_bytes, self._dpi, self._raw = path, max_bytes, dpi, raw
        self._drawn: pypdfium2.PdfDocument | None = None
        try:
            self._pdf = pikepdf.open(path, suppress_warnings=True)
            count = len(self._pdf.pages)
        except pikepdf.PasswordError as error:
            raise Fault(FetchStatus.ENCRYPTED, "it asks for a password") from error
        except pikepdf.PdfError as error:
            raise Fault(FetchStatus.CORRUPT, f"it cannot be read: {error}") from error
        check_count(count)
        self.pages = tuple(Page(str(number)) for number in range(1, count + 1))
        self.passed_over = 0
        self.about = About(None, self._author())

    def read(self, page: Page, write: Write) -> None:
        """Write the bytes of a page; see `icf.harvest.sources.comic.pages.Book`."""
        data = self._bytes(int(page.id) - 1)
        if len(data) > self._max_bytes:
            text = f"{len(data)} bytes; the cap is {self._max_bytes}"
            raise Fault(FetchStatus.TOO_LARGE, text)
        write(data)

    def close(self) -> None:
        """Close the file."""
        self._pdf.close()
        if self._drawn is not None:
            self._drawn.close()

    def _bytes(self, index: int) -> bytes:
        placed = self._only_picture(index) if self._raw else None
        if placed is not None and placed.upright:
            data = _jpeg(placed.image) or _lossless(placed.image)
            if data is not None:
                return data
        scale = placed.scale if placed is not None else self._dpi / _POINTS_AN_INCH
        return self._draw(index, scale)

    def _only_picture(self, index: int) -> _Placed | None:
        """Return the page's picture, where the page shows nothing else."""
        try:
            page = self._pdf.pages[index]
            objects = page.obj.get("/Resources") or page.resources
            names: Any = objects.get("/XObject", {})
            if len(names) != 1 or page.obj.get("/Annots") or _is_long(page.obj):
                return None
            matrix: Sequence[float] = (1.0, 0.0, 0.0, 1.0)
            shown: Any = None
            for instruction in pikepdf.parse_content_stream(page):
                word, operands = str(instruction.operator), instruction.operands
                if word not in _HARMLESS:
                    return None
                if word == "cm" and shown is None:
                    matrix = _times(
                        [float(one) for one in cast(Any, operands)[:4]], matrix
                    )
                elif word == "Do":
                    if shown is not None:
                        return None
                    shown = names[str(operands[0])]
            if shown is None or shown.get("/Subtype") != "/Image":
                return None
            a, b, c, d = matrix
            straight = a > 0 and d > 0 and abs(b) < 1e-6 and abs(c) < 1e-6
            width = max((a * a + b * b) ** 0.5, 1e-3)
            turned = int(page.obj.get("/Rotate", 0)) % 360 != 0
            return _Placed(shown, int(shown.Width) / width, straight and not turned)
        except (pikepdf.PdfError, AttributeError, KeyError, TypeError, ValueError):
            return None  # unusual: render the page

    def _draw(self, index: int, scale: float) -> bytes:
        try:
            if self._drawn is None:
                self._drawn = pypdfium2.PdfDocument(self._path)
            page = self._drawn[index]
            width, height = page.get_size()
            if width <= 0 or height <= 0:
                raise Fault(FetchStatus.CORRUPT, f"page {index + 1} has no size")
            most = (MOST_PIXELS / (width * height)) ** 0.5
            bitmap = page.render(scale=min(scale, most), rev_byteorder=True)
            picture = bitmap.to_pil()
            page.close()
        except pypdfium2.PdfiumError as error:
            text = f"page {index + 1} cannot be drawn: {error}"
            raise Fault(FetchStatus.CORRUPT, text) from error
        return _png(picture.convert("RGB"))

    def _author(self) -> str | None:
        try:
            return str(self._pdf.docinfo.get("/Author", "")).strip() or None
        except (pikepdf.PdfError, AttributeError, TypeError, ValueError):
            return None


def _is_long(page: pikepdf.Object) -> bool:
    """Return whether the content stream is too long for a single picture."""
    contents: Any = page.get("/Contents", [])
    parts = contents if isinstance(contents, pikepdf.Array) else [contents]
    return sum(len(part.read_raw_bytes()) for part in parts) > _LONGEST_CONTENT


def _times(left: Sequence[float], right: Sequence[float]) -> Sequence[float]:
    a, b, c, d = left
    e, f, g, h = right
    return a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h


def _filters(image: pikepdf.Stream) -> list[str]:
    found = image.get("/Filter")
    if found is None:
        return []
    return (
        [str(one) for one in found]
        if isinstance(found, pikepdf.Array)
        else [str(found)]
    )


def _is_plain(image: pikepdf.Stream) -> bool:
    """Return whether the page shows its pixels unchanged: no mask, no inversion."""
    odd = ("/SMask", "/Mask", "/Decode", "/ImageMask", "/SMaskInData")
    return not any(name in image for name in odd)


def _channels(image: pikepdf.Stream) -> int | None:
    """Return 1 or 3 for colour spaces that all decoders read alike; else None."""
    space = image.get("/ColorSpace")
    if isinstance(space, pikepdf.Array) and len(space) == 2:
        kind = str(space[0])
        if kind == "/ICCBased":
            count = int(space[1].get("/N", 0))
            return count if count in (1, 3) else None
        return _CHANNELS.get(kind)
    return _CHANNELS.get(str(space))


def _jpeg(image: pikepdf.Stream) -> bytes | None:
    """Return the embedded file, if it is a JPEG."""
    if _filters(image) != ["/DCTDecode"] or not _is_plain(image):
        return None
    if _channels(image) is None or "/DecodeParms" in image:
        return None
    data = image.read_raw_bytes()
    return data if data[:2] == b"\xff\xd8" else None


def _lossless(image: pikepdf.Stream) -> bytes | None:
    """Return its pixels as PNG, if they were stored without loss."""
    if _filters(image) != ["/FlateDecode"] or not _is_plain(image):
        return None
    channels, depth = _channels(image), int(image.get("/BitsPerComponent", 0))
    width, height = int(image.Width), int(image.Height)
    if channels is None or depth != 8 or width < 1 or height < 1:
        return None
    size = width * height * channels
    if size > _MOST_PIXEL_BYTES or not _unpacks_to(image, size + height):
        return None
    pixels = image.read_bytes()
    if len(pixels) < size:
        raise Fault(FetchStatus.CORRUPT, f"{len(pixels)} bytes of pixels, not {size}")
    mode = "RGB" if channels == 3 else "L"
    return _png(Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1))


def _unpacks_to(image: pikepdf.Stream, most: int) -> bool:
    """Return whether a compressed stream is no longer than its picture needs."""
    stream = zlib.decompressobj()
    left, size = image.read_raw_bytes(), 0
    try:
        while left and not stream.eof:
            size += len(stream.decompress(left, 1 << 20))
            left = stream.unconsumed_tail
            if size > most:
                raise Fault(
                    FetchStatus.TOO_LARGE, f"its pixels are more than {most} bytes"
                )
    except zlib.error as error:
        raise Fault(FetchStatus.CORRUPT, f"its pixels are damaged: {error}") from error
    return True


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()
