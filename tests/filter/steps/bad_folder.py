"""A folder as a careless collector leaves it: good drawings, and every bad kind.

The kinds and what becomes of them are those of the decoder's promises; each is made
here, of a drawing that no other file of the folder shows.
"""

from __future__ import annotations

import importlib.util
import io
import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from icf.app.demo.site.truth import Noise, TrueFile, load_truth
from icf.images import decode
from tests.core.pictures import Pixels, drawing, encoded, flipped, png_bomb
from tests.filter.workspaces import read_file, site_files

GOOD = 40
#: Albums in which the bundled detector misses a face now and then.
HARDER = ("Harbour Nine", "Café Étoile")
#: Two files of the same pixels.
TWINS = ("twin.png", "twin saved again.png")
SCRIPT = b"<script>alert(document.cookie)</script>"
SVG = (
    b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'>"
    b"<image href='http://127.0.0.1:9/x.png'/></svg>"
)


@dataclass(frozen=True)
class Odd:
    """A file that is no plain good picture.

    Attributes:
        name: of the file; what it says of the format may be a lie.
        data: its bytes.
        status: the URL's fate where that is the end, otherwise the image's reason.
        columns: what the catalogue has to know of the image.
    """

    name: str
    data: bytes
    status: str
    columns: tuple[tuple[str, object], ...] = ()


def fill(folder: Path) -> tuple[list[str], list[Odd]]:
    """Write the folder; return the names of the good files, and the others."""
    folder.mkdir(parents=True)
    drawings = drawn_faces()
    good = [next(drawings) for _ in range(GOOD)]
    for file in good:
        (folder / file.name).write_bytes(read_file(file))
    odd = [*no_pictures(), *too_much_or_little(drawings), *unusual(drawings)]
    odd += damaged(drawings)
    for each in odd:
        (folder / each.name).write_bytes(each.data)
    pixels = pixels_of(drawings)
    for level, name in enumerate(TWINS, 1):
        data = encoded(pixels, "PNG", compress_level=level)
        (folder / name).write_bytes(data)
    return [file.name for file in good], odd


def drawn_faces() -> Iterator[TrueFile]:
    """Files of the site's flat albums with one large face, each another drawing.

    One of every character, then a second of each, and so on.
    """
    albums = {who.name: who.album for who in load_truth().characters}
    found: defaultdict[str, list[TrueFile]] = defaultdict(list)
    for file in site_files(1000):
        flat = albums[file.filed_under[0]] not in HARDER
        if flat and file.noise is Noise.CLEAN and len(file.faces) == 1:
            x1, y1, x2, y2 = file.faces[0].box
            if min(x2 - x1, y2 - y1) >= 90:
                found[file.filed_under[0]].append(file)
    for turn in itertools.zip_longest(*found.values()):
        yield from filter(None, turn)


def pixels_of(drawings: Iterator[TrueFile]) -> Pixels:
    """The next drawing."""
    return decode(read_file(next(drawings))).pixels


def no_pictures() -> Iterator[Odd]:
    """What shows nothing, or nothing that is read here."""
    page = b"<!doctype html><html><body>404</body></html>"
    yield Odd("empty.jpg", b"", "empty")
    yield Odd("page.jpg", page, "not_image")
    yield Odd("notes.png", b"draw more cats", "not_image")
    yield Odd("vector.svg", SVG, "unsupported")
    blank = np.full((300, 400, 3), 250, np.uint8)
    yield Odd("blank.png", encoded(blank, "PNG"), "degenerate")
    yield Odd("sky.jpg", encoded(drawing(400, 300), "JPEG"), "no_face")


def too_much_or_little(drawings: Iterator[TrueFile]) -> Iterator[Odd]:
    """Pictures of a size that no picture of a face has."""
    yield Odd("144MP.png", png_bomb(12_000), "too_large")
    yield Odd("400MP.png", png_bomb(20_000), "too_large")
    yield Odd("dot.png", encoded(drawing(1, 1), "PNG"), "too_small")
    yield Odd("ruler.png", encoded(drawing(4000, 3), "PNG"), "bad_aspect")
    stamp = cv2.resize(pixels_of(drawings), (60, 60), interpolation=cv2.INTER_AREA)
    yield Odd("stamp.png", encoded(np.asarray(stamp), "PNG"), "too_small")


