"""Read Qt's compiled resource files (``.rcc``), which hold GCompris's pictures.

The format is that of Qt's `QResource` (qtbase, src/corelib/io/qresource.cpp): a header,
a tree of entries, and blocks of names and data; all numbers are big-endian.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from icf.errors import BadInput

_MAGIC = b"qres"
_COMPRESSED, _FOLDER, _COMPRESSED_ZSTD = 1, 2, 4


def members(content: bytes) -> dict[str, bytes]:
    """Return all files of a resource file, by path.

    Args:
        content: of the ``.rcc`` file.

    Raises:
        BadInput: it is no resource file, or one that is compressed with Zstandard.
    """
    if content[:4] != _MAGIC:
        raise BadInput("not a Qt resource file: it does not begin with 'qres'")
    try:
        version, tree, data, names = struct.unpack_from(">4i", content, 4)
        size = 22 if version >= 2 else 14
        return dict(_files(content, (tree, data, names), size, 0, ""))
    except (struct.error, zlib.error, UnicodeDecodeError) as error:
        raise BadInput(f"a damaged Qt resource file: {error}") from error


def _files(
    content: bytes, blocks: tuple[int, int, int], size: int, entry: int, path: str
) -> Iterator[tuple[str, bytes]]:
    tree, data, names = blocks
    at = tree + entry * size
    name_at, flags = struct.unpack_from(">iH", content, at)
    if entry:
        letters = struct.unpack_from(">H", content, names + name_at)[0]
        begin = names + name_at + 6  # after the length and a hash
        name = content[begin : begin + 2 * letters].decode("utf-16-be")
        path = f"{path}/{name}" if path else name
    if flags & _FOLDER:
        count, first = struct.unpack_from(">2i", content, at + 6)
        for child in range(first, first + count):
            yield from _files(content, blocks, size, child, path)
        return
    if flags & _COMPRESSED_ZSTD:
        raise BadInput(f"{path}: compressed with Zstandard, which is not read here")
    begin = data + struct.unpack_from(">i", content, at + 10)[0]
    length = struct.unpack_from(">i", content, begin)[0]
    packed = content[begin + 4 : begin + 4 + length]
    # Qt puts the unpacked length before zlib's stream.
    yield path, zlib.decompress(packed[4:]) if flags & _COMPRESSED else packed
