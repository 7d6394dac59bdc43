"""Where picture files keep C2PA manifests and XMP, found without decoding.

Sources: the C2PA specification, 2.2, annex A ("Embedding manifests"), and for JPEG
ISO/IEC 19566-5, annex D. XMP: XMP specification, part 3.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from icf.images import jpeg, png
from icf.images.marks.jumbf import boxes

_JPEG, _RIFF = b"\xff\xd8", b"RIFF"
_APP1, _APP11, _SCAN = 0xE1, 0xEB, 0xDA
_XMP_OF_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_OF_PNG = b"XML:com.adobe.xmp\0"
#: The `uuid` box that a manifest store lies in, in ISO base media files.
_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_C2PA_PURPOSE = b"manifest\0"
_XMP_BEGINS, _XMP_ENDS = b"<x:xmpmeta", b"</x:xmpmeta>"
_LONGEST_XMP = 1 << 20


def manifest_stores(data: bytes) -> Iterator[bytes]:
    """Yield the JUMBF boxes of C2PA in a JPEG, PNG, WebP, HEIF or AVIF file."""
    if data.startswith(_JPEG):
        yield from _of_jpeg(data)
    elif data.startswith(png.SIGNATURE):
        yield from (content for name, content in _png(data) if name == b"caBX")
    elif data.startswith(_RIFF):
        yield from (content for name, content in _riff(data) if name == b"C2PA")
    elif data[4:8] == b"ftyp":
        yield from _of_media(data)


def xmp_packets(data: bytes) -> Iterator[bytes]:
    """Yield the XMP of a file: where its format keeps it, or found by its own marks."""
    if data.startswith(_JPEG):
        for marker, content in _jpeg(data):
            if marker == _APP1 and content.startswith(_XMP_OF_JPEG):
                yield content[len(_XMP_OF_JPEG) :]
    elif data.startswith(png.SIGNATURE):
        for name, content in _png(data):
            if name == b"iTXt" and content.startswith(_XMP_OF_PNG):
                yield _text_of(content[len(_XMP_OF_PNG) :])
    elif (start := data.find(_XMP_BEGINS)) >= 0:
        end = data.find(_XMP_ENDS, start, start + _LONGEST_XMP)
        yield data[start : end if end >= 0 else start + _LONGEST_XMP]


def _jpeg(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the segments before the pixels."""
    for marker, content in jpeg.segments(data):
        if marker == _SCAN:
            return
        yield marker, content


def _of_jpeg(data: bytes) -> Iterator[bytes]:
    """Join the segments of each box: they repeat its header behind eight bytes."""
    joined: dict[bytes, list[bytes]] = {}
    for marker, content in _jpeg(data):
        if marker == _APP11 and content.startswith(b"JP") and len(content) >= 16:
            parts = joined.setdefault(content[2:4], [])
            head = 8 if int.from_bytes(content[8:12], "big") != 1 else 16
            parts.append(content[8 + (head if parts else 0) :])
    yield from (b"".join(parts) for parts in joined.values())


def _png(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for name, start, end in png.chunks(data):
        if name in (b"caBX", b"iTXt"):
            yield name, data[start + 8 : end - 4]


def _text_of(content: bytes) -> bytes:
    """The text of an iTXt chunk behind its keyword (PNG, third edition, 11.3.3.4)."""
    packed, _, rest = content[:1], content[1:2], content[2:]
    text = rest.partition(b"\0")[2].partition(b"\0")[2]
    if packed != b"\x01":
        return text
    try:
        return zlib.decompressobj().decompress(text, _LONGEST_XMP)
    except zlib.error:
        return b""


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 12
    while place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        yield data[place : place + 4], data[place + 8 : place + 8 + size]
        place += 8 + size + size % 2


def _of_media(data: bytes) -> Iterator[bytes]:
    for kind, start, end in boxes(data, 0, len(data)):
        content = data[start:end]
        if kind == b"uuid" and content.startswith(_C2PA_UUID):
            # Version and flags, the purpose, and the offset of Merkle boxes.
            rest = content[len(_C2PA_UUID) + 4 :]
            if rest.startswith(_C2PA_PURPOSE):
                yield rest[len(_C2PA_PURPOSE) + 8 :]