def damaged(drawings: Iterator[TrueFile]) -> Iterator[Odd]:
    """Files that began as good ones."""
    jpeg = encoded(pixels_of(drawings), "JPEG", quality=90)
    yield Odd("cut.jpg", jpeg[: len(jpeg) // 2], "truncated")
    start = jpeg.index(b"\xff\xda") + 14
    yield Odd("flipped.jpg", flipped(jpeg, start, 12, seed=3), "corrupt")
    png = encoded(pixels_of(drawings), "PNG")
    yield Odd("cut.png", png[: len(png) // 2], "truncated")
    yield Odd("flipped.png", flipped(png, png.index(b"IDAT") + 8, 3), "corrupt")


def unusual(drawings: Iterator[TrueFile]) -> Iterator[Odd]:
    """Pictures that many programs get wrong, and that are kept here."""
    pixels = pixels_of(drawings)
    yield Odd("png.jpg", encoded(pixels, "PNG"), "ok", (("format", "png"),))

    pixels = pixels_of(drawings)
    turned = np.ascontiguousarray(np.rot90(pixels))
    exif = Image.Exif()
    exif[0x0112] = 6
    size = (("width", pixels.shape[1]), ("height", pixels.shape[0]))
    data = encoded(turned, "JPEG", quality=92, exif=exif)
    yield Odd("turned.jpg", data, "ok", size)

    inks = Image.fromarray(pixels_of(drawings)).convert("CMYK")
    yield Odd("cmyk.jpg", encoded(inks, "JPEG", quality=92), "ok")
    grey = np.asarray(Image.fromarray(pixels_of(drawings)).convert("L"))
    yield Odd("deep.png", encoded(grey.astype(np.uint16) * 257, "PNG"), "ok")
    palette = Image.fromarray(pixels_of(drawings)).quantize(64)
    yield Odd("palette.png", encoded(palette, "PNG", transparency=0), "ok")
    yield Odd("alpha.png", encoded(hidden_corner(pixels_of(drawings)), "PNG"), "ok")
    both = Image.fromarray(hidden_corner(pixels_of(drawings))).convert("LA")
    yield Odd("grey alpha.png", encoded(both, "PNG"), "ok")

    tail = encoded(pixels_of(drawings), "JPEG", quality=90) + SCRIPT
    yield Odd("script.jpg", tail, "ok", (("trailing", True), ("frames", 1)))
    for kind in ("GIF", "WEBP", "PNG"):
        first, second = pixels_of(drawings), drawing(200, 100)
        shown = Image.fromarray(first)
        others = [Image.fromarray(np.roll(first, 9 * n, axis=1)) for n in (1, 2)]
        others.append(Image.fromarray(second).resize(shown.size))
        data = encoded(shown, kind, save_all=True, append_images=others)
        yield Odd(f"moving.{kind.lower()}", data, "ok", (("frames", 4),))

    yield Odd("new.avif", encoded(pixels_of(drawings), "AVIF", quality=85), "ok")
    yield heic(pixels_of(drawings))


def hidden_corner(pixels: Pixels) -> Pixels:
    """RGBA whose transparent corner has a colour that nobody may see."""
    alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    alpha[:20, :20] = 0
    return np.concatenate([pixels, alpha], axis=2)


def heic(pixels: Pixels) -> Odd:
    """HEIC, which needs the extra `heif`."""
    if importlib.util.find_spec("pillow_heif") is None:
        data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
        return Odd("photo.heic", data, "unsupported")
    import pillow_heif  # type: ignore[import-not-found,unused-ignore]

    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(stream, quality=90)
    return Odd("phone.heic", stream.getvalue(), "ok", (("format", "heif"),))
