"""Pages out of PDF files: the embedded picture, or the rendered page."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import pikepdf
import pypdfium2
from PIL import Image

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.comic.pages import REST, About, Page, Write, check_count
from icf.harvest.sources.comic.pdf_page import pictures_of
from icf.images.jpeg import read_frame

#: Most pixels of a rendered page; a larger page is rendered at a lower resolution.
MOST_PIXELS = 16_000_000
#: Most bytes of unpacked pixels; above this the page is rendered.
_MOST_PIXEL_BYTES = 48_000_000
_POINTS_AN_INCH = 72
#: Last bytes of a file, in which its end is marked; others may follow the mark.
_TAIL = 1 << 16
_CHANNELS = {"/DeviceRGB": 3, "/CalRGB": 3, "/DeviceGray": 1, "/CalGray": 1}


class Pdf:
    """An open PDF file.

    Args:
        path: of the file.
        max_bytes: of one page's file.
        dpi: pixels per inch of a page that has to be drawn.

    Raises:
        Fault: ``encrypted``, or ``corrupt`` where no page can be found.
    """

    def __init__(self, path: Path, max_bytes: int, dpi: float) -> None:
        self._path, self._max_bytes, self._dpi = path, max_bytes, dpi
        self._drawn: pypdfium2.PdfDocument | None = None
        try:
            self._pdf = pikepdf.open(path, suppress_warnings=True)
            count = len(self._pdf.pages)
        except pikepdf.PasswordError as error:
            raise Fault(FetchStatus.ENCRYPTED, "it asks for a password") from error
        except pikepdf.PdfError as error:
            raise Fault(FetchStatus.CORRUPT, f"it cannot be read: {error}") from error
        check_count(count)
        pages = [Page(str(number)) for number in range(1, count + 1)]
        if self._is_cut():
            text = f"the file has no end; {count} pages were found in what there is"
            pages.append(Page(REST, fate=FetchStatus.CORRUPT, message=text))
        self.pages = tuple(pages)
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

    def _is_cut(self) -> bool:
        """Return whether the end is missing: qpdf leaves out pages that it names."""
        if not self._pdf.get_warnings():
            return False
        with self._path.open("rb") as file:
            file.seek(max(0, self._path.stat().st_size - _TAIL))
            return b"startxref" not in file.read()

    def _bytes(self, index: int) -> bytes:
        placed = pictures_of(self._pdf.pages[index])
        if placed and len(placed) == 1 and placed[0].whole:
            data = _jpeg(placed[0].image) or _lossless(placed[0].image)
            if data is not None:
                return data
        usual = self._dpi / _POINTS_AN_INCH
        scale = max((one.scale for one in placed or ()), default=usual)
        return self._draw(index, scale)

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
    channels = _channels(image)
    if channels is None or "/DecodeParms" in image:
        return None
    data = image.read_raw_bytes()
    frame = read_frame(data) if data[:2] == b"\xff\xd8" else None
    # A page does not turn its picture by EXIF, as a decoder of the file would.
    if frame is None or frame.components != channels or frame.orientation != 1:
        return None
    return data


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
