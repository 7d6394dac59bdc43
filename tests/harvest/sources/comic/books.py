"""Comics that the tests make: good ones, and hostile ones."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image

EPUB_CONTAINER = (
    b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    b'<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)


def picture(form: str = "PNG", *, shade: int = 90, mode: str = "RGB") -> bytes:
    """A small picture; another shade, other bytes."""
    colour = (shade,) * len(mode) if len(mode) > 1 else shade
    made = Image.new(mode, (40, 60), colour)
    made.putpixel((3, 5), (255,) * len(mode) if len(mode) > 1 else 255)
    out = io.BytesIO()
    made.save(out, form)
    return out.getvalue()


def zipped(path: Path, members: Mapping[str, bytes], method: int = 8) -> Path:
    """A ZIP file with these members, in this order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def patched(path: Path, old: bytes, new: bytes) -> Path:
    """The file with some bytes replaced, wherever they are."""
    path.write_bytes(path.read_bytes().replace(old, new))
    return path


def flagged(path: Path, flags: int, method: int | None = None) -> Path:
    """Set flags, and a method, in the headers of every member."""
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            old = struct.unpack_from("<HH", data, at + place)
            new = old[1] if method is None else method
            struct.pack_into("<HH", data, at + place, old[0] | flags, new)
            at = data.find(mark, at + 4)
    path.write_bytes(data)
    return path


def overlapping_bomb(path: Path, members: int = 26) -> Path:
    """Members that all share one kernel of packed bytes."""
    zipped(path, {"p.jpg": bytes(1 << 20)})
    data = path.read_bytes()
    directory = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry, kernel = data[directory:end], data[:directory]
    entries = b"".join(
        entry.replace(b"p.jpg", b"%c.jpg" % (65 + number)) for number in range(members)
    )
    tail = struct.pack(
        "<4s4H2IH", b"PK\5\6", 0, 0, members, members, len(entries), directory, 0
    )
    path.write_bytes(kernel + entries + tail)
    return path


def epub(path: Path, members: Mapping[str, bytes], package: str) -> Path:
    """An EPUB file whose package is at OEBPS/book.opf."""
    fixed = {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": EPUB_CONTAINER,
        "OEBPS/book.opf": package.encode(),
    }
    return zipped(path, {**fixed, **members}, zipfile.ZIP_STORED)


def pdf(path: Path, *streams: Mapping[str, Any], password: str = "") -> Path:
    """A PDF file; each page is one picture, given by its dictionary and its "data".

    A "content" is drawn instead of the usual one; "page" has keys of the page.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with pikepdf.new() as made:
        for keys in streams:
            own = dict(keys)
            of_page = own.pop("page", {})
            content = own.pop("content", b"q 200 0 0 300 0 0 cm /I Do Q")
            data, mask = own.pop("data"), own.pop("mask", None)
            stream = pikepdf.Stream(made, data)
            stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
            stream.Width, stream.Height = 40, 60
            stream.BitsPerComponent = 8
            for name, value in own.items():
                stream[f"/{name}"] = value
            if mask is not None:
                stream.SMask = made.make_indirect(
                    pikepdf.Stream(
                        made,
                        mask,
                        Type=pikepdf.Name.XObject,
                        Subtype=pikepdf.Name.Image,
                        Width=40,
                        Height=60,
                        BitsPerComponent=8,
                        ColorSpace=pikepdf.Name.DeviceGray,
                    )
                )
            page = made.add_blank_page(page_size=(200, 300))
            page.obj.Resources = pikepdf.Dictionary(
                XObject=pikepdf.Dictionary(I=made.make_indirect(stream))
            )
            page.obj.Contents = pikepdf.Stream(made, content)
            for name, value in of_page.items():
                page.obj[f"/{name}"] = value
        lock = pikepdf.Encryption(owner="o", user=password) if password else None
        if lock is not None:
            made.save(path, encryption=lock)
        else:
            made.save(path, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return path


def jpeg_page(data: bytes, **keys: Any) -> dict[str, Any]:
    """The dictionary of a JPEG picture."""
    rgb = pikepdf.Name.DeviceRGB
    return {"data": data, "Filter": pikepdf.Name.DCTDecode, "ColorSpace": rgb, **keys}


def flate_page(pixels: bytes, **keys: Any) -> dict[str, Any]:
    """The dictionary of a picture packed without loss."""
    rgb = pikepdf.Name.DeviceRGB
    packed = zlib.compress(pixels)
    return {
        "data": packed,
        "Filter": pikepdf.Name.FlateDecode,
        "ColorSpace": rgb,
        **keys,
    }


def rar5(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    """A RAR 5 file whose members are stored, written by hand from the format."""
    blocks = [_rar_block(b"\x01" + b"\x00" + b"\x00")]  # main header
    for name, data in members:
        text = name.encode()
        header = b"".join(
            (
                b"\x02\x02",  # a file, with data behind it
                _vint(len(data)),
                b"\x04",  # a CRC is there
                _vint(len(data)),
                _vint(0o100644),
                struct.pack("<I", zlib.crc32(data)),
                b"\x00\x01",  # stored; made on Unix
                _vint(len(text)),
                text,
            )
        )
        blocks += [_rar_block(header), data]
    blocks.append(_rar_block(b"\x05\x00\x00"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"Rar!\x1a\x07\x01\x00" + b"".join(blocks))
    return path


def _rar_block(header: bytes) -> bytes:
    sized = _vint(len(header)) + header
    return struct.pack("<I", zlib.crc32(sized)) + sized


def _vint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(0x80 | number & 0x7F)
        number >>= 7
    return bytes([*out, number])
