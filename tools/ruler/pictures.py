"""From a file of an unpacked package to a picture."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from icf.errors import BadInput
from icf.tools.ruler import puzzles, qt_resources
from icf.tools.ruler.manifest import View

Pixels = NDArray[np.uint8]

#: Between an archive and its member in the name of a file.
INSIDE = "!"


def content(root: Path, file: str) -> bytes:
    """Read a file, or the member of an archive.

    Archives are Qt's resource files (``.rcc``) and Iconify's sets of icons (``.json``).
    The member ``….qml`` of a resource file is a puzzle, which is put together;
    screens of the game Drascula (``.ALG``) get a header.

    Args:
        root: folder of the unpacked package.
        file: as `manifest.Drawing.file`.

    Raises:
        BadInput: it is not there.
    """
    archive, inside, member = file.partition(INSIDE)
    if not inside:
        try:
            packed = (root / file).read_bytes()
        except OSError as error:
            raise BadInput(f"cannot read {root / file}: {error}") from error
        return with_header(packed) if file.endswith(".ALG") else packed
    files = members(root / archive)
    if member not in files:
        raise BadInput(f"{root / archive} has no {member}")
    if member.endswith(".qml"):
        return puzzles.put_together(files, member)
    return files[member]


def with_header(packed: bytes) -> bytes:
    """Give a screen of the game Drascula its header: PCX, 320 x 200, a byte a pixel.

    Its ``.ALG`` files have zeros where the 128 bytes of the header should be.
    """
    header = struct.pack("<4B6H", 10, 5, 1, 8, 0, 0, 319, 199, 320, 200)
    planes = struct.pack("<2BH", 0, 1, 320)
    return header + bytes(48) + planes + bytes(60) + packed[128:]


@lru_cache(maxsize=8)
def members(archive: Path) -> Mapping[str, bytes]:
    """Return the files in an archive, by name.

    Raises:
        BadInput: it is not there, or not an archive of a known kind.
    """
    try:
        packed = archive.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {archive}: {error}") from error
    if archive.suffix == ".rcc":
        return qt_resources.members(packed)
    return _icons(json.loads(packed))


def _icons(listed: Mapping[str, Mapping[str, Mapping[str, str]]]) -> dict[str, bytes]:
    width, height = listed.get("width", 16), listed.get("height", 16)
    return {
        name: (
            '<svg xmlns="http://www.w3.org/2000/svg" color="#000000" '
            f'viewBox="0 0 {icon.get("width", width)} {icon.get("height", height)}">'
            f"{icon['body']}</svg>"
        ).encode()
        for name, icon in listed["icons"].items()
    }


def drawn(packed: bytes, view: View) -> Pixels:
    """Draw a file as the ruler shows it.

    Args:
        packed: a picture as Pillow reads it, or SVG, which may be gzipped.
        view: how.

    Returns:
        RGB, uint8, shape (height, width, 3).

    Raises:
        BadInput: it is no picture.
    """
    picture = _opened(packed, view.raster)
    if view.cut:
        picture = picture.crop(view.cut)
    ground = Image.new("RGBA", picture.size, view.ground)
    picture = Image.alpha_composite(ground, picture).convert("RGB")
    if view.longer:
        rate = view.longer / max(picture.size)
        width, height = (max(1, round(side * rate)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(picture, np.uint8)


def _opened(packed: bytes, raster: int | None) -> Image.Image:
    try:
        if packed[:2] == b"\x1f\x8b":
            packed = gzip.decompress(packed)
        if raster:
            packed = _rasterised(packed, raster)
        return Image.open(io.BytesIO(packed)).convert("RGBA")
    except (OSError, ValueError, EOFError, UnidentifiedImageError) as error:
        raise BadInput(f"not a picture: {error}") from error


@lru_cache(maxsize=2)
def _rasterised(svg: bytes, width: int) -> bytes:
    """Draw SVG as PNG; the cuts of one sheet follow one another."""
    # Without a resolution, sizes in points and millimetres are nothing.
    drawing = resvg_py.svg_to_bytes(svg_string=svg.decode("utf-8"), width=width, dpi=96)
    return bytes(drawing)


def sha256_of(pixels: Pixels) -> str:
    """Return the SHA-256 of the pixels of a picture."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
