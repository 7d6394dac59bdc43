"""Picture files made for a test: good ones, and each kind of bad one."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def drawing(width: int = 64, height: int = 48, seed: int = 1) -> Pixels:
    """Smooth colours of which no two corners are alike."""
    small = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), np.uint8)
    return np.asarray(cv2.resize(small, (width, height)), np.uint8)


def encoded(pixels: NDArray[Any] | Image.Image, kind: str, **options: Any) -> bytes:
    """A file of Pillow's format ``kind``."""
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def animation(kind: str, frames: int) -> bytes:
    """An animation; its first frame is ``drawing(seed=1)``."""
    pictures = [Image.fromarray(drawing(seed=1 + n)) for n in range(frames)]
    return encoded(
        pictures[0], kind, save_all=True, append_images=pictures[1:], lossless=True
    )


def lossless_jpeg(pixels: Pixels) -> bytes:
    """A JPEG without a DCT (T.81, annex H): every pixel predicted by its left one.

    Args:
        pixels: RGB of shape (h, w, 3), or grey of shape (h, w).
    """
    values = pixels.reshape(*pixels.shape[:2], -1).astype(int)
    height, width, colours = values.shape
    before = np.empty_like(values)
    before[:, 1:] = values[:, :-1]
    before[1:, 0] = values[:-1, 0]
    before[0, 0] = 128
    bits = ""
    for change in (values - before).ravel().tolist():
        size = abs(change).bit_length()
        bits += f"{size:04b}"  # a code of four bits for each size from 0 to 8
        if size:
            bits += f"{change if change > 0 else change + 2**size - 1:0{size}b}"
    bits += "1" * (-len(bits) % 8)
    coded = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    each = range(1, colours + 1)
    frame = struct.pack(">BHHB", 8, height, width, colours)
    frame += b"".join(bytes((one, 0x11, 0)) for one in each)
    codes = bytes((0, 0, 0, 0, 9, *bytes(12), *range(9)))
    scan = bytes((colours, *(byte for one in each for byte in (one, 0)), 1, 0, 0))
    adobe = b"Adobe\0\x64" + bytes(5)  # says that three colours are RGB
    parts = ((0xEE, adobe), (0xC3, frame), (0xC4, codes), (0xDA, scan))
    return b"".join(
        [
            b"\xff\xd8",
            *(
                struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
                for marker, content in parts
            ),
            coded,
            b"\xff\xd9",
        ]
    )


def chunk(name: bytes, content: bytes) -> bytes:
    """One chunk of a PNG, with its checksum."""
    checksum = zlib.crc32(name + content)
    return (
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
    )


def png_bomb(side: int) -> bytes:
    """A black PNG of ``side`` x ``side`` pixels of one bit; nothing large is held."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return PNG_SIGNATURE + b"".join(
        chunk(name, content)
        for name, content in ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    )


def with_orientation(pixels: Pixels, kind: str, turned: int, **options: Any) -> bytes:
    """A file that says its pixels are to be turned."""
    exif = Image.Exif()
    exif[0x0112] = turned
    return encoded(pixels, kind, exif=exif, **options)


def flipped(data: bytes, start: int, count: int, seed: int = 0) -> bytes:
    """``data`` with ``count`` bits turned over behind ``start``."""
    damaged = bytearray(data)
    rng = np.random.default_rng(seed)
    for place in rng.integers(start, len(data) - 2, count):
        damaged[place] ^= 1 << int(rng.integers(8))
    return bytes(damaged)
