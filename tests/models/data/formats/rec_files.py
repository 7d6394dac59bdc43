"""Write what insightface's `face2rec2.py` and MXNet write."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

MAGIC = struct.pack("<I", 0xCED7230A)


def header(labels: Sequence[float], number: int = 0, flag: int | None = None) -> bytes:
    """An IRHeader: one label in the header, several behind it."""
    count = (0 if len(labels) == 1 else len(labels)) if flag is None else flag
    head = struct.pack("<IfQQ", count, 0.0 if count else labels[0], number, 0)
    return head + (struct.pack(f"<{count}f", *labels) if count else b"")


def record(content: bytes) -> bytes:
    """A record of dmlc's RecordIO, divided where it contains its own mark."""
    cuts = [i for i in range(0, len(content) - 3, 4) if content[i : i + 4] == MAGIC]
    starts = [0, *(cut + 4 for cut in cuts)]
    parts = [content[a:b] for a, b in zip(starts, [*cuts, len(content)], strict=True)]
    framed = b""
    for i, part in enumerate(parts):
        first, last = i == 0, i == len(parts) - 1
        flag = 0 if first and last else 1 if first else 3 if last else 2
        size = struct.pack("<I", flag << 29 | len(part))
        framed += MAGIC + size + part + bytes(-len(part) % 4)
    return framed


def write_rec(folder: Path, identities: Sequence[Sequence[bytes]]) -> None:
    """Write the three files: record 0, the pictures, then a record an identity."""
    records: list[bytes] = []
    ranges: list[tuple[int, int]] = []
    number = 1
    for label, pictures in enumerate(identities):
        ranges.append((number, number + len(pictures)))
        for picture in pictures:
            records.append(record(header([label], number) + picture))
            number += 1
    first = record(header([number, number + len(identities)]))
    ends = [record(header(each, number + i)) for i, each in enumerate(ranges)]
    folder.mkdir(parents=True, exist_ok=True)
    offset = 0
    lines = []
    for i, each in enumerate([first, *records, *ends]):
        lines.append(f"{i}\t{offset}\n")
        offset += len(each)
    (folder / "train.rec").write_bytes(b"".join([first, *records, *ends]))
    (folder / "train.idx").write_text("".join(lines))
    (folder / "property").write_text(f"{len(identities)},112,112\n")
